"""From IK and CK of an AKA run to the keys of ESP (TS 33.203 Annex I)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError

if TYPE_CHECKING:
    from sipua.ipsec.suite import Suite

KEY_SIZE = 16  # octets of IK and of CK
SALT_SIZE = 4


class SessionKeys(NamedTuple):
    """Keys of every association of one agreement; ``salt`` is empty but for GCM and GMAC."""

    authentication: bytes
    encryption: bytes
    salt: bytes

    def __repr__(self) -> str:
        return "SessionKeys(<secret>)"


def expand(suite: Suite, ck: bytes, ik: bytes) -> SessionKeys:
    """The keys for this suite from CK and IK.

    With AKAv2 these are the masked ones of RFC 4169 §2.2 (``session_keys`` of
    sipua.auth.algorithm); of a mask longer than 16 octets the first 16 count,
    for neither RFC 4169 nor TS 33.203 says. No published vector exists for the
    salts of GCM and GMAC: they follow the text of Annex I and nothing else.
    Raises LocalError for shorter keys.
    """
    if len(ck) < KEY_SIZE or len(ik) < KEY_SIZE:
        raise LocalError(f"IK and CK must be {KEY_SIZE} octets each")
    ck, ik = ck[:KEY_SIZE], ik[:KEY_SIZE]
    return SessionKeys(
        # IK, or IK and 32 zero bits; CK, or CK1 || CK2 || CK1
        (ik + bytes(4))[: suite.authentication_key],
        (ck + ck)[: suite.encryption_key],
        _salt(suite, ck, ik),
    )


_SALT_LABELS = {"aes-gmac": (0x58, b"AES_GMAC_SALT"), "aes-gcm": (0x59, b"AES_GCM_SALT")}


def _salt(suite: Suite, ck: bytes, ik: bytes) -> bytes:
    """The key derivation function of TS 33.220 Annex B over a label, its last 32 bits."""
    if not suite.salt:
        return b""
    code, label = _SALT_LABELS[suite.alg if suite.alg in _SALT_LABELS else suite.ealg]
    text = bytes([code]) + label + len(label).to_bytes(2, "big")
    return hmac.digest(ck + ik, text, "sha256")[-SALT_SIZE:]
