"""TUAK, the second 3GPP algorithm set for f1…f5* (TS 35.231).

Every function is one Keccak sponge over one block of 96 octets. A single
iteration of Keccak-f[1600] is exactly SHAKE256 of that block, so hashlib does
it; with more iterations the permutation is applied again to the whole state.
Inputs go in, and outputs come out, with their octets in reverse order.
"""

from __future__ import annotations

from hashlib import shake_256

RAND_OCTETS = 16
TOP_OCTETS = 32
K_LENGTHS = (16, 32)
MAC_LENGTHS = (8, 16, 32)
RES_LENGTHS = (4, 8, 16, 32)
MAX_ITERATIONS = 255

_NAME = b"TUAK1.0"[::-1]
_F1, _F1STAR, _F2345, _F5STAR = 0x00, 0x80, 0x40, 0xC0  # INSTANCE, the function's bits
_LENGTH_BITS = {4: 0x00, 8: 0x08, 16: 0x10, 32: 0x20}  # INSTANCE, size of MAC or RES
_CK_256, _IK_256, _K_256 = 0x04, 0x02, 0x01  # INSTANCE, further bits
_NO_SQN_AMF = bytes(8)
_CK_AT, _IK_AT, _AK_AT, _OUT_OCTETS = 32, 64, 96, 102
_PADDING = b"\x1f" + bytes(38) + b"\x80" + bytes(64)  # to 200 octets, rate 136


class Tuak:
    """The functions for one subscriber; all sizes in octets.

    K has 16 or 32, TOPc 32. The sizes of MAC, RES, CK and IK are part of what
    is computed: another size gives other values. A RES that is none of 4, 8, 16
    and 32 is cut from the next longer one, for tests only.

    ``f2345`` gives what a USIM answers to AUTHENTICATE. There CK and IK are 16
    octets (TS 33.102 §6.3.3), so of one with 32 it gives the first half; ``f3``
    and ``f4`` give all of it. AUTN and AUTS have room for a MAC of 8 only
    (TS 33.102 §6.3.2).
    """

    __slots__ = (
        *("_ck_length", "_f1", "_f1star", "_f2345", "_f5star", "_ik_length", "_iterations"),
        *("_k", "_last", "_mac_length", "_res_length", "_topc", "topc"),
    )

    def __init__(
        self,
        k: bytes,
        topc: bytes,
        *,
        iterations: int = 1,
        mac_length: int = 8,
        res_length: int = 8,
        ck_length: int = 16,
        ik_length: int = 16,
    ) -> None:
        if len(topc) != TOP_OCTETS:
            raise ValueError("TUAK wants a TOPc of 32 octets")
        if mac_length not in MAC_LENGTHS or not 4 <= res_length <= 32:
            raise ValueError("TUAK has a MAC of 8, 16 or 32 octets, and a RES of 4 to 32")
        if ck_length not in K_LENGTHS or ik_length not in K_LENGTHS:
            raise ValueError("TUAK has a CK and an IK of 16 or 32 octets")
        self._k = _key(k, iterations)
        self.topc = topc
        self._topc = topc[::-1]
        self._iterations = iterations
        self._mac_length = mac_length
        self._res_length = res_length
        self._ck_length = ck_length
        self._ik_length = ik_length
        full_res = next(length for length in RES_LENGTHS if length >= res_length)
        k_bit = _K_256 if len(k) == 32 else 0
        key_bits = (_CK_256 if ck_length == 32 else 0) | (_IK_256 if ik_length == 32 else 0)
        self._f1 = _F1 | _LENGTH_BITS[mac_length] | k_bit
        self._f1star = self._f1 | _F1STAR
        self._f2345 = _F2345 | _LENGTH_BITS[full_res] | key_bits | k_bit
        self._f5star = _F5STAR | k_bit
        self._last = (b"", b"")

    @classmethod
    def from_top(cls, k: bytes, top: bytes, **options: int) -> Tuak:
        """Make the functions from TOP, which many subscribers share."""
        return cls(k, derive_topc(k, top, options.get("iterations", 1)), **options)

    def __repr__(self) -> str:
        return "Tuak(k=<secret>, topc=<secret>)"

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A (§6.2)."""
        return self._mac(self._f1, rand, sqn, amf)

    def f1star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-S; a resynchronisation uses AMF 0000 (TS 33.102 §6.3.3)."""
        return self._mac(self._f1star, rand, sqn, amf)

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES, CK (16 octets), IK (16) and AK (6)."""
        return self.f2(rand), self.f3(rand)[:16], self.f4(rand)[:16], self.f5(rand)

    def f2(self, rand: bytes) -> bytes:
        """RES."""
        return self._outputs(rand)[: self._res_length][::-1]

    def f3(self, rand: bytes) -> bytes:
        """CK, whole."""
        return self._outputs(rand)[_CK_AT : _CK_AT + self._ck_length][::-1]

    def f4(self, rand: bytes) -> bytes:
        """IK, whole."""
        return self._outputs(rand)[_IK_AT : _IK_AT + self._ik_length][::-1]

    def f5(self, rand: bytes) -> bytes:
        """AK, 6 octets: hides SQN in AUTN."""
        return self._outputs(rand)[_AK_AT:_OUT_OCTETS][::-1]

    def f5star(self, rand: bytes) -> bytes:
        """AK of a resynchronisation, 6 octets: hides SQN_MS in AUTS."""
        return self._out(self._f5star, rand, _NO_SQN_AMF)[_AK_AT:_OUT_OCTETS][::-1]

    def _mac(self, instance: int, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        if len(sqn) != 6 or len(amf) != 2:
            raise ValueError("SQN is 6 octets, AMF 2")
        return self._out(instance, rand, amf[::-1] + sqn[::-1])[: self._mac_length][::-1]

    def _outputs(self, rand: bytes) -> bytes:
        """OUT of f2 to f5, which are one computation; that of the last RAND is remembered."""
        last = self._last
        if last[0] != rand:
            self._last = last = (rand, self._out(self._f2345, rand, _NO_SQN_AMF))
        return last[1]

    def _out(self, instance: int, rand: bytes, amf_sqn: bytes) -> bytes:
        if len(rand) != RAND_OCTETS:
            raise ValueError("RAND is 16 octets")
        block = self._topc + bytes((instance,)) + _NAME + rand[::-1] + amf_sqn + self._k
        return _keccak(block, self._iterations)


def derive_topc(k: bytes, top: bytes, iterations: int = 1) -> bytes:
    """TOPc, 32 octets, from K and TOP (§6.1); RAND, AMF and SQN are 0 in it."""
    if len(top) != TOP_OCTETS:
        raise ValueError("TUAK wants a TOP of 32 octets")
    instance = _K_256 if len(k) == 32 else 0
    block = top[::-1] + bytes((instance,)) + _NAME + bytes(24) + _key(k, iterations)
    return _keccak(block, iterations)[:TOP_OCTETS][::-1]


def _key(k: bytes, iterations: int) -> bytes:
    """K as it stands in the block, once both are found possible."""
    if len(k) not in K_LENGTHS:
        raise ValueError("TUAK wants a K of 16 or 32 octets")
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise ValueError(f"TUAK has 1 to {MAX_ITERATIONS} iterations")
    return k[::-1].ljust(32, b"\x00")


def _keccak(block: bytes, iterations: int) -> bytes:
    """The first octets of the state after the iterations; 102 hold every output."""
    if iterations == 1:
        return shake_256(block).digest(_OUT_OCTETS)
    from card.aka.keccak import keccak_f1600

    state = block + _PADDING
    for _ in range(iterations):
        state = keccak_f1600(state)
    return state
