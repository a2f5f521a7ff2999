"""The patent's re-use of PGP (RFC 2543 §15.1), both sides.

The algorithm token UMTS-AKA tells that the nonce is RAND and AUTN in
hexadecimal; the first octet of the signature tells what follows. Nothing is
signed, and no PGP is needed: RES travels in clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.challenge_list import read_challenges
from sipua.auth.hexadecimal import (
    AUTH_REJECT,
    AUTS,
    RES,
    VECTOR_DIGITS,
    bad_vector,
    check_res,
    read_vector,
    told,
    understood,
)
from sipua.auth.scheme import CREDENTIALS_HEADERS, AkaChallenge, Answer, Credentials, Vectors
from sipua.errors import ChallengeError, CredentialsError, ParseError, PeerError
from sipua.sip.grammar import quote

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from sipua.sip.headers import Challenge

NAME = "pgp-umts"
AUTH_SCHEME = "pgp"
ALGORITHM = "UMTS-AKA"
PREFERENCE: tuple[str, ...] = (ALGORITHM,)
DEFAULT_ALGORITHM = ALGORITHM

TYPES = {RES: "01", AUTS: "02", AUTH_REJECT: "03"}
_KINDS = {number: kind for kind, number in TYPES.items()}

VERSION = "5.0"
"""RFC 2543 §15.1.1 has it as the default. As no PGP is used, another one is let through."""

_ASKED = 'pgp ;version="5.0" ;realm="ims.example" ;algorithm=UMTS-AKA ;nonce="%s"'
_TOLD = 'pgp ;version="5.0" ;realm="ims.example" ;nonce="%s" ;signature="%s"'
_SET_3 = "9f7c8d021accf4db213ccff0c7f71a6aae4a3a9b4c97725c9cabc3e99baf7281"
_SET_6 = "ee6466bc96202c5a557abbeff8babf6304fb6eb891ed4464078adfb488241a57"
VECTORS: Vectors = (
    (3, ALGORITHM, RES, _ASKED % _SET_3, _TOLD % (_SET_3, "018011c48c0c214ed2")),
    (3, ALGORITHM, AUTS, _ASKED % _SET_3, _TOLD % (_SET_3, "0243aeaaddd33a9f8be774d095d08b")),
    (3, ALGORITHM, AUTH_REJECT, _ASKED % _SET_3, _TOLD % (_SET_3, "0314")),
    (6, ALGORITHM, RES, _ASKED % _SET_6, _TOLD % (_SET_6, "0116c8233f05a0ac28")),
    (6, ALGORITHM, AUTS, _ASKED % _SET_6, _TOLD % (_SET_6, "025e1855093092c6b5a5bee94751e0")),
    (6, ALGORITHM, AUTH_REJECT, _ASKED % _SET_6, _TOLD % (_SET_6, "0314")),
)


# User agent ---------------------------------------------------------------------------


def recognises(challenge: Challenge) -> bool:
    """Whether it is a PGP challenge whose algorithm is UMTS-AKA."""
    algorithm = challenge.get("algorithm") or ""
    return challenge.scheme.lower() == AUTH_SCHEME and algorithm.upper() == ALGORITHM


def read(challenge: Challenge, header: str = "WWW-Authenticate") -> AkaChallenge:
    """RAND and AUTN out of the nonce; raises ChallengeError naming what is wrong."""
    realm, nonce = challenge.get("realm"), challenge.get("nonce")
    if realm is None or nonce is None:
        missing = "realm" if realm is None else "nonce"
        raise ChallengeError(f"the PGP challenge has no {missing}")
    try:
        rand, autn = read_vector(nonce)
    except PeerError as error:
        raise bad_vector("nonce of the PGP challenge", error) from error
    return AkaChallenge(NAME, ALGORITHM, rand, autn, realm, nonce, header=header)


def write_credentials(answer: Answer, method: str, uri: str, body: bytes = b"") -> tuple[str, str]:
    """Name and value of the header that carries RES, AUTS or the error code."""
    challenge = answer.challenge
    kind, octets = told(answer.outcome)
    return CREDENTIALS_HEADERS[challenge.header], (
        f'pgp ;version="{VERSION}" ;realm={quote(challenge.realm)} '
        f';nonce={quote(challenge.nonce)} ;signature="{TYPES[kind]}{octets.hex()}"'
    )


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
    """A challenge of ours, of the one algorithm there is and without a qop."""
    nonce = rand.hex() + autn.hex()
    return AkaChallenge(NAME, ALGORITHM, rand, autn, realm, nonce, header=header)


def write_challenge(challenge: AkaChallenge) -> str:
    """Value of WWW-Authenticate or Proxy-Authenticate."""
    return (
        f'pgp ;version="{VERSION}" ;realm={quote(challenge.realm)} ;algorithm={ALGORITHM} '
        f';nonce="{challenge.nonce}"'
    )


def read_credentials(value: str) -> Credentials:
    """RES, AUTS or an error code; raises CredentialsError naming the parameter."""
    try:
        credentials = read_challenges(value)[0]
    except ParseError as error:
        raise CredentialsError(f"the credentials cannot be read: {error}") from error
    if credentials.scheme.lower() != AUTH_SCHEME:
        raise CredentialsError("the credentials are not of scheme pgp")
    params = credentials.params
    for name in ("realm", "nonce", "signature"):
        if name not in params:
            raise CredentialsError(f"the credentials have no {name}")
    signature = params["signature"]
    kind = _KINDS.get(signature[:2])
    if kind is None:
        raise CredentialsError("the signature begins with none of 01, 02 and 03")
    response, auts, cause = understood(kind, signature[2:])
    return Credentials(
        "", params["realm"], params["nonce"], "", response, ALGORITHM, auts=auts, cause=cause
    )


def waiting_key(said: AkaChallenge | Credentials, call_id: str) -> str:
    """RAND and AUTN in lower case."""
    return said.nonce[:VECTOR_DIGITS].lower()


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
    """Compare RES; the credentials name neither user nor request.

    Raises CredentialsError: 401 for another nonce or a second use, 403 for a
    wrong RES or realm.
    """
    if nc != 1 or waiting_key(credentials, "") != waiting_key(challenge, ""):
        raise CredentialsError("the nonce is not the one that was sent, or was used", 401)
    if credentials.realm != challenge.realm:
        raise CredentialsError("the realm is another one", 403)
    check_res(credentials, expected)


def write_authentication_info(
    credentials: Credentials, challenge: AkaChallenge, expected: AkaResponse, body: bytes = b""
) -> str:
    """Nothing: AUTN has proved the network."""
    return ""
