"""The patent's new authentication mode (claims 1 to 8), both sides.

RAND and AUTN stand in the challenge as they are, RES, AUTS or an error code in
the answer. There is neither user name nor nonce: a server knows the user by To
or From, and the challenge by Call-ID and user. RES travels in clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.challenge_list import read_challenges
from sipua.auth.hexadecimal import (
    AUTH_REJECT,
    AUTS,
    MAX_CAUSE,
    RES,
    bad_vector,
    check_res,
    read_octets,
    told,
    understood,
)
from sipua.auth.scheme import CREDENTIALS_HEADERS, AkaChallenge, Answer, Credentials, Vectors
from sipua.errors import ChallengeError, CredentialsError, ParseError, PeerError
from sipua.sip.grammar import parse_number

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from sipua.sip.headers import Challenge

NAME = "umts"
AUTH_SCHEME = "umts"
PREFERENCE: tuple[str, ...] = ("",)
DEFAULT_ALGORITHM = ""

_SET_3 = "UMTS RAND=9f7c8d021accf4db213ccff0c7f71a6a AUTN=ae4a3a9b4c97725c9cabc3e99baf7281"
_SET_6 = "UMTS RAND=ee6466bc96202c5a557abbeff8babf63 AUTN=04fb6eb891ed4464078adfb488241a57"
VECTORS: Vectors = (
    (3, "", RES, _SET_3, "UMTS RES=8011c48c0c214ed2"),
    (3, "", AUTS, _SET_3, "UMTS AUTS=43aeaaddd33a9f8be774d095d08b"),
    (3, "", AUTH_REJECT, _SET_3, "UMTS AUTH-REJECT=20"),
    (6, "", RES, _SET_6, "UMTS RES=16c8233f05a0ac28"),
    (6, "", AUTS, _SET_6, "UMTS AUTS=5e1855093092c6b5a5bee94751e0"),
    (6, "", AUTH_REJECT, _SET_6, "UMTS AUTH-REJECT=20"),
)


# User agent ---------------------------------------------------------------------------


def recognises(challenge: Challenge) -> bool:
    """Whether the word at its beginning is UMTS."""
    return challenge.scheme.lower() == AUTH_SCHEME


def read(challenge: Challenge, header: str = "WWW-Authenticate") -> AkaChallenge:
    """RAND and AUTN, 32 digits each; raises ChallengeError naming the one that is wrong."""
    rand, autn = _octets(challenge, "RAND"), _octets(challenge, "AUTN")
    return make_challenge("", rand, autn, header=header)


def _octets(challenge: Challenge, name: str) -> bytes:
    text = challenge.get(name)
    if text is None:
        raise ChallengeError(f"the UMTS challenge has no {name}")
    try:
        return read_octets(text, 32, 32)
    except PeerError as error:
        raise bad_vector(f"{name} of the UMTS challenge", error) from error


def write_credentials(answer: Answer, method: str, uri: str, body: bytes = b"") -> tuple[str, str]:
    """Name and value of the header that carries RES, AUTS or the error code."""
    kind, octets = told(answer.outcome)
    value = str(octets[0]) if kind == AUTH_REJECT else octets.hex()
    return CREDENTIALS_HEADERS[answer.challenge.header], f"UMTS {kind}={value}"


def check_authentication_info(value: str, answer: Answer, uri: str, body: bytes = b"") -> None:
    """Nothing is proved this way: it was AUTN that proved the network."""


# Server -------------------------------------------------------------------------------


def make_challenge(
    realm: str,
    rand: bytes,
    autn: bytes,
    algorithm: str = "",
    *,
    qop_options: tuple[str, ...] = (),
    header: str = "WWW-Authenticate",
) -> AkaChallenge:
    """A challenge of ours; there is no place for a realm, an algorithm or a qop."""
    return AkaChallenge(NAME, "", rand, autn, nonce=rand.hex() + autn.hex(), header=header)


def write_challenge(challenge: AkaChallenge) -> str:
    """Value of WWW-Authenticate or Proxy-Authenticate."""
    return f"UMTS RAND={challenge.rand.hex()} AUTN={challenge.autn.hex()}"


def read_credentials(value: str) -> Credentials:
    """RES, AUTS or an error code; raises CredentialsError for none, or more than one."""
    try:
        credentials = read_challenges(value)[0]
    except ParseError as error:
        raise CredentialsError(f"the credentials cannot be read: {error}") from error
    if credentials.scheme.lower() != AUTH_SCHEME:
        raise CredentialsError("the credentials are not of scheme UMTS")
    kinds = [kind for kind in (RES, AUTS, AUTH_REJECT) if kind in credentials]
    if len(kinds) != 1:
        raise CredentialsError("exactly one of RES, AUTS and AUTH-REJECT is due")
    text = credentials.get(kinds[0]) or ""
    if kinds[0] == AUTH_REJECT:
        try:
            text = f"{parse_number(text, MAX_CAUSE, 'AUTH-REJECT'):02x}"
        except ParseError as error:
            raise CredentialsError(str(error)) from error
    response, auts, cause = understood(kinds[0], text)
    return Credentials("", "", "", "", response, auts=auts, cause=cause)


def waiting_key(said: AkaChallenge | Credentials, call_id: str) -> str:
    """The Call-ID; a new challenge in a call takes the place of the one before."""
    return call_id


def verify(
    credentials: Credentials,
    challenge: AkaChallenge,
    expected: AkaResponse,
    *,
    username: str,
    method: str,
    uri: str,
    body: bytes = b"",
    nc: int = 1,
) -> None:
    """Compare RES. Raises CredentialsError: 403 for a wrong one, 401 for a second use."""
    if nc != 1:
        raise CredentialsError("a challenge serves one request", 401)
    check_res(credentials, expected)


def write_authentication_info(
    credentials: Credentials, challenge: AkaChallenge, expected: AkaResponse, body: bytes = b""
) -> str:
    """Nothing: AUTN has proved the network."""
    return ""
