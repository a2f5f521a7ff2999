"""What every card command needs: the card opened as its options say, and an outcome printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cli.options import read_pin
from cli.render import print_apdu, print_json
from cli.trace import open_recorder

if TYPE_CHECKING:
    from card.errors import CardError
    from card.masking import TracedApdu
    from card.session import CardSession

Document = dict[str, Any]
Show = Callable[[Document], None]


class Outcome(NamedTuple):
    """How a command ended: verdict, a sentence, and what it found out."""

    verdict: str
    reason: str
    document: Document


class DryRun:
    """Keeps the APDUs of a dry run, in order: those that were sent and those that were not."""

    def __init__(self) -> None:
        self.apdus: list[tuple[TracedApdu, bool]] = []

    def sent(self, apdu: TracedApdu) -> None:
        """One that only reads, and so was sent."""
        self.apdus.append((apdu, True))

    def withheld(self, apdu: TracedApdu) -> None:
        """One that would cost the card something."""
        self.apdus.append((apdu, False))

    def outcome(self) -> Outcome:
        """What to print of it."""
        kept = sum(not sent for _, sent in self.apdus)
        reason = (
            f"A dry run: {len(self.apdus) - kept} commands that only read were sent, and"
            f" {kept} that cost the card something {'was' if kept == 1 else 'were'} not."
        )
        if kept:
            reason += " What would follow depends on the card's answer to that."
        rows = [
            {
                "name": apdu.name,
                "command": apdu.command,
                "answer": apdu.answer if sent else None,
                "sent": sent,
            }
            for apdu, sent in self.apdus
        ]
        return Outcome("ok", reason, {"dry_run": True, "apdus": rows})


def run(
    work: Callable[[CardSession], Outcome],
    show: Show,
    *,
    as_json: bool,
    verbose: int,
    with_pin: bool = True,
    blank: Document | None = None,
    **options: Any,
) -> int:
    """Open the card, do the work, print the outcome; returns the exit status.

    ``blank`` holds what the JSON document has even when the work fails, so that
    no key is ever missing.
    """
    from card.errors import CardError, NotSent

    dry_run = DryRun() if options["dry_run"] else None
    try:
        with open_session(verbose, dry_run, with_pin, options) as session:
            outcome = work(session)
    except NotSent:
        assert dry_run is not None
    except CardError as error:
        return card_failure(error, as_json, blank)
    if dry_run is not None:
        return finish(dry_run.outcome(), show_dry_run, as_json)
    return finish(outcome, show, as_json)


def open_session(
    verbose: int, dry_run: DryRun | None, with_pin: bool, options: dict[str, Any]
) -> CardSession:
    """The card that the options name, opened. Raises CardError."""
    from card.session import CardSession

    watching = [print_apdu] if verbose >= 3 else []
    if dry_run is not None:
        watching.append(dry_run.sent)
    recorder = open_recorder(options["trace"], options["trace_secrets"])
    bare_trace = None
    if recorder is not None and recorder.shows_secrets:
        bare_trace = recorder.apdu
    elif recorder is not None:
        watching.append(recorder.apdu)

    def trace(apdu: TracedApdu) -> None:
        for watch in watching:
            watch(apdu)

    return CardSession(
        options["card"],
        options["application"],
        read_pin(options["pin_file"]) if with_pin else None,
        options["force_pin"],
        trace if watching else None,
        bare_trace=bare_trace,
        protected=options["protected"],
        withheld=dry_run.withheld if dry_run is not None else None,
        waiting=options["waiting"],
    )


def finish(outcome: Outcome, show: Show, as_json: bool) -> int:
    """Print an outcome and return its exit status."""
    from sipua.verdict import Verdict

    status = Verdict(outcome.verdict).exit_status
    head = {"verdict": outcome.verdict, "exit_status": status, "reason": outcome.reason}
    if as_json:
        print_json(head | outcome.document)
        return status
    click.echo(f"{outcome.verdict}\n  {outcome.reason}")
    show(outcome.document)
    return status


def card_failure(error: CardError, as_json: bool, document: Document | None = None) -> int:
    """Say why the card could not be used; the exit status is that of the verdict."""
    from card.errors import ProfileError
    from sipua.agent.identity_module import verdict_of

    if isinstance(error, ProfileError):
        raise click.UsageError(str(error)) from error
    outcome = Outcome(verdict_of(error).value, str(error), document or {})
    return finish(outcome, show_facts, as_json)


def show_facts(document: Document) -> None:
    """What is known, a line a fact."""
    for name, value in document.items():
        if value is not None and value != "":
            click.echo(f"  {name.replace('_', ' '):<14}{value}")


def show_dry_run(document: Document) -> None:
    """The APDUs, a line each."""
    for row in document["apdus"]:
        end = f"-> {row['answer']}" if row["sent"] else "(not sent)"
        click.echo(
            f"  {'sent' if row['sent'] else 'WOULD':<6}{row['name']}: {row['command']} {end}"
        )
