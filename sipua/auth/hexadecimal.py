"""AKA's values as hexadecimal text, as all three modes of the patent carry them.

RES, AUTS or an error code is told; which of them it is, each mode says in its
own way. Lower case is written, either case is read.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, SynchronisationFailure
from sipua.errors import ChallengeError, CredentialsError, PeerError
from sipua.sip.grammar import HEX_DIGITS, made_of

if TYPE_CHECKING:
    from sipua.auth.scheme import Credentials, Outcome

RES, AUTS, AUTH_REJECT = "RES", "AUTS", "AUTH-REJECT"

MAC_FAILURE = 20
"""The error code that is sent. Others are read: 21 synch failure, 26 non-EPS
authentication unacceptable (TS 24.008 §10.5.3.6, TS 24.301 §9.9.3.9)."""

MAX_CAUSE = 255

VECTOR_DIGITS = 64
_RES_DIGITS = (8, 32)
_AUTS_DIGITS = (28, 28)
_CAUSE_DIGITS = (2, 2)


def read_octets(text: str, least: int, most: int) -> bytes:
    """The octets of ``least`` to ``most`` hexadecimal digits; raises PeerError."""
    if not made_of(text, HEX_DIGITS):
        raise PeerError("it is not hexadecimal")
    if not least <= len(text) <= most or len(text) % 2:
        wanted = f"{least}" if least == most else f"{least} to {most}, in pairs,"
        raise PeerError(f"it has {len(text)} digits where {wanted} are due")
    return bytes.fromhex(text)


def read_vector(text: str) -> tuple[bytes, bytes]:
    """RAND and AUTN out of their 64 digits, whatever follows those; raises PeerError."""
    octets = read_octets(text[:VECTOR_DIGITS], VECTOR_DIGITS, VECTOR_DIGITS)
    return octets[:16], octets[16:]


def told(outcome: Outcome) -> tuple[str, bytes]:
    """What is told of the card's answer: its kind, and its octets."""
    if isinstance(outcome, AkaResponse):
        return RES, outcome.res
    if isinstance(outcome, SynchronisationFailure):
        return AUTS, outcome.auts
    return AUTH_REJECT, bytes([MAC_FAILURE])


def understood(kind: str, text: str) -> tuple[str, bytes, int]:
    """RES in lower-case hexadecimal, AUTS and the error code, one of which is not empty.

    Raises CredentialsError.
    """
    try:
        if kind == RES:
            return read_octets(text, *_RES_DIGITS).hex(), b"", 0
        if kind == AUTS:
            return "", read_octets(text, *_AUTS_DIGITS), 0
        cause = read_octets(text, *_CAUSE_DIGITS)[0]
    except PeerError as error:
        raise CredentialsError(f"the {kind} of the credentials: {error}") from error
    if not cause:
        raise CredentialsError("error code 0 tells nothing")
    return "", b"", cause


def bad_vector(what: str, error: PeerError) -> ChallengeError:
    """That RAND and AUTN cannot be had from ``what``."""
    return ChallengeError(f"the {what}: {error}")


def check_res(credentials: Credentials, expected: AkaResponse) -> None:
    """Raise CredentialsError (403) unless it is the RES expected, or an AUTS.

    How long it takes does not tell where they part.
    """
    received = credentials.response.encode("utf-8", "surrogateescape")
    if not credentials.auts and not hmac.compare_digest(received, expected.res.hex().encode()):
        raise CredentialsError("RES is not the one expected", 403)
