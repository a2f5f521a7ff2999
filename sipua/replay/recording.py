"""A capture as something to be played again: dialogs of one user agent, and what its card said."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from card.apdu import AUTHENTICATE, GET_RESPONSE
from card.authenticate import INCORRECT_MAC, read_answer
from card.errors import CardError
from sipua.capture.captured import CapturedApdu, CapturedMessage, CaptureRemark
from sipua.capture.reader import contents
from sipua.errors import ParseError
from sipua.sip.headers import NameAddr
from sipua.sip.message import Request, Response, parse
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from typing import BinaryIO

    from sipua.auth.scheme import Outcome
    from sipua.sip.hop import Hop

MAX_DIALOGS = 1000
MAX_MESSAGES = 500
"""Dialogs of a recording, and messages of a dialog, that are played; what follows is not."""

VECTOR = slice(5, 39)  # L RAND, RAND, L AUTN, AUTN in an AUTHENTICATE


class Recorded(NamedTuple):
    """One message at a time in seconds since 1970; ``sent`` by the user agent or to it."""

    at: float
    sent: bool
    message: Request | Response
    source: Hop
    destination: Hop


class CardSaid(NamedTuple):
    """The card's answer to RAND and AUTN. RES is empty octets where the trace hides it."""

    at: float
    rand: bytes
    autn: bytes
    outcome: Outcome


class RecordedDialog:
    """All messages with one Call-ID. ``opening`` is the first request, ``incoming`` whether it
    came to the user agent."""

    def __init__(
        self, call_id: str, opening: Request, ue: Hop, peer: Hop, *, incoming: bool = False
    ) -> None:
        self.call_id = call_id
        self.opening = opening
        self.ue = ue
        self.peer = peer
        self.incoming = incoming
        self.messages: list[Recorded] = []
        self.left_out = 0  # messages beyond the limit

    @property
    def began(self) -> float:
        """Time of the first message."""
        return self.messages[0].at

    @property
    def ended(self) -> float:
        """Time of the last message."""
        return self.messages[-1].at

    @property
    def sent(self) -> list[Request | Response]:
        """What the user agent sent."""
        return [each.message for each in self.messages if each.sent]

    def take(self, captured: CapturedMessage, message: Request | Response) -> None:
        """One message more."""
        sent = _end(captured.source) == _end(self.ue) or (
            captured.source.address == self.ue.address
            and captured.destination.address != self.ue.address
        )
        if len(self.messages) < MAX_MESSAGES:
            recorded = Recorded(captured.at, sent, message, captured.source, captured.destination)
            self.messages.append(recorded)
        else:
            self.left_out += 1


class Recording:
    """Dialogs in the order they began, the card's answers, and the verdicts a trace of ours
    holds, with their times and reasons. ``remarks`` tell what could not be read."""

    def __init__(self) -> None:
        self.dialogs: list[RecordedDialog] = []
        self.card: list[CardSaid] = []
        self.verdicts: list[tuple[float, Verdict, str]] = []
        self.remarks: list[str] = []


def read(source: BinaryIO) -> Recording:
    """Read a capture. Raises CaptureError."""
    recording = Recording()
    sorting = _Sorting()
    card = _Card()
    unreadable = 0
    for each in contents(source):
        if isinstance(each, CapturedApdu):
            said = card.take(each)
            if said is not None:
                recording.card.append(said)
        elif isinstance(each, CaptureRemark):
            verdict = _verdict(each)
            if verdict is None:
                recording.remarks.append(each.text)
            else:
                recording.verdicts.append(verdict)
        else:
            try:
                message = parse(each.data)
            except ParseError:
                unreadable += 1
                continue
            sorting.take(each, message)
    recording.dialogs = list(sorting.dialogs.values())
    for count, why in (
        (unreadable, "malformed, and left out"),
        (sorting.unasked, "an answer to something that was not captured, and left out"),
        (sorting.too_many, f"of a dialog beyond the first {MAX_DIALOGS}, and left out"),
    ):
        if count:
            are = "SIP message is" if count == 1 else "SIP messages are each"
            recording.remarks.append(f"{count} {are} {why}")
    return recording


class _Sorting:
    """Puts messages to their dialogs; a dialog begins with a request. ``unasked`` counts responses
    without one, ``too_many`` messages of dialogs that are too many."""

    def __init__(self) -> None:
        self.dialogs: dict[str, RecordedDialog] = {}
        self.unasked = 0
        self.too_many = 0
        self._user_agents: set[tuple[str, int]] = set()

    def take(self, captured: CapturedMessage, message: Request | Response) -> None:
        call_id = message.headers.get("Call-ID") or ""
        dialog = self.dialogs.get(call_id)
        if dialog is None:
            if len(self.dialogs) >= MAX_DIALOGS:
                self.too_many += 1
                return
            if not isinstance(message, Request):
                self.unasked += 1
                return
            dialog = self.dialogs[call_id] = self._begin(call_id, message, captured)
        dialog.take(captured, message)

    def _begin(self, call_id: str, opening: Request, captured: CapturedMessage) -> RecordedDialog:
        """Who registers is a user agent; a request to where it is reached comes in."""
        source, destination = captured.source, captured.destination
        if opening.method == "REGISTER":
            self._user_agents.add(_end(source))
            with suppress(ParseError):
                contact = NameAddr.parse(opening.headers.get("Contact") or "").sip_uri()
                if contact.port:
                    self._user_agents.add((contact.host.strip("[]"), contact.port))
        elif _end(destination) in self._user_agents and _end(source) not in self._user_agents:
            return RecordedDialog(call_id, opening, destination, source, incoming=True)
        return RecordedDialog(call_id, opening, source, destination)


def _end(hop: Hop) -> tuple[str, int]:
    return hop.address, hop.port


def _verdict(remark: CaptureRemark) -> tuple[float, Verdict, str] | None:
    word, colon, reason = remark.text.partition("\n")[0].partition(": ")
    for verdict in Verdict:
        if colon and verdict.value == word:
            return remark.at, verdict, reason
    return None


class _Card:
    """Puts AUTHENTICATE and the GET RESPONSE after it together."""

    def __init__(self) -> None:
        self._vector = b""

    def take(self, apdu: CapturedApdu) -> CardSaid | None:
        command, answer = apdu.command, apdu.answer
        if len(command) < 5 or len(answer) < 2:
            return None
        if command[1] == AUTHENTICATE:
            self._vector = command[VECTOR]
        elif command[1] != GET_RESPONSE:
            self._vector = b""
        sw = answer[-2] << 8 | answer[-1]
        if len(self._vector) != 34 or sw >> 8 in (0x61, 0x6C, 0x9F):
            return None
        rand, autn = self._vector[1:17], self._vector[18:34]
        self._vector = b""
        outcome: Outcome
        if sw == INCORRECT_MAC:
            outcome = MacFailure()
        else:
            try:
                outcome = read_answer(answer[:-2])
            except SynchronisationFailure as failure:
                outcome = failure
            except CardError:
                if answer[:1] != b"\xdb":
                    return None
                outcome = UNKNOWN_RES  # hidden by whoever wrote the trace
        if isinstance(outcome, AkaResponse) and not any(outcome.res):
            outcome = UNKNOWN_RES
        return CardSaid(apdu.at, rand, autn, outcome)


UNKNOWN_RES = AkaResponse(b"", b"", b"")
