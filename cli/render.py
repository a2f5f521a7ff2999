"""How results, ladders and traces look on a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from card.masking import TracedApdu
    from sipua.agent.user_agent import Observer
    from sipua.result import RegistrationResult
    from sipua.trace.step import Step


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # An octet of the peer's that is no UTF-8 becomes the JSON escape of what stands for it.
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def shown(text: str) -> str:
    """The text with escapes in place of what cannot be printed as it is.

    Much of it comes from the peer, who might steer the terminal otherwise.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def on_terminal(stream: TextIO) -> bool:
    """Whether a person looks at the stream, so that drawing makes sense."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def coloured(stream: TextIO) -> bool:
    """Whether colours are welcome (https://no-color.org)."""
    return on_terminal(stream) and not os.environ.get("NO_COLOR")


class LiveLadder:
    """Prints every step of an exchange as a rung, as it happens."""

    def __init__(self, stream: TextIO, lanes: Sequence[str] = ()) -> None:
        from sipua.trace.ladder import ASCII, UNICODE, Ladder
        from sipua.trace.step import LANES

        unicode = on_terminal(stream) and "utf" in (stream.encoding or "").lower()
        width = os.get_terminal_size(stream.fileno()).columns if on_terminal(stream) else 100
        self._ladder = Ladder(width, UNICODE if unicode else ASCII, lanes or LANES)
        self._stream = stream

    def __call__(self, step: Step) -> None:
        for row in self._ladder.step(step):
            print(shown(row), file=self._stream, flush=True)


def print_step(step: Step) -> None:
    """One step as a sentence (``-v``)."""
    said = "; ".join(filter(None, (step.note, step.proof)))
    note = f": {said}" if said else ""
    click.echo(shown(f"{step.source} -> {step.target}  {step.label}{note}"), err=True)


def print_message(direction: str, data: bytes, hop: object) -> None:
    """One SIP message as the agent's trace gives it, secrets already masked (``-vv``)."""
    arrow = "-->" if direction == "sent" else "<--"
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
    click.echo(f"{arrow} {hop}", err=True)
    for line in text.split("\n"):
        click.echo(f"    {shown(line)}", err=True)


def print_apdu(apdu: TracedApdu) -> None:
    """One command and its answer (``-vvv``)."""
    click.echo(f"    {apdu.name}: {apdu.command} -> {apdu.answer}", err=True)


def observer(verbose: int, *, ladder: bool) -> Observer:
    """Who watches an attempt: the ladder, if wanted, on a terminal; else what -v asks for."""
    from sipua.agent.user_agent import Observer

    on_step: Callable[[Step], None] | None = None
    if ladder and on_terminal(sys.stdout):
        on_step = LiveLadder(sys.stdout)
    elif verbose:
        on_step = print_step
    return Observer(
        on_step,
        print_message if verbose > 1 else None,
        print_apdu if verbose > 2 else None,
        on_news=print_news,
    )


def print_news(sentence: str) -> None:
    """What happened to a registration that stays, on standard error with the time of day."""
    now = time.strftime("%H:%M:%S")
    click.echo(f"{now} {shown(sentence)}", err=True)


def print_result(result: RegistrationResult) -> None:
    """The outcome for a person: the verdict first, then what was learnt, then what to do."""
    colour = coloured(sys.stdout)
    good = result.exit_status == 0
    verdict = result.verdict.value
    click.echo(
        click.style(verdict, fg="green" if good else "red", bold=True) if colour else verdict
    )
    click.echo(f"  {shown(result.reason)}")
    facts = _facts(result)
    width = max(len(name) for name, _ in facts) + 2 if facts else 0
    for name, value in facts:
        click.echo(f"  {name:<{width}}{shown(value)}")
    for hint in result.hints:
        click.echo(f"  hint: {shown(hint)}")


def _facts(result: RegistrationResult) -> list[tuple[str, str]]:
    from sipua.result import CallResult, RequestResult

    facts: list[tuple[str, str | None]] = []
    if isinstance(result, RequestResult):
        facts.append(("to", result.target))
        facts += [(name, ", ".join(values)) for name, values in result.answer.items()]
    if isinstance(result, CallResult):
        from cli.call_words import call_facts

        facts += call_facts(result)
    facts += [
        ("IMPU", result.impu),
        ("IMPI", result.impi),
        ("registrar", result.registrar),
        ("contact", result.contact),
        ("protection", result.protection),
    ]
    if result.exit_status == 0 and result.expires:
        facts.append(("expires", f"in {result.expires} s"))
    if result.scheme:
        resync = ", after resynchronisation" if result.resynchronised else ""
        algorithm = f", {result.algorithm}" if result.algorithm else ""
        facts.append(("scheme", f"{result.scheme}{algorithm}{resync}"))
    facts += [("route", route) for route in result.service_route]
    facts += [("also known", uri) for uri in result.associated_uris]
    if result.card:
        card = result.card
        facts.append(
            (
                "card",
                f"{card.application.upper()} in {card.reader}, {card.apdus} APDUs, {card.ms} ms",
            )
        )
    sip = ", ".join(f"{step.method} {step.status or 'no answer'}" for step in result.exchange)
    facts.append(("exchange", f"{sip} in {result.elapsed_ms} ms" if sip else None))
    return [(name, value) for name, value in facts if value]
