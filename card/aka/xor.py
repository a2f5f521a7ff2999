"""The XOR test algorithm of conformance testing (TS 34.108 §8.1.2).

It hides nothing: who sees RAND and RES knows K. Test USIMs and system
simulators have it, so that what they exchange can be checked by eye.
"""

from __future__ import annotations

KEY_OCTETS = 16


class Xor:
    """The functions for one subscriber. K and RAND are 16 octets, RES 4 to 16.

    f1* and f5* are f1 and f5 (§8.1.2.2).
    """

    __slots__ = ("_k", "_res_length")

    def __init__(self, k: bytes, res_length: int = 16) -> None:
        if len(k) != KEY_OCTETS:
            raise ValueError("XOR wants a K of 16 octets")
        if not 4 <= res_length <= 16:
            raise ValueError("RES has 4 to 16 octets")
        self._k = int.from_bytes(k, "big")
        self._res_length = res_length

    def __repr__(self) -> str:
        return "Xor(k=<secret>)"

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A, 8 octets: the first half of XDOUT, XOR CDOUT = SQN || AMF."""
        cdout = sqn + amf
        if len(cdout) != 8:
            raise ValueError("SQN is 6 octets, AMF 2")
        return bytes(a ^ b for a, b in zip(self._xdout(rand), cdout, strict=False))

    f1star = f1

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES; CK and IK (16 octets), XDOUT turned left by 1 and 2 octets; AK (6)."""
        xdout = self._xdout(rand)
        ck, ik = xdout[1:] + xdout[:1], xdout[2:] + xdout[:2]
        return xdout[: self._res_length], ck, ik, xdout[3:9]

    def f5star(self, rand: bytes) -> bytes:
        """AK of a resynchronisation, 6 octets."""
        return self._xdout(rand)[3:9]

    def _xdout(self, rand: bytes) -> bytes:
        """XDOUT = K XOR RAND."""
        if len(rand) != KEY_OCTETS:
            raise ValueError("RAND is 16 octets")
        return (self._k ^ int.from_bytes(rand, "big")).to_bytes(16, "big")
