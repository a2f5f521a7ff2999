"""What each step of a registration carried and what it proved, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, SynchronisationFailure
from sipua.trace.step import CARD, REGISTRAR, UE, Step

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.sip.message import Request, Response


class Narrator:
    """Makes a step of each event and tells it to ``tell``."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell = tell

    def request_sent(self, request: Request) -> None:
        """The user agent's request, by what its credentials are."""
        self._tell(Step(UE, REGISTRAR, request.method, _credentials_note(request)))

    def response_received(self, response: Response) -> None:
        """The registrar's answer."""
        label = f"{response.status} {response.reason}"
        self._tell(Step(REGISTRAR, UE, label, answer_note(response.status)))

    def no_answer(self, reason: str) -> None:
        """The registrar could not be reached or kept silent."""
        self._tell(Step(REGISTRAR, UE, "no answer", reason))

    def card_asked(self, application: str, rounds: int) -> None:
        """RAND and AUTN on their way to the card."""
        again = " again" if rounds > 1 else ""
        note = f"RAND and AUTN go to the {application.upper()}{again}"
        self._tell(Step(UE, CARD, "AUTHENTICATE", note))

    def card_answered(self, outcome: Outcome) -> None:
        """What the card made of them."""
        if isinstance(outcome, AkaResponse):
            label = "RES, CK, IK"
            note = "AUTN was right and fresh: the network holds this card's key"
        elif isinstance(outcome, SynchronisationFailure):
            label = "AUTS"
            note = "the network holds the key, but its sequence number is not fresh"
        else:
            label, note = "MAC failure", "the network does not hold this card's key"
        self._tell(Step(CARD, UE, label, note))

    def card_failed(self, reason: str) -> None:
        """The card gave no answer to AUTHENTICATE."""
        self._tell(Step(CARD, UE, "no answer", reason))

    def waiting(self, seconds: float, why: str) -> None:
        """The registrar asked for patience."""
        self._tell(Step(UE, UE, "", f"waits {seconds:.0f} s: {why}"))


def _credentials_note(request: Request) -> str:
    headers = request.headers
    credentials = headers.get("Authorization") or headers.get("Proxy-Authorization")
    if not credentials:
        return "carries no credentials"
    kind = _kind_in_clear(credentials)
    if "auts=" in credentials or kind == "S":
        return "AUTS: tells the network which sequence number the card has reached"
    if 'nonce=""' in credentials:
        return "names the subscriber, proves nothing yet"
    if 'response=""' in credentials or kind == "E":
        return "tells the network that the card refused its AUTN"
    if kind == "R":
        return "RES, in clear: proves that the key is here, to everybody on the way"
    return "a digest over RES: proves that the key is here, without showing RES"


def _kind_in_clear(credentials: str) -> str:
    """R, S or E for RES, AUTS or an error code in one of the patent's modes."""
    for kind, marks in _IN_CLEAR.items():
        if any(mark in credentials for mark in marks):
            return kind
    return ""


_IN_CLEAR = {
    "R": ("UMTS RES=", 'UMTS-AKA, response="R', 'signature="01'),
    "S": ("UMTS AUTS=", 'UMTS-AKA, response="S', 'signature="02'),
    "E": ("UMTS AUTH-REJECT=", 'UMTS-AKA, response="E', 'signature="03'),
}
"""What our own credentials look like."""


def answer_note(status: int) -> str:
    """What an answer means."""
    if status in (401, 407):
        return "a challenge: prove who you are"
    if status < 200:
        return "it rings" if status == 180 else "on its way"
    return "accepted" if status < 300 else "refused"
