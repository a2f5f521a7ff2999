"""Sequence numbers of AKA, both sides (TS 33.102 Annex C).

SQN is a number of 48 bits: SEQ in the upper part, IND in the lower
``ind_bits``. Each IND counts for itself, so vectors handed out through
several nodes may arrive out of order.
"""

from __future__ import annotations

from collections.abc import Iterable

IND_BITS = 5  # §C.3: 32 entries in the array
DELTA = 1 << 28  # §C.2.1: the largest jump of SEQ a USIM follows
SQN_MAX = (1 << 48) - 1


class SequenceArray:
    """The USIM's memory of accepted SQNs, one for each IND.

    ``limit`` is L of §C.2.2, how far SEQ may lie behind the newest one; None
    switches that test off. ``values`` restores a kept array; shorter ones are
    filled up with 0, a longer one raises ValueError.
    """

    __slots__ = ("delta", "ind_bits", "limit", "values")

    def __init__(
        self,
        ind_bits: int = IND_BITS,
        delta: int = DELTA,
        limit: int | None = None,
        values: Iterable[int] = (),
    ) -> None:
        self.ind_bits = ind_bits
        self.delta = delta
        self.limit = limit
        kept = list(values)
        missing = (1 << ind_bits) - len(kept)
        if missing < 0 or any(not 0 <= sqn <= SQN_MAX for sqn in kept):
            raise ValueError(f"not an array of {1 << ind_bits} sequence numbers of 48 bits")
        self.values = kept + [0] * missing

    @property
    def sqn_ms(self) -> int:
        """The highest SQN accepted so far, 0 at first; this is what AUTS reports."""
        return max(self.values)

    def accept(self, sqn: int) -> bool:
        """Whether SQN is fresh; a fresh one is remembered (§C.2.2)."""
        ind = sqn & ((1 << self.ind_bits) - 1)
        seq = sqn >> self.ind_bits
        seq_ms = self.sqn_ms >> self.ind_bits
        if seq - seq_ms > self.delta:
            return False
        if self.limit is not None and seq_ms - seq >= self.limit:
            return False
        if seq <= self.values[ind] >> self.ind_bits:
            return False
        self.values[ind] = sqn
        return True


def next_sqn(sqn: int, ind_bits: int = IND_BITS, ind: int = 0) -> int:
    """The SQN after ``sqn`` for this IND: SEQ one higher (§C.1.1.1).

    With ``ind_bits`` 0 there is no IND and SQN itself counts. After the last
    SQN the count begins again, as 48 bits do.
    """
    step = 1 << ind_bits
    return (((sqn + step) & -step) + (ind & (step - 1))) & SQN_MAX


def resync(sqn_he: int, sqn_ms: int, ind_bits: int = IND_BITS, delta: int = DELTA) -> int:
    """The SQN to go on counting from after an AUTS that told ``sqn_ms`` (§6.3.5).

    That is ``sqn_he``, the network's own, if the card would take the one after
    it, so that an old AUTS does not turn the counter back; else ``sqn_ms``.
    """
    ahead = (next_sqn(sqn_he, ind_bits) >> ind_bits) - (sqn_ms >> ind_bits)
    return sqn_he if 0 < ahead <= delta else sqn_ms
