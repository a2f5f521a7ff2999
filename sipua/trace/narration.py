"""What each step of a registration carried and what it proved, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.trace.ladder import CARD, REGISTRAR, UE, Step

if TYPE_CHECKING:
    from sipua.sip.message import Request, Response


def request_sent(request: Request) -> Step:
    """The user agent's request, by what its credentials are."""
    return Step(UE, REGISTRAR, request.method, _credentials_note(request))


def _credentials_note(request: Request) -> str:
    credentials = request.headers.get("Authorization") or request.headers.get("Proxy-Authorization")
    if not credentials:
        return "carries no credentials"
    if "auts=" in credentials:
        return "AUTS: tells the network which sequence number the card has reached"
    if 'nonce=""' in credentials:
        return "names the subscriber, proves nothing yet"
    if 'response=""' in credentials:
        return "empty response: tells the network that the card refused its AUTN"
    return "a digest over RES: proves that the key is here, without showing RES"


def response_received(response: Response) -> Step:
    """The registrar's answer."""
    return Step(REGISTRAR, UE, f"{response.status} {response.reason}", _answer_note(response))


def _answer_note(response: Response) -> str:
    if response.status in (401, 407):
        return "a challenge: prove who you are"
    return "accepted" if response.status < 300 else "refused"


def card_asked(application: str, rounds: int) -> Step:
    """RAND and AUTN on their way to the card."""
    again = " again" if rounds > 1 else ""
    return Step(UE, CARD, "AUTHENTICATE", f"RAND and AUTN go to the {application.upper()}{again}")


def card_answered(outcome: AkaResponse | SynchronisationFailure | MacFailure) -> Step:
    """What the card made of them."""
    if isinstance(outcome, AkaResponse):
        return Step(
            CARD,
            UE,
            "RES, CK, IK",
            "AUTN was right and fresh: the network holds this card's key",
        )
    if isinstance(outcome, SynchronisationFailure):
        return Step(
            CARD, UE, "AUTS", "the network holds the key, but its sequence number is not fresh"
        )
    return Step(CARD, UE, "MAC failure", "the network does not hold this card's key")


def card_failed(reason: str) -> Step:
    """The card gave no answer to AUTHENTICATE."""
    return Step(CARD, UE, "failed", reason)


def no_answer(reason: str) -> Step:
    """The registrar could not be reached or kept silent."""
    return Step(REGISTRAR, UE, "no answer", reason)


def waiting(seconds: float, why: str) -> Step:
    """The registrar asked for patience."""
    return Step(UE, UE, "", f"waits {seconds:.0f} s: {why}")
