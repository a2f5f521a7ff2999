"""Milenage with an operator's own constants c1…c5 and r1…r5 (TS 35.206 §5.3)."""

from __future__ import annotations

from card.aka.milenage import KEY_OCTETS, Milenage

STANDARD_C = tuple(value.to_bytes(KEY_OCTETS, "big") for value in (0, 1, 2, 4, 8))
STANDARD_R = (64, 0, 32, 64, 96)

_MASK = (1 << 128) - 1


class MilenageConstants(Milenage):
    """Milenage with c1…c5, 16 octets each, and r1…r5, rotations of 0 to 127 bits.

    Two computations with the same c and the same r would give the same output,
    RES equal to a key for instance; that is refused with ValueError.
    """

    __slots__ = ("_c", "_r")

    def __init__(self, k: bytes, opc: bytes, c: tuple[bytes, ...], r: tuple[int, ...]) -> None:
        check_constants(c, r)
        super().__init__(k, opc)
        self._c = tuple(int.from_bytes(each, "big") for each in c)
        self._r = r

    def _outputs(self, rand: bytes) -> tuple[bytes, int, bytes]:
        last = self._last
        if last[0] == rand:
            return last
        if len(rand) != KEY_OCTETS:
            raise ValueError("RAND is 16 octets")
        temp = self._cipher(int.from_bytes(rand, "big") ^ self._opc)
        out = 0
        for c, r in zip(self._c[1:], self._r[1:], strict=True):
            block = self._cipher(_rotated(temp ^ self._opc, r) ^ c) ^ self._opc
            out = out << 128 | block
        self._last = last = (rand, temp, out.to_bytes(64, "big"))
        return last

    def _out1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        half = sqn + amf
        if len(half) != 8:
            raise ValueError("SQN is 6 octets, AMF 2")
        temp = self._outputs(rand)[1]
        turned = _rotated(int.from_bytes(half + half, "big") ^ self._opc, self._r[0])
        return (self._cipher(temp ^ turned ^ self._c[0]) ^ self._opc).to_bytes(16, "big")

    def _cipher(self, block: int) -> int:
        return int.from_bytes(self._encrypt(block.to_bytes(16, "big")), "big")


def check_constants(c: tuple[bytes, ...], r: tuple[int, ...]) -> None:
    """Raises ValueError with what the constants must be."""
    if len(c) != 5 or any(len(each) != KEY_OCTETS for each in c):
        raise ValueError("c1 to c5 must be 16 octets each")
    if len(r) != 5 or not all(0 <= each < 128 for each in r):
        raise ValueError("r1 to r5 must be rotations of 0 to 127 bits")
    pairs = list(zip(c, r, strict=True))
    for place, pair in enumerate(pairs):
        if pair in pairs[:place]:
            first, second = pairs.index(pair) + 1, place + 1
            raise ValueError(
                f"(c{first}, r{first}) and (c{second}, r{second}) are the same; "
                "no two pairs may be (TS 35.206 §5.3)"
            )


def _rotated(block: int, bits: int) -> int:
    """Rotated towards the most significant bit, as "cyclically rotated" means in §3.2."""
    return (block << bits | block >> (128 - bits)) & _MASK
