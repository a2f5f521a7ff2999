"""What Digest AKA hashes in the place of a password, and the session keys it leaves.

AKAv1 (RFC 3310 §3.3) takes RES as it is; AKAv2 (RFC 4169 §2) takes the base64
text of a keyed hash over RES, IK and CK, and masks the session keys too.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from card.aka.result import AkaResponse

PASSWORD_LABEL = b"http-digest-akav2-password"
INTEGRITY_LABEL = b"http-digest-akav2-integritykey"
CIPHER_LABEL = b"http-digest-akav2-cipherkey"


def prf(key: bytes, label: bytes, hmac_name: str) -> bytes:
    """The pseudo-random function of RFC 4169 §2.1: HMAC with the digest's own hash."""
    import hmac  # AKAv1 does without it

    return hmac.digest(key, label, hmac_name)


def akav1_password(response: AkaResponse) -> bytes:
    """RES as raw octets, zeros included."""
    return response.res


def akav2_password(response: AkaResponse, hmac_name: str) -> bytes:
    """Base64 text of PRF(RES || IK || CK): 24 octets with MD5, 44 with SHA-256."""
    key = response.res + response.ik + response.ck
    return binascii.b2a_base64(prf(key, PASSWORD_LABEL, hmac_name), newline=False)


def akav2_session_keys(response: AkaResponse, hmac_name: str) -> tuple[bytes, bytes]:
    """CK' and IK' (RFC 4169 §2.2), as long as the hash."""
    return (
        prf(response.ck, CIPHER_LABEL, hmac_name),
        prf(response.ik, INTEGRITY_LABEL, hmac_name),
    )
