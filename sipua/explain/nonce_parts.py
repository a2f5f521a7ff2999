"""What a challenge carries, taken apart: RAND, AUTN, and data of the server's own."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, NamedTuple

from sipua.auth.hexadecimal import VECTOR_DIGITS
from sipua.auth.nonce import AUTN_SIZE, RAND_SIZE

if TYPE_CHECKING:
    from sipua.auth.scheme import AkaChallenge


class NonceParts(NamedTuple):
    """Sizes in octets: RAND 16, SQN xor AK 6, AMF 2, MAC 8 (TS 33.102 §6.3.2).

    ``server_data`` is what stands behind AUTN, as octets where it can be
    decoded, else as text.
    """

    rand: bytes
    sqn_xor_ak: bytes
    amf: bytes
    mac: bytes
    server_data: bytes | str

    @property
    def autn(self) -> bytes:
        """SQN xor AK, AMF and MAC."""
        return self.sqn_xor_ak + self.amf + self.mac


def parts_of(challenge: AkaChallenge) -> NonceParts:
    """Take a challenge of any scheme apart."""
    autn = challenge.autn
    return NonceParts(challenge.rand, autn[:6], autn[6:8], autn[8:], _server_data(challenge))


def _server_data(challenge: AkaChallenge) -> bytes | str:
    if challenge.scheme == "aka":
        text = challenge.nonce.strip().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            octets = binascii.a2b_base64(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):  # ValueError: not ASCII
            return challenge.nonce.strip()[-(-(RAND_SIZE + AUTN_SIZE) * 4 // 3) :]
        return octets[RAND_SIZE + AUTN_SIZE :]
    text = (challenge.nonce + (challenge.opaque or ""))[VECTOR_DIGITS:]
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text
