"""The patent's re-use of Digest, both sides.

The algorithm token UMTS-AKA tells that the nonce is RAND and AUTN in
hexadecimal; when the nonce is too short for them, the rest stands at the front
of opaque. The first character of the response tells what follows. No digest is
computed: RES travels in clear.
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

NAME = "digest-umts"
AUTH_SCHEME = "digest"
ALGORITHM = "UMTS-AKA"
PREFERENCE: tuple[str, ...] = (ALGORITHM,)
DEFAULT_ALGORITHM = ALGORITHM

LETTERS = {RES: "R", AUTS: "S", AUTH_REJECT: "E"}
_KINDS = {letter: kind for kind, letter in LETTERS.items()}

_ASKED = 'Digest realm="ims.example", algorithm=UMTS-AKA, nonce="'
_TOLD = (
    'Digest username="user@ims.example", realm="ims.example", uri="sip:ims.example", nonce="%s", '
    'algorithm=UMTS-AKA, response="%s"'
)
_SET_3 = "9f7c8d021accf4db213ccff0c7f71a6aae4a3a9b4c97725c9cabc3e99baf7281"
_SET_6 = "ee6466bc96202c5a557abbeff8babf63", "04fb6eb891ed4464078adfb488241a57"
_SPLIT = f'{_ASKED}{_SET_6[0]}", opaque="{_SET_6[1]}4f2e"'  # with four digits of the server's own
_SPLIT_TOLD = f'{_TOLD}, opaque="{_SET_6[1]}4f2e"'
VECTORS: Vectors = (
    (3, ALGORITHM, RES, f'{_ASKED}{_SET_3}"', _TOLD % (_SET_3, "R8011c48c0c214ed2")),
    (3, ALGORITHM, AUTS, f'{_ASKED}{_SET_3}"', _TOLD % (_SET_3, "S43aeaaddd33a9f8be774d095d08b")),
    (3, ALGORITHM, AUTH_REJECT, f'{_ASKED}{_SET_3}"', _TOLD % (_SET_3, "E14")),
    (6, ALGORITHM, RES, _SPLIT, _SPLIT_TOLD % (_SET_6[0], "R16c8233f05a0ac28")),
    (6, ALGORITHM, AUTS, _SPLIT, _SPLIT_TOLD % (_SET_6[0], "S5e1855093092c6b5a5bee94751e0")),
    (6, ALGORITHM, AUTH_REJECT, _SPLIT, _SPLIT_TOLD % (_SET_6[0], "E14")),
)


# User agent ---------------------------------------------------------------------------


def recognises(challenge: Challenge) -> bool:
    """Whether it is a Digest challenge whose algorithm is UMTS-AKA."""
    algorithm = challenge.get("algorithm") or ""
    return challenge.scheme.lower() == AUTH_SCHEME and algorithm.upper() == ALGORITHM


def read(challenge: Challenge, header: str = "WWW-Authenticate") -> AkaChallenge:
    """RAND and AUTN out of nonce and opaque; raises ChallengeError naming what is wrong."""
    realm, nonce = challenge.get("realm"), challenge.get("nonce")
    if realm is None or nonce is None:
        missing = "realm" if realm is None else "nonce"
        raise ChallengeError(f"the {ALGORITHM} challenge has no {missing}")
    opaque = challenge.get("opaque")
    try:
        rand, autn = read_vector(nonce + (opaque or ""))
    except PeerError as error:
        where = "nonce" if opaque is None else "nonce and opaque"
        raise bad_vector(f"{where} of the {ALGORITHM} challenge", error) from error
    return AkaChallenge(
        NAME,
        ALGORITHM,
        rand,
        autn,
        realm,
        nonce,
        opaque,
        stale=(challenge.get("stale") or "").lower() == "true",
        header=header,
    )


def write_credentials(answer: Answer, method: str, uri: str, body: bytes = b"") -> tuple[str, str]:
    """Name and value of the header that carries RES, AUTS or the error code.

    ``uri`` is the Request-URI, character by character; nonce and opaque go back
    as they came.
    """
    challenge = answer.challenge
    kind, octets = told(answer.outcome)
    value = (
        f"Digest username={quote(answer.username)}, realm={quote(challenge.realm)}, "
        f'uri="{uri}", nonce={quote(challenge.nonce)}, algorithm={ALGORITHM}, '
        f'response="{LETTERS[kind]}{octets.hex()}"'
    )
    if challenge.opaque is not None:
        value += f", opaque={quote(challenge.opaque)}"
    return CREDENTIALS_HEADERS[challenge.header], value


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
    nonce_digits: int = VECTOR_DIGITS,
    opaque: str | None = None,
) -> AkaChallenge:
    """A challenge of ours, of the one algorithm there is and without a qop.

    With fewer ``nonce_digits`` than 64 the rest of RAND and AUTN stands before
    ``opaque``.
    """
    text = rand.hex() + autn.hex()
    nonce, rest = text[:nonce_digits], text[nonce_digits:]
    if rest:
        opaque = rest + (opaque or "")
    return AkaChallenge(NAME, ALGORITHM, rand, autn, realm, nonce, opaque, header=header)


def write_challenge(challenge: AkaChallenge) -> str:
    """Value of WWW-Authenticate or Proxy-Authenticate."""
    value = f'Digest realm={quote(challenge.realm)}, algorithm={ALGORITHM}, nonce="'
    value += f'{challenge.nonce}"'
    if challenge.opaque is not None:
        value += f", opaque={quote(challenge.opaque)}"
    return f"{value}, stale=true" if challenge.stale else value


def read_credentials(value: str) -> Credentials:
    """Credentials of any Digest form; raises CredentialsError naming the parameter.

    Those of a first REGISTER, whose response is empty, are read too.
    """
    try:
        credentials = read_challenges(value)[0]
    except ParseError as error:
        raise CredentialsError(f"the credentials cannot be read: {error}") from error
    if credentials.scheme.lower() != AUTH_SCHEME:
        raise CredentialsError("the credentials are not of scheme Digest")
    params = credentials.params
    for name in ("username", "realm", "uri", "nonce", "response"):
        if name not in params:
            raise CredentialsError(f"the credentials have no {name}")
    algorithm = params.get("algorithm", "")
    response, auts, cause = "", b"", 0
    if params["response"] and algorithm.upper() in ("", ALGORITHM):
        kind = _KINDS.get(params["response"][0].upper())
        if kind is None:
            raise CredentialsError("the response begins with none of R, S and E")
        response, auts, cause = understood(kind, params["response"][1:])
    return Credentials(
        params["username"],
        params["realm"],
        params["nonce"],
        params["uri"],
        response,
        algorithm,
        opaque=params.get("opaque"),
        auts=auts,
        cause=cause,
    )


def waiting_key(said: AkaChallenge | Credentials, call_id: str) -> str:
    """RAND and AUTN in lower case, wherever they stand."""
    return (said.nonce + (said.opaque or ""))[:VECTOR_DIGITS].lower()


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
    """Compare RES, and what names user and request.

    Raises CredentialsError: 401 for another nonce or a second use, 403 for a
    wrong RES, name or realm, 400 for what does not fit the request.
    """
    if nc != 1 or waiting_key(credentials, "") != waiting_key(challenge, ""):
        raise CredentialsError("the nonce is not the one that was sent, or was used", 401)
    if credentials.username != username or credentials.realm != challenge.realm:
        raise CredentialsError("the username or realm is another one", 403)
    if credentials.algorithm.upper() not in ("", ALGORITHM):
        raise CredentialsError(f"the algorithm offered was {ALGORITHM}", 400)
    if credentials.uri != uri:
        raise CredentialsError("the uri of the credentials is not the Request-URI", 400)
    check_res(credentials, expected)


def write_authentication_info(
    credentials: Credentials, challenge: AkaChallenge, expected: AkaResponse, body: bytes = b""
) -> str:
    """Nothing: AUTN has proved the network."""
    return ""
