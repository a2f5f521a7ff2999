"""What a right answer to a challenge looks like, for those who must produce one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from card.aka.result import AkaResponse
from sipua.auth.algorithm import algorithm_of
from sipua.auth.redaction import redact
from sipua.auth.scheme import CREDENTIALS_HEADERS, Answer
from sipua.auth.selection import scheme_of

if TYPE_CHECKING:
    from sipua.auth.scheme import AkaChallenge
    from sipua.explain.subscriber import Subscriber

SAMPLE_CNONCE = "0a4f113b"

FORMS = {
    "umts": "UMTS RES=<RES in hexadecimal>",
    "digest-umts": 'Digest username="…", realm="…", uri="…", nonce="<as it came>", '
    'algorithm=UMTS-AKA, response="R<RES in hexadecimal>"',
    "pgp-umts": 'pgp ;version="5.0" ;realm="…" ;nonce="<as it came>" '
    ';signature="01<RES in hexadecimal>"',
}
OTHER_ANSWERS = {
    "aka": ('auts="<base64 of AUTS>", response over the empty password', 'response=""'),
    "umts": ("UMTS AUTS=<AUTS in hexadecimal>", "UMTS AUTH-REJECT=20"),
    "digest-umts": ('response="S<AUTS in hexadecimal>"', 'response="E14"'),
    "pgp-umts": ('signature="02<AUTS in hexadecimal>"', 'signature="0314"'),
}
"""With which the card's AUTS, and its refusal, are told."""


def formula(challenge: AkaChallenge) -> list[str]:
    """How the response is computed, in lines."""
    if challenge.scheme != "aka":
        return ["RES itself in hexadecimal; nothing is hashed, and RES travels in clear"]
    algorithm = algorithm_of(challenge.algorithm)
    h = algorithm.hash.token
    if algorithm.version == 1:
        hashed = "RES, its 4 to 16 octets as they are (RFC 3310 §3.3)"
    else:
        hashed = f'base64(HMAC-{h}(RES || IK || CK, "http-digest-akav2-password")) (RFC 4169 §2.1)'
    a1 = "username ':' realm ':' password"
    if algorithm.session:
        a1 = f"{h}({a1}) ':' nonce ':' cnonce"
    qop = challenge.qop
    a2 = "method ':' uri" + (f" ':' {h}(body)" if qop == "auth-int" else "")
    middle = f"nonce ':' nc ':' cnonce ':' '{qop}'" if qop else "nonce"
    return [
        f"password = {hashed}",
        f"A1 = {a1}",
        f"A2 = {a2}",
        f"response = {h}({h}(A1) ':' {middle} ':' {h}(A2))",
    ]


def described(
    challenge: AkaChallenge,
    username: str,
    method: str,
    uri: str,
    subscriber: Subscriber | None,
    cnonce: str,
    body: bytes,
    *,
    show_secrets: bool,
) -> dict[str, Any]:
    """Header, formula, and with the key the very line that is due (RES masked)."""
    name = CREDENTIALS_HEADERS[challenge.header]
    auts, reject = OTHER_ANSWERS[challenge.scheme]
    facts: dict[str, Any] = {
        "header": name,
        "formula": formula(challenge),
        "form": FORMS.get(challenge.scheme) or _digest_form(challenge, username, uri),
        "after_auts": auts,
        "after_mac_failure": reject,
        "value": None,
    }
    if subscriber is not None and (username or challenge.scheme in ("umts", "pgp-umts")):
        res, ck, ik, _ = subscriber.functions.f2345(challenge.rand)
        answer = Answer(challenge, AkaResponse(res, ck, ik), username, cnonce or SAMPLE_CNONCE)
        _, value = scheme_of(challenge).write_credentials(answer, method, uri, body)
        facts["value"] = value if show_secrets else redact(value)
    return facts


def _digest_form(challenge: AkaChallenge, username: str, uri: str) -> str:
    form = (
        f'Digest username="{username or "<IMPI>"}", realm="{challenge.realm}", '
        f'nonce="<as it came>", uri="{uri or "<Request-URI>"}", response="<response>", '
        f"algorithm={challenge.algorithm}"
    )
    if challenge.opaque is not None:
        form += ', opaque="<as it came>"'
    if challenge.qop:
        form += f', qop={challenge.qop}, nc=00000001, cnonce="<of your own>"'
    return form
