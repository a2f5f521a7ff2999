"""How an explanation looks: sentences first, then what they rest on, in columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, TextIO

import click

from cli.render import coloured, on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sipua.explain.explanation import Document

FOUND = 60
"""Exit status when something wrong was found."""

WIDTH = 16
NARROWEST = 40

PARTS = (
    ("realm", "realm"),
    ("RAND", "rand"),
    ("SQN xor AK", "sqn_xor_ak"),
    ("AMF", "amf"),
    ("MAC", "mac"),
    ("server data", "server_data"),
    ("qop", "qop"),
)
"""What is shown of a challenge, and its name in the document."""

Row = tuple[str, object]


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
    """Writes for people: wrapped on a terminal, a line a fact in a pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._colour = coloured(stream)
        self._width = get_terminal_size().columns if on_terminal(stream) else 0
        self._count = 0
        self._wrong = 0
        self._formulas: set[str] = set()

    def show(self, document: Document) -> None:
        """One dialog: what is wrong, why, what to do; then the details."""
        if self._count:
            click.echo()
        self._count += 1
        self._wrong += bool(document["wrong"])
        colour = "red" if document["wrong"] else "green"
        summary = printable(document["summary"])
        click.echo(click.style(summary, fg=colour, bold=True) if self._colour else summary)
        for number, finding in enumerate(document["findings"]):
            self._rows(_finding(finding, first=number == 0 and document["wrong"]))
        self._rows(_where(document))
        for exchange in document["exchanges"]:
            if document.get("call_id") or not document["challenges"]:
                self._rows(_exchange(exchange))
        for challenge in document["challenges"]:
            self._rows(_challenge(challenge))
            right = challenge["right_answer"]
            new = str(right["formula"]) not in self._formulas
            self._formulas.add(str(right["formula"]))
            self._rows(_right_answer(right, with_formula=new))
            for answer in challenge["answers"]:
                self._rows(_answer(answer))

    def end(self) -> int:
        """Say how it went over all; returns the exit status."""
        if not self._count:
            click.echo("There is nothing of authentication in it.")
        elif self._count > 1:
            wrong = (
                f"something is wrong in {self._wrong}" if self._wrong else "nothing is wrong in any"
            )
            click.echo(f"\n{self._count} dialogs; {wrong} of them.")
        return FOUND if self._wrong else 0

    def _rows(self, rows: Iterable[Row]) -> None:
        for name, value in rows:
            text = f"  {name:<{WIDTH}}{printable(str(value))}"
            if 0 < self._width < len(text):
                hanging = " " * (WIDTH + 2)
                text = fill(
                    text,
                    max(self._width, NARROWEST),
                    subsequent_indent=hanging,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            click.echo(text)


def printable(text: str) -> str:
    """Text of a peer's without what a terminal would obey, or what is not UTF-8."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _finding(finding: Document, *, first: bool) -> Iterator[Row]:
    if not first:
        yield "also" if finding["wrong"] else "note", finding["what"]
    if finding["why"]:
        yield "  why", finding["why"]
    if finding["todo"] and finding["wrong"]:
        yield "  what to do", finding["todo"]


def _where(document: Document) -> Iterator[Row]:
    if document.get("call_id"):
        yield "Call-ID", document["call_id"]
    if document.get("at") is not None:
        yield "begun", datetime.fromtimestamp(document["at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if document.get("source"):
        transport = document["transport"]
        yield "between", f"{document['source']} and {document['destination']}, {transport}"
    for name in ("scheme", "algorithm", "impi", "impu", "registrar"):
        if document.get(name):
            yield name.upper() if name.startswith("imp") else name, document[name]


def _exchange(exchange: Document) -> Iterator[Row]:
    at = exchange.get("at")
    if exchange["status"]:
        outcome = f" -> {exchange['status']}"
    else:
        outcome = "" if exchange["method"] == "ACK" else " -> no answer"
    reason = f" {exchange['reason']}" if exchange["reason"] else ""
    took = f" after {exchange['ms']} ms" if exchange.get("ms") is not None else ""
    copies = f", seen {exchange['copies']} times" if exchange.get("copies", 1) > 1 else ""
    clock = "exchange"
    if at is not None:
        clock = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
    yield clock, f"{exchange['method']}{outcome}{reason}{took}{copies}"


def _challenge(challenge: Document) -> Iterator[Row]:
    name = " ".join(filter(None, (challenge["scheme"], challenge["algorithm"])))
    yield "challenge", f"{name} in {challenge['header']}"
    for label, key in PARTS:
        if challenge[key]:
            value = challenge[key]
            yield f"  {label}", ", ".join(value) if isinstance(value, list) else value
    if challenge["autn"] is not None:
        yield "  AUTN opened", _opened(challenge["autn"])
    for label, value in (challenge["secrets"] or {}).items():
        yield f"  {label.upper()}", value
    if challenge["card"] is not None:
        yield "  card said", challenge["card"]["answer"]


def _right_answer(right: Document, *, with_formula: bool) -> Iterator[Row]:
    """The formula is told once for each algorithm."""
    yield "  right answer", f"{right['header']}: {right['value'] or right['form']}"
    for line in right["formula"] if with_formula else ():
        yield "", line
    yield "  out of step", right["after_auts"]
    yield "  MAC wrong", right["after_mac_failure"]


def _answer(answer: Document) -> Iterator[Row]:
    status = f" -> {answer['status']}" if answer["status"] else ""
    yield "answer", f"{answer['kind']} in {answer['header']}, {answer['checked']}{status}"
    yield "", answer["value"]
    auts = answer["auts"]
    if auts is None:
        return
    yield "  AUTS", auts["octets"]
    if auts.get("mac"):
        yield "  AUTS opened", _opened(auts)
    if auts.get("distance") is not None:
        yield "  distance", f"the network is {auts['distance']} ahead of the card in SEQ"
    if auts.get("hss_must_go_on_from"):
        after, following = auts["hss_must_go_on_from"], auts["next_sqn"]
        yield "  HSS must", f"go on from {after}; next SQN {following}"


def _opened(facts: Document) -> str:
    if facts["sqn"] is None:
        return f"MAC {facts['mac']}"
    return f"MAC {facts['mac']}, SQN {facts['sqn']} (SEQ {facts['seq']}, IND {facts['ind']})"
