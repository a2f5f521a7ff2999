"""Digest AKA, both sides (RFC 3310, RFC 4169; TS 33.203 §6.1, TS 24.229 §5.1.1).

RAND and AUTN travel in the nonce; RES is never sent but hashed like a password.
One canonical form is written, on one line; quotes, order, case, unknown
parameters and both base64 alphabets are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, SynchronisationFailure
from sipua.auth.algorithm import ALGORITHMS, algorithm_of, is_known, password
from sipua.auth.digest import NC_LIMIT, count_text, digest
from sipua.auth.nonce import decode_auts, decode_nonce, encode_auts, encode_nonce
from sipua.auth.scheme import CREDENTIALS_HEADERS, AkaChallenge, Answer, Credentials, Vectors
from sipua.errors import ChallengeError, CredentialsError, ParseError, PeerError
from sipua.sip.headers import split_auth_params, split_challenges

if TYPE_CHECKING:
    from sipua.sip.headers import Challenge

NAME = "aka"
AUTH_SCHEME = "digest"
PREFERENCE = tuple(algorithm.token for algorithm in ALGORITHMS)
DEFAULT_ALGORITHM = "AKAv1-MD5"


def _example(
    number: int, token: str, kind: str, response: str = "", auts: str = ""
) -> tuple[int, str, str, str, str]:
    nonce = _NONCES[number]
    told = (
        f'Digest username="user@ims.example", realm="ims.example", nonce="{nonce}", '
        f'uri="sip:ims.example", response="{response}", algorithm={token}'
    )
    if auts:
        told += f', auts="{auts}"'
    if response:
        told += ', qop=auth, nc=00000001, cnonce="0a4f113b"'
    asked = f'Digest realm="ims.example", nonce="{nonce}", algorithm={token}, qop="auth"'
    return number, token, kind, asked, told


_NONCES = {
    3: "n3yNAhrM9NshPM/wx/caaq5KOptMl3JcnKvD6ZuvcoE=",
    6: "7mRmvJYgLFpVervv+Lq/YwT7briR7URkB4rftIgkGlc=",
}
_SHA_256_RES = "c27b2d93d2074e991a5509d517d9b642cde99522798d8e254e96cabf69d9c17b"
_SHA_256_AUTS = "2e04b8b5cbd1bfc850828d7ec782fddfa3ce4b5e5593b729a7b02c5284a9c474"
_SHA_256_SESS = "7486c62461a327db29a494e25d799d1f04523944512176e5765436c80f58d78a"
_SHA_512_256_SESS = "95784aca82bbcb799e44cd32ba21c0433a5e395ae6f210e0fd22b3a3f9af8c1f"
VECTORS: Vectors = (
    _example(3, "AKAv1-MD5", "RES", "9a117dea57eecfa76158b921fab39ad8"),
    _example(3, "AKAv1-MD5", "AUTS", "3c25122f3b6f1a09b77cdbab0da7199e", "Q66q3dM6n4vndNCV0Is="),
    _example(3, "AKAv1-MD5", "AUTH-REJECT"),
    _example(6, "AKAv2-MD5", "RES", "460b113ad635e22b92e6a00d74dc2e8a"),
    _example(6, "AKAv2-SHA-256", "RES", _SHA_256_RES),
    _example(6, "AKAv2-SHA-256", "AUTS", _SHA_256_AUTS, "XhhVCTCSxrWlvulHUeA="),
    _example(3, "AKAv1-SHA-256-sess", "RES", _SHA_256_SESS),
    _example(6, "AKAv2-SHA-512-256-sess", "RES", _SHA_512_256_SESS),
)


# User agent ---------------------------------------------------------------------------


def recognises(challenge: Challenge) -> bool:
    """Whether it is a Digest challenge with an AKA algorithm."""
    return challenge.scheme.lower() == "digest" and is_known(challenge.get("algorithm") or "")


def read(challenge: Challenge, header: str = "WWW-Authenticate") -> AkaChallenge:
    """RAND, AUTN and the rest of a challenge; raises ChallengeError naming the parameter."""
    params = challenge.params
    algorithm = algorithm_of(params.get("algorithm", ""))
    realm = params.get("realm")
    nonce = params.get("nonce")
    if realm is None or nonce is None:
        missing = "realm" if realm is None else "nonce"
        raise ChallengeError(f"the {algorithm.token} challenge has no {missing}")
    try:
        rand, autn = decode_nonce(nonce)
    except PeerError as error:
        raise ChallengeError(f"the nonce of the {algorithm.token} challenge: {error}") from error
    options = _qop_options(params.get("qop", ""))
    if options and not ("auth" in options or "auth-int" in options):
        raise ChallengeError(f"the server demands an unknown qop ({', '.join(options)})")
    return AkaChallenge(
        NAME,
        algorithm.token,
        rand,
        autn,
        realm,
        nonce,
        params.get("opaque"),
        options,
        params.get("stale", "").lower() == "true",
        header,
    )


def read_challenge(value: str, header: str = "WWW-Authenticate") -> AkaChallenge:
    """The first AKA challenge of a header value; raises ChallengeError when there is none."""
    for challenge in split_challenges(value):
        if recognises(challenge):
            return read(challenge, header)
    raise ChallengeError("the header holds no challenge of Digest AKA")


def initial_credentials(username: str, realm: str, uri: str, algorithm: str = "") -> str:
    """Authorization of a first REGISTER, which names the user and proves nothing.

    TS 24.229 §5.1.1.2.2. ``algorithm`` is a hint to servers that offer AKA only when asked.
    """
    hint = f", algorithm={algorithm}" if algorithm else ""
    return (
        f'Digest username="{_escaped(username)}", realm="{_escaped(realm)}", nonce="", '
        f'uri="{uri}", response=""{hint}'
    )


def write_credentials(answer: Answer, method: str, uri: str, body: bytes = b"") -> tuple[str, str]:
    """Name and value of the header that carries RES, AUTS or the reject.

    ``uri`` is the Request-URI, character by character.
    """
    challenge = answer.challenge
    outcome = answer.outcome
    name = CREDENTIALS_HEADERS[challenge.header]
    head = (
        f'Digest username="{_escaped(answer.username)}", realm="{_escaped(challenge.realm)}", '
        f'nonce="{_escaped(challenge.nonce)}", uri="{uri}", response='
    )
    tail = f", algorithm={challenge.algorithm}"
    if challenge.opaque is not None:
        tail += f', opaque="{_escaped(challenge.opaque)}"'
    if isinstance(outcome, SynchronisationFailure):
        tail += f', auts="{encode_auts(outcome.auts)}"'
    elif not isinstance(outcome, AkaResponse):
        return name, f'{head}""{tail}'
    if challenge.qop:
        tail += f', qop={challenge.qop}, nc={count_text(answer.nc)}, cnonce="{answer.cnonce}"'
    elif algorithm_of(challenge.algorithm).session:  # its A1 holds the cnonce, qop or not
        tail += f', cnonce="{answer.cnonce}"'
    return name, f'{head}"{_answer_digest(answer, method, uri, body)}"{tail}'


def check_authentication_info(value: str, answer: Answer, uri: str, body: bytes = b"") -> None:
    """Check the server's rspauth (RFC 7616 §3.5, RFC 3310 §3.5).

    Raises CredentialsError when it is present and wrong, ParseError when nothing
    can be read; an absent one proves nothing.
    """
    rspauth = split_auth_params(value).get("rspauth")
    if rspauth is not None and not _equal(rspauth, _answer_digest(answer, "", uri, body)):
        raise CredentialsError("the server's rspauth does not follow from the challenge")


def _answer_digest(answer: Answer, method: str, uri: str, body: bytes) -> str:
    challenge = answer.challenge
    outcome = answer.outcome
    algorithm = algorithm_of(challenge.algorithm)
    secret = b""  # RFC 3310 §3.4: AUTS goes with the empty password
    if isinstance(outcome, AkaResponse):
        secret = password(algorithm, outcome, plain_res=answer.plain_res)
    qop = challenge.qop
    return digest(
        algorithm.hash,
        username=answer.username,
        realm=challenge.realm,
        password=secret,
        nonce=challenge.nonce,
        method=method,
        uri=uri,
        qop=qop,
        nc=count_text(answer.nc) if qop else "",
        cnonce=answer.cnonce,
        body=body,
        session=algorithm.session,
    )


# Server -------------------------------------------------------------------------------


def make_challenge(
    realm: str,
    rand: bytes,
    autn: bytes,
    algorithm: str = "AKAv1-MD5",
    *,
    qop_options: tuple[str, ...] = ("auth",),
    opaque: str | None = None,
    stale: bool = False,
    server_data: bytes = b"",
    header: str = "WWW-Authenticate",
) -> AkaChallenge:
    """A challenge of ours; RAND and AUTN are 16 octets each."""
    return AkaChallenge(
        NAME,
        algorithm_of(algorithm).token,
        rand,
        autn,
        realm,
        encode_nonce(rand, autn, server_data),
        opaque,
        qop_options,
        stale,
        header,
    )


def write_challenge(challenge: AkaChallenge) -> str:
    """Value of WWW-Authenticate or Proxy-Authenticate."""
    value = (
        f'Digest realm="{_escaped(challenge.realm)}", nonce="{challenge.nonce}", '
        f"algorithm={challenge.algorithm}"
    )
    if challenge.qop_options:
        value += f', qop="{",".join(challenge.qop_options)}"'
    if challenge.opaque is not None:
        value += f', opaque="{_escaped(challenge.opaque)}"'
    return f"{value}, stale=true" if challenge.stale else value


def read_credentials(value: str) -> Credentials:
    """Credentials of any Digest form; raises CredentialsError naming the parameter."""
    try:
        credentials = split_challenges(value)[0]
    except ParseError as error:
        raise CredentialsError(f"the credentials cannot be read: {error}") from error
    if credentials.scheme.lower() != "digest":
        raise CredentialsError("the credentials are not of scheme Digest")
    params = credentials.params
    for name in ("username", "realm", "nonce", "uri", "response"):
        if name not in params:
            raise CredentialsError(f"the credentials have no {name}")
    try:
        auts = decode_auts(params["auts"]) if "auts" in params else b""
    except PeerError as error:
        raise CredentialsError(f"the auts of the credentials: {error}") from error
    return Credentials(
        params["username"],
        params["realm"],
        params["nonce"],
        params["uri"],
        params["response"],
        params.get("algorithm", ""),
        params.get("cnonce", ""),
        params.get("opaque"),
        params.get("qop", "").lower(),
        _nonce_count(params["nc"]) if "nc" in params else 0,
        auts,
    )


def waiting_key(said: AkaChallenge | Credentials, call_id: str) -> str:
    """The nonce, as it was sent."""
    return said.nonce


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
    """Check an answer, or the AUTS carried by one, against the challenge it answers.

    ``expected`` is RES, CK and IK of the vector, ``nc`` the next count of this
    nonce. Raises CredentialsError: 401 for another nonce or count (challenge
    again), 403 for a wrong digest, name or realm, 400 for what does not fit the
    request. Whether AUTS itself is valid is for the holder of K to say.
    """
    if credentials.nonce != challenge.nonce:
        raise CredentialsError("the nonce is not the one that was sent", 401)
    if credentials.username != username or credentials.realm != challenge.realm:
        raise CredentialsError("the username or realm is another one", 403)
    if credentials.algorithm and credentials.algorithm.lower() != challenge.algorithm.lower():
        raise CredentialsError(f"the algorithm offered was {challenge.algorithm}", 400)
    if credentials.uri != uri:
        raise CredentialsError("the uri of the credentials is not the Request-URI", 400)
    if credentials.qop:
        if credentials.qop not in challenge.qop_options:
            raise CredentialsError(f"qop={credentials.qop} was not offered", 400)
        if not credentials.nc or not credentials.cnonce:
            raise CredentialsError("qop needs nc and cnonce", 400)
        if credentials.nc != nc:
            raise CredentialsError(f"nc is {credentials.nc} where {nc} is due", 401)
    elif nc != 1:
        raise CredentialsError("without qop a nonce serves one request", 401)
    due = _expected_digest(credentials, challenge, expected, method, body)
    if not _equal(credentials.response, due):
        raise CredentialsError("the response is not what RES gives", 403)


def write_authentication_info(
    credentials: Credentials, challenge: AkaChallenge, expected: AkaResponse, body: bytes = b""
) -> str:
    """Value of Authentication-Info with our rspauth (RFC 3310 §3.5); for verified credentials."""
    rspauth = _expected_digest(credentials, challenge, expected, "", body)
    if not credentials.qop:
        return f'rspauth="{rspauth}"'
    return (
        f'rspauth="{rspauth}", qop={credentials.qop}, nc={count_text(credentials.nc)}, '
        f'cnonce="{_escaped(credentials.cnonce)}"'
    )


def _expected_digest(
    credentials: Credentials,
    challenge: AkaChallenge,
    expected: AkaResponse,
    method: str,
    body: bytes,
) -> str:
    algorithm = algorithm_of(challenge.algorithm)
    return digest(
        algorithm.hash,
        username=credentials.username,
        realm=credentials.realm,
        password=b"" if credentials.auts else password(algorithm, expected),
        nonce=credentials.nonce,
        method=method,
        uri=credentials.uri,
        qop=credentials.qop,
        nc=count_text(credentials.nc) if credentials.qop else "",
        cnonce=credentials.cnonce,
        body=body,
        session=algorithm.session,
    )


# Both ---------------------------------------------------------------------------------


def _qop_options(value: str) -> tuple[str, ...]:
    return tuple([option for part in value.lower().split(",") if (option := part.strip())])


def _nonce_count(text: str) -> int:
    if not text or text.strip("0123456789abcdefABCDEF"):  # int() takes "0x1" and "1_0" as well
        raise CredentialsError("nc is not hexadecimal")
    nc = int(text[:9], 16)
    if not 0 < nc <= NC_LIMIT:
        raise CredentialsError("nc is out of range")
    return nc


def _escaped(text: str) -> str:
    """Text for between quotes (RFC 3261 §25.1 quoted-string)."""
    if '"' in text or "\\" in text:
        return text.replace("\\", "\\\\").replace('"', '\\"')
    return text


def _equal(received: str, computed: str) -> bool:
    """Compare digests without telling by time where they part."""
    import hmac  # a user agent seldom compares

    return hmac.compare_digest(
        received.lower().encode("utf-8", "surrogateescape"), computed.encode("ascii")
    )
