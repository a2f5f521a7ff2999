"""The algorithms of Digest AKA: which hash, what is hashed in a password's place, which keys.

AKAv1 (RFC 3310 §3.3) takes RES as it is; AKAv2 (RFC 4169 §2) takes the base64
text of a keyed hash over RES, IK and CK, and masks the session keys too.
"""

from __future__ import annotations

import binascii

from card.aka.result import AkaResponse
from sipua.auth.digest import MD5, SHA_256, SHA_512_256, Hash
from sipua.errors import ChallengeError

PASSWORD_LABEL = b"http-digest-akav2-password"
INTEGRITY_LABEL = b"http-digest-akav2-integritykey"
CIPHER_LABEL = b"http-digest-akav2-cipherkey"


class Algorithm:
    """One value of the algorithm parameter (RFC 3310 §3.1).

    ``version`` is that of AKA in Digest, 1 or 2; ``session`` the -sess form.
    """

    __slots__ = ("hash", "session", "token", "version")

    def __init__(self, token: str, version: int, hash_: Hash, *, session: bool = False) -> None:
        self.token = token
        self.version = version
        self.hash = hash_
        self.session = session


ALGORITHMS = (
    # The one to answer first stands first (RFC 4169 §4.1). TS 24.229 names AKAv1-MD5,
    # TS 33.203 Annex X AKAv2-SHA-256, RFC 4169 AKAv2-MD5; the grammar permits the others.
    Algorithm("AKAv2-SHA-256", 2, SHA_256),
    Algorithm("AKAv2-SHA-512-256", 2, SHA_512_256),
    Algorithm("AKAv2-MD5", 2, MD5),
    Algorithm("AKAv2-SHA-256-sess", 2, SHA_256, session=True),
    Algorithm("AKAv2-SHA-512-256-sess", 2, SHA_512_256, session=True),
    Algorithm("AKAv2-MD5-sess", 2, MD5, session=True),
    Algorithm("AKAv1-SHA-256", 1, SHA_256),
    Algorithm("AKAv1-SHA-512-256", 1, SHA_512_256),
    Algorithm("AKAv1-MD5", 1, MD5),
    Algorithm("AKAv1-SHA-256-sess", 1, SHA_256, session=True),
    Algorithm("AKAv1-SHA-512-256-sess", 1, SHA_512_256, session=True),
    Algorithm("AKAv1-MD5-sess", 1, MD5, session=True),
)
_BY_TOKEN = {algorithm.token.lower(): algorithm for algorithm in ALGORITHMS}


def is_known(token: str) -> bool:
    """Whether the token, in any case, names an algorithm of Digest AKA."""
    return token.lower() in _BY_TOKEN


def algorithm_of(token: str) -> Algorithm:
    """The row for a token in any case; raises ChallengeError for an unknown one."""
    algorithm = _BY_TOKEN.get(token.lower())
    if algorithm is None:
        raise ChallengeError(f"algorithm {token or 'MD5'} is not one of Digest AKA")
    return algorithm


def prf(hash_: Hash, key: bytes, label: bytes) -> bytes:
    """The pseudo-random function of RFC 4169 §2.1: HMAC with the digest's own hash."""
    import hmac  # AKAv1 does without it

    return hmac.digest(key, label, hash_.hmac_name)


def password(algorithm: Algorithm, response: AkaResponse, *, plain_res: bool = False) -> bytes:
    """What is hashed: RES itself, or 24 (MD5) or 44 (SHA-256) octets of base64 text.

    ``plain_res`` takes RES itself under AKAv2 too, as some servers do.
    """
    if algorithm.version == 1 or plain_res:
        return response.res
    key = response.res + response.ik + response.ck
    return binascii.b2a_base64(prf(algorithm.hash, key, PASSWORD_LABEL), newline=False)


def session_keys(algorithm: Algorithm, response: AkaResponse) -> tuple[bytes, bytes]:
    """CK and IK for whatever protects the session: masked by AKAv2 (RFC 4169 §2.2)."""
    if algorithm.version == 1:
        return response.ck, response.ik
    return (
        prf(algorithm.hash, response.ck, CIPHER_LABEL),
        prf(algorithm.hash, response.ik, INTEGRITY_LABEL),
    )
