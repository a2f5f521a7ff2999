"""How an explanation looks: sentences first, then what they rest on, in columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from cli.render import coloured

if TYPE_CHECKING:
    from sipua.explain.explanation import Document

FOUND = 60
WIDTH = 16


class JsonWriter:
    """Writes one JSON document, each dialog as soon as it is explained and on one line."""

    def __init__(self) -> None:
        self._count = 0
        self._wrong = 0

    def show(self, document: Document) -> None:
        """Write one dialog."""
        text = json.dumps(document, ensure_ascii=False)
        if not text.isprintable():  # a peer's octets may be anything
            text = json.dumps(document)
        click.echo((",\n" if self._count else '{"dialogs": [\n') + text, nl=False)
        self._count += 1
        self._wrong += bool(document["wrong"])

    def end(self) -> int:
        """Close the document; returns the exit status."""
        status = FOUND if self._wrong else 0
        rest = {
            "count": self._count,
            "wrong": self._wrong,
            "verdict": "faults-found" if self._wrong else "ok",
            "exit_status": status,
        }
        head = "\n], " if self._count else '{"dialogs": [], '
        click.echo(head + json.dumps(rest)[1:])
        return status


class TextWriter:
    """Writes for people."""

    def __init__(self, stream: TextIO) -> None:
        self._colour = coloured(stream)
        self._count = 0
        self._wrong = 0

    def show(self, document: Document) -> None:
        """One dialog: what is wrong, why, what to do; then the details."""
        if self._count:
            click.echo()
        self._count += 1
        self._wrong += bool(document["wrong"])
        click.echo(self._styled(printable(document["summary"]), document["wrong"]))
        for number, finding in enumerate(document["findings"]):
            self._finding(finding, first=number == 0 and document["wrong"])
        _where(document)
        for exchange in document["exchanges"]:
            _exchange(exchange)
        for challenge in document["challenges"]:
            _challenge(challenge)

    def end(self) -> int:
        """Say how it went over all; returns the exit status."""
        if not self._count:
            click.echo("There is nothing of authentication in it.")
        elif self._count > 1:
            click.echo(f"\n{self._count} dialogs; something is wrong in {self._wrong} of them.")
        return FOUND if self._wrong else 0

    def _styled(self, text: str, wrong: bool) -> str:
        return (
            click.style(text, fg="red" if wrong else "green", bold=True) if self._colour else text
        )

    def _finding(self, finding: Document, *, first: bool) -> None:
        if not first:
            _echo(("  also: " if finding["wrong"] else "  note: ") + finding["what"])
        if finding["why"]:
            _echo(f"  {'why':<{WIDTH - 2}}{finding['why']}")
        if finding["todo"] and finding["wrong"]:
            _echo(f"  {'what to do':<{WIDTH - 2}}{finding['todo']}")


def printable(text: str) -> str:
    """Text of a peer's without what a terminal would obey, or what is not UTF-8."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _echo(text: str) -> None:
    click.echo(printable(text))


def _where(document: Document) -> None:
    if document.get("call_id"):
        _row("Call-ID", document["call_id"])
    if document.get("source"):
        transport = document["transport"]
        _row("between", f"{document['source']} and {document['destination']}, {transport}")
    for name in ("scheme", "algorithm", "impi", "impu", "registrar"):
        if document.get(name):
            _row(name.upper() if name.startswith("imp") else name, document[name])


def _exchange(exchange: Document) -> None:
    at = _clock(exchange.get("at"))
    status = exchange["status"] or "no answer"
    reason = f" {exchange['reason']}" if exchange["reason"] else ""
    took = f" after {exchange['ms']} ms" if exchange.get("ms") is not None else ""
    copies = f", seen {exchange['copies']} times" if exchange.get("copies", 1) > 1 else ""
    _row(at or "exchange", f"{exchange['method']} -> {status}{reason}{took}{copies}")


def _challenge(challenge: Document) -> None:
    name = " ".join(filter(None, (challenge["scheme"], challenge["algorithm"])))
    _echo(f"  challenge   {name} in {challenge['header']}")
    for label, key in (
        ("realm", "realm"),
        ("RAND", "rand"),
        ("SQN xor AK", "sqn_xor_ak"),
        ("AMF", "amf"),
        ("MAC", "mac"),
        ("server data", "server_data"),
    ):
        if challenge[key] is not None:
            _row(f"  {label}", challenge[key])
    if challenge["qop"]:
        _row("  qop", ", ".join(challenge["qop"]))
    autn = challenge["autn"]
    if autn is not None:
        _row("  AUTN opened", _opened(autn))
    for label, value in (challenge["secrets"] or {}).items():
        _row(f"  {label.upper()}", value)
    if challenge["card"] is not None:
        _row("  card said", challenge["card"]["answer"])
    right = challenge["right_answer"]
    _row("  right answer", f"{right['header']}: {right['value'] or right['form']}")
    for line in right["formula"]:
        _row("", line)
    _row("  out of step", right["after_auts"])
    _row("  MAC wrong", right["after_mac_failure"])
    for answer in challenge["answers"]:
        _answer(answer)


def _answer(answer: Document) -> None:
    status = f" -> {answer['status']}" if answer["status"] else ""
    _echo(f"  answer      {answer['kind']} in {answer['header']}, {answer['checked']}{status}")
    _row("", answer["value"])
    auts = answer["auts"]
    if auts is not None:
        _row("  AUTS", auts["octets"])
        if auts.get("mac"):
            _row("  AUTS opened", _opened(auts))
        if auts.get("distance") is not None:
            _row("  distance", f"the network is {auts['distance']} ahead of the card in SEQ")
        if auts.get("hss_must_go_on_from"):
            _row(
                "  HSS must",
                f"go on from {auts['hss_must_go_on_from']}; next SQN {auts['next_sqn']}",
            )


def _opened(facts: Document) -> str:
    if facts["sqn"] is None:
        return f"MAC {facts['mac']}"
    return f"MAC {facts['mac']}, SQN {facts['sqn']} (SEQ {facts['seq']}, IND {facts['ind']})"


def _row(name: str, value: Any) -> None:
    _echo(f"  {name:<{WIDTH}}{value}")


def _clock(at: float | None) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
