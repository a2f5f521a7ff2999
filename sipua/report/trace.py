"""A capture read into memory for a report: messages, APDUs and remarks in order, and what
``explain`` finds out about them.

Bounded: of a capture larger than a report can show the rest is counted only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipua.auth.redaction import redact_message
from sipua.capture.captured import CapturedApdu, CapturedMessage, CaptureRemark
from sipua.capture.reader import contents
from sipua.errors import ParseError
from sipua.explain.heard import Heard
from sipua.explain.investigation import Investigation
from sipua.report.apdus import CardReader, ReadApdu
from sipua.sip.message import Request, Response, parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from sipua.explain.subscriber import Subscriber
    from sipua.sip.hop import Hop

    Document = dict[str, Any]

MAX_MESSAGES = 1000
MAX_APDUS = 1000
MAX_REMARKS = 200
MAX_FINDINGS = 40


class SeenMessage:
    """One SIP message. ``data`` is as it may be shown, ``hidden`` whether that is less than what
    was captured; ``message`` is None where it cannot be read, and ``problem`` says why.

    ``again`` marks a copy of an earlier one. ``challenges`` and ``answers`` are what
    ``explain`` says of it.
    """

    __slots__ = (
        "again", "answers", "at", "challenges", "comment", "data", "destination", "hidden",
        "message", "number", "packet", "problem", "source", "transport",
    )  # fmt: skip

    def __init__(self, number: int, captured: CapturedMessage, *, shows_secrets: bool) -> None:
        self.number = number
        self.packet = captured.packet
        self.at = captured.at
        self.source: Hop = captured.source
        self.destination: Hop = captured.destination
        self.transport = captured.transport
        self.comment = captured.comment
        self.data = captured.data if shows_secrets else redact_message(captured.data)
        self.hidden = self.data != captured.data
        self.again = False
        self.problem = ""
        self.message: Request | Response | None = None
        self.challenges: list[Document] = []
        self.answers: list[Document] = []
        try:
            self.message = parse(self.data)
        except ParseError as error:
            self.problem = str(error)

    @property
    def call_id(self) -> str:
        """The Call-ID, "" where there is none."""
        return (self.message.headers.get("Call-ID") or "") if self.message is not None else ""


class SeenApdu:
    """One command to the card and its answer, understood."""

    __slots__ = ("at", "comment", "number", "packet", "read")

    def __init__(self, number: int, captured: CapturedApdu, read: ReadApdu) -> None:
        self.number = number
        self.packet = captured.packet
        self.at = captured.at
        self.comment = captured.comment
        self.read = read


Seen = SeenMessage | SeenApdu | CaptureRemark


class Trace:
    """All that a report tells of. ``omitted`` counts what was left out, by kind."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.documents: list[Document] = []
        self.omitted: dict[str, int] = {}

    @property
    def messages(self) -> list[SeenMessage]:
        """The SIP messages."""
        return [each for each in self.seen if isinstance(each, SeenMessage)]

    @property
    def apdus(self) -> list[SeenApdu]:
        """The APDUs."""
        return [each for each in self.seen if isinstance(each, SeenApdu)]

    @property
    def remarks(self) -> list[CaptureRemark]:
        """What whoever wrote or read the capture had to say."""
        return [each for each in self.seen if isinstance(each, CaptureRemark)]

    @property
    def began(self) -> float:
        """Time of the first packet, in seconds since 1970; 0 for an empty trace."""
        return min((each.at for each in self.seen), default=0.0)

    @property
    def ended(self) -> float:
        """Time of the last packet."""
        return max((each.at for each in self.seen), default=0.0)


def read(
    source: BinaryIO, subscribers: Sequence[Subscriber] = (), *, shows_secrets: bool = False
) -> Trace:
    """Read a capture. Raises CaptureError for what is none, or cannot be read at all."""
    return _Reading(subscribers, shows_secrets).read(source)


class _Reading:
    def __init__(self, subscribers: Sequence[Subscriber], shows_secrets: bool) -> None:
        self.trace = Trace()
        self.shows_secrets = shows_secrets
        self.investigation = Investigation(subscribers, show_secrets=shows_secrets, everything=True)
        self.card = CardReader(shows_secrets=shows_secrets)
        self.counts = {"message": 0, "APDU": 0, "remark": 0}
        self.last: dict[tuple[str, str, str], bytes] = {}

    def read(self, source: BinaryIO) -> Trace:
        for each in contents(source):
            if isinstance(each, CapturedMessage):
                self.message(each)
            elif isinstance(each, CapturedApdu):
                self.apdu(each)
            elif self.has_room("remark", MAX_REMARKS):
                self.trace.seen.append(each)
        self.trace.documents += self.investigation.finish()
        attach(self.trace)
        return self.trace

    def has_room(self, kind: str, most: int) -> bool:
        self.counts[kind] += 1
        if self.counts[kind] <= most:
            return True
        self.trace.omitted[kind] = self.counts[kind] - most
        return False

    def message(self, captured: CapturedMessage) -> None:
        if not self.has_room("message", MAX_MESSAGES):
            return
        seen = SeenMessage(self.counts["message"], captured, shows_secrets=self.shows_secrets)
        ends = str(seen.source), str(seen.destination), seen.call_id
        seen.again = self.last.get(ends) == captured.data
        self.last[ends] = captured.data
        self.trace.seen.append(seen)
        try:
            message = parse(captured.data)
        except ParseError:
            return
        source, destination = address(seen.source), address(seen.destination)
        heard = Heard(message, seen.at, source, destination, seen.transport)
        self.trace.documents += self.investigation.take(heard)

    def apdu(self, captured: CapturedApdu) -> None:
        if not self.has_room("APDU", MAX_APDUS):
            return
        read = self.card.take(captured.command, captured.answer)
        self.trace.documents += self.investigation.take(captured)
        if read is not None:
            self.trace.seen.append(SeenApdu(self.counts["APDU"], captured, read))


def attach(trace: Trace) -> None:
    """Give each message what the explanation of its dialog says of it: by Call-ID and time."""
    at: dict[tuple[str, float], SeenMessage] = {}
    for message in trace.messages:
        at.setdefault((message.call_id, round(message.at, 6)), message)
    for document in trace.documents:
        call_id = document["call_id"] or ""
        for challenge in document["challenges"]:
            asked = at.get((call_id, challenge["at"]))
            if asked is not None and challenge["seen"]:
                asked.challenges.append(challenge)
            for answer in challenge["answers"]:
                told = at.get((call_id, answer["at"]))
                if told is not None:
                    told.answers.append(answer)


def address(hop: Hop) -> str:
    """Address and port as people write them."""
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return f"{host}:{hop.port}"
