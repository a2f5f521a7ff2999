"""Keccak-f[1600], the permutation alone (FIPS 202 §3.2 and §3.3).

hashlib has it only inside SHA-3 and SHAKE; TUAK with more than one iteration
needs it bare.
"""

from __future__ import annotations

from struct import Struct

_LANES = Struct("<25Q")  # lane (x, y) is number x + 5y (§3.1.2)
_MASK = (1 << 64) - 1


def _rotations() -> tuple[int, ...]:
    """ρ: by how many bits each lane is rotated (§3.2.2)."""
    offsets = [0] * 25
    x, y = 1, 0
    for t in range(24):
        offsets[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(offsets)


def _round_constants() -> tuple[int, ...]:
    """ι: a bit of a linear feedback shift register at each position 2^j - 1 (§3.2.5)."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (register & 1) << ((1 << j) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


_ROUNDS = _round_constants()
_MOVES = tuple(  # ρ and π in one: from lane, to lane, rotation (§3.2.2, §3.2.3)
    (x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), _rotations()[x + 5 * y])
    for y in range(5)
    for x in range(5)
)


def keccak_f1600(state: bytes) -> bytes:
    """The 200 octets after 24 rounds."""
    a = list(_LANES.unpack(state))
    b = [0] * 25
    for constant in _ROUNDS:
        parity = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        theta = [parity[x - 1] ^ _rotated(parity[(x + 1) % 5], 1) for x in range(5)]
        for source, target, bits in _MOVES:
            b[target] = _rotated(a[source] ^ theta[source % 5], bits)
        for y in range(0, 25, 5):
            row = b[y : y + 5]
            for x in range(5):
                a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        a[0] ^= constant
    return _LANES.pack(*a)


def _rotated(lane: int, bits: int) -> int:
    return (lane << bits | lane >> (64 - bits)) & _MASK
