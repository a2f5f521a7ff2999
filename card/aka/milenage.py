"""Milenage, the 3GPP example algorithm set for f1…f5* (TS 35.206 §4).

All of f2, f3, f4, f5 and f5* come out of one call of AES over four blocks; the
last RAND is remembered, so that f1 afterwards costs one block more.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_OCTETS = 16
_C2_TO_C5 = (1 << 384) | (2 << 256) | (4 << 128) | 8  # c2, c3, c4, c5 side by side (§4.1)


class Milenage:
    """The functions for one subscriber. K and OPc are 16 octets each.

    Not to be shared between threads: it holds one AES context. RAND is 16
    octets, SQN 6, AMF 2 in every function.
    """

    __slots__ = ("_encrypt", "_last", "_opc", "_opc4", "opc")

    def __init__(self, k: bytes, opc: bytes) -> None:
        if len(k) != KEY_OCTETS or len(opc) != KEY_OCTETS:
            raise ValueError("Milenage wants K and OPc of 16 octets each")
        self._encrypt = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update  # noqa: S305
        self.opc = opc
        self._opc = int.from_bytes(opc, "big")
        self._opc4 = int.from_bytes(opc * 4, "big")
        self._last = (b"", 0, b"")

    @classmethod
    def from_op(cls, k: bytes, op: bytes) -> Milenage:
        """Make the functions from OP, which many subscribers share."""
        return cls(k, derive_opc(k, op))

    def __repr__(self) -> str:
        return "Milenage(k=<secret>, opc=<secret>)"

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A, 8 octets (§4.1, OUT1)."""
        return self._out1(rand, sqn, amf)[:8]

    def f1star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-S, 8 octets; a resynchronisation uses AMF 0000 (TS 33.102 §6.3.3)."""
        return self._out1(rand, sqn, amf)[8:]

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES (8 octets), CK (16), IK (16) and AK (6)."""
        out = self._outputs(rand)[2]
        return out[8:16], out[16:32], out[32:48], out[:6]

    def f2(self, rand: bytes) -> bytes:
        """RES, 8 octets."""
        return self._outputs(rand)[2][8:16]

    def f3(self, rand: bytes) -> bytes:
        """CK, 16 octets."""
        return self._outputs(rand)[2][16:32]

    def f4(self, rand: bytes) -> bytes:
        """IK, 16 octets."""
        return self._outputs(rand)[2][32:48]

    def f5(self, rand: bytes) -> bytes:
        """AK, 6 octets: hides SQN in AUTN."""
        return self._outputs(rand)[2][:6]

    def f5star(self, rand: bytes) -> bytes:
        """AK of a resynchronisation, 6 octets: hides SQN_MS in AUTS."""
        return self._outputs(rand)[2][48:54]

    def _outputs(self, rand: bytes) -> tuple[bytes, int, bytes]:
        """RAND, TEMP, and OUT2 || OUT3 || OUT4 || OUT5."""
        last = self._last
        if last[0] == rand:
            return last
        if len(rand) != KEY_OCTETS:
            raise ValueError("RAND is 16 octets")
        opc = self._opc
        temp = int.from_bytes(
            self._encrypt((int.from_bytes(rand, "big") ^ opc).to_bytes(16, "big")), "big"
        )
        twice = (temp ^ opc).to_bytes(16, "big") * 2
        # r2 = 0, r3 = 32, r4 = 64, r5 = 96 bits: rotations by whole octets are slices
        rotated = int.from_bytes(twice[:16] + twice[4:20] + twice[8:24] + twice[12:28], "big")
        out = int.from_bytes(self._encrypt((rotated ^ _C2_TO_C5).to_bytes(64, "big")), "big")
        self._last = last = (rand, temp, (out ^ self._opc4).to_bytes(64, "big"))
        return last

    def _out1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A || MAC-S over IN1 = SQN || AMF || SQN || AMF, rotated by r1 = 64 bits."""
        half = sqn + amf
        if len(half) != 8:
            raise ValueError("SQN is 6 octets, AMF 2")
        opc = self._opc
        # the halves of IN1 are equal, so rotating IN1 ^ OPc by 64 bits rotates OPc alone
        rotated_opc = ((opc << 64) | (opc >> 64)) & ((1 << 128) - 1)
        block = self._outputs(rand)[1] ^ int.from_bytes(half + half, "big") ^ rotated_opc
        out = int.from_bytes(self._encrypt(block.to_bytes(16, "big")), "big")
        return (out ^ opc).to_bytes(16, "big")


def derive_opc(k: bytes, op: bytes) -> bytes:
    """OPc, 16 octets, from K and OP of 16 octets each (TS 35.206 §4.1)."""
    if len(k) != KEY_OCTETS or len(op) != KEY_OCTETS:
        raise ValueError("Milenage wants K and OP of 16 octets each")
    encrypted = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update(op)  # noqa: S305
    return bytes(a ^ b for a, b in zip(encrypted, op, strict=True))
