"""What each step of an exchange carried and what it proved, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, SynchronisationFailure
from sipua.auth.selection import offered
from sipua.trace.step import CARD, REGISTRAR, UE, Step

if TYPE_CHECKING:
    from sipua.auth.scheme import AkaChallenge, Outcome
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

CHALLENGES = (401, 407)
RES_PROVES = "AUTN's MAC is right and its SQN fresh: the network holds this card's key"
AUTS_PROVES = "AUTN's MAC is right, its SQN is not fresh: the network holds the key, but is behind"
MAC_PROVES = "AUTN's MAC is wrong: the network does not hold this card's key"


class Narrator:
    """Makes a step of each event and tells it to ``tell``.

    ``hop`` is the network node that a message goes to or comes from, where it is known.
    """

    def __init__(self, tell: Callable[[Step], None], *, answers: bool = True) -> None:
        """Without ``answers`` for those who see the network's answers in another way."""
        self._tell = tell
        self._answers = answers

    def request_sent(self, request: Request, hop: Hop | None = None) -> None:
        """The user agent's request, by what its credentials are."""
        self._tell(Step(UE, node(hop), request.method, credentials_note(request)))

    def response_received(self, response: Response, hop: Hop | None = None) -> None:
        """The network's answer."""
        if self._answers:
            label = f"{response.status} {response.reason}"
            self._tell(Step(node(hop), UE, label, response_note(response)))

    def no_answer(self, reason: str, hop: Hop | None = None) -> None:
        """The network could not be reached or kept silent."""
        self._tell(Step(node(hop), UE, "no answer", reason))

    def card_asked(self, application: str, rounds: int) -> None:
        """RAND and AUTN on their way to the card."""
        again = " again" if rounds > 1 else ""
        note = f"RAND and AUTN go to the {application.upper()}{again}"
        self._tell(Step(UE, CARD, "AUTHENTICATE", note))

    def card_answered(self, outcome: Outcome) -> None:
        """What the card made of them."""
        if isinstance(outcome, AkaResponse):
            self._tell(Step(CARD, UE, "RES, CK, IK", "", RES_PROVES))
        elif isinstance(outcome, SynchronisationFailure):
            self._tell(Step(CARD, UE, "AUTS", "the SQN that the card has reached", AUTS_PROVES))
        else:
            self._tell(Step(CARD, UE, "MAC failure", "", MAC_PROVES))

    def card_failed(self, reason: str) -> None:
        """The card gave no answer to AUTHENTICATE."""
        self._tell(Step(CARD, UE, "no answer", reason))

    def waiting(self, seconds: float, why: str) -> None:
        """The registrar asked for patience."""
        self._tell(Step(UE, UE, "", f"waits {seconds:.0f} s: {why}"))


def node(hop: Hop | None) -> str:
    """The lane of a network node: its address and port."""
    if hop is None:
        return REGISTRAR
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return f"{host}:{hop.port}"


def credentials_note(request: Request) -> str:
    """What the credentials of a request carry."""
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
    if "UMTS" not in credentials and "signature" not in credentials:
        return ""  # none of those modes
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


def response_note(response: Response) -> str:
    """What an answer carries and means."""
    if response.status not in CHALLENGES:
        return answer_note(response.status)
    carried = [
        f"{_scheme(offer.challenge)}: RAND, AUTN"
        if offer.challenge is not None
        else f"{offer.what}: nothing for the card"
        for offer in offered(response)
    ]
    return f"a challenge: {'; '.join(carried)}" if carried else "a challenge that asks nothing"


def _scheme(challenge: AkaChallenge) -> str:
    return f"Digest {challenge.algorithm}" if challenge.scheme == "aka" else challenge.scheme


def answer_note(status: int) -> str:
    """What an answer means, by its status alone."""
    if status in CHALLENGES:
        return "a challenge: prove who you are"
    if status < 200:
        return "it rings" if status == 180 else "on its way"
    return "accepted" if status < 300 else "refused"
