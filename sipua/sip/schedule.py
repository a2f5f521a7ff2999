"""When to look at which transaction.

A heap with one entry a transaction, at the time of its earliest timer when the
entry was made. Timers that are stopped or put off leave the entry where it is;
it is moved when it comes up. So transactions that only linger cost nothing.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from itertools import count

from sipua.sip.transaction.machine import NEVER, TERMINATED, Transaction

_SPARE = 64  # entries of ended transactions that are always let be


class Schedule:
    """The transactions' timers in order."""

    __slots__ = ("_count", "_ended", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Transaction]] = []
        self._count = count()
        self._ended = 0

    def wake(self, transaction: Transaction, at: float) -> None:
        """Have the transaction looked at as early as ``at``, which is sooner than it would be."""
        transaction.woken_at = at
        heappush(self._heap, (at, next(self._count), transaction))

    def ended(self, transaction: Transaction) -> None:
        """Let go of ended transactions once they are the larger part of the heap."""
        if transaction.woken_at is not NEVER:
            self._ended += 1
            if self._ended > _SPARE and 2 * self._ended > len(self._heap):
                self._heap = [entry for entry in self._heap if _is_live(entry)]
                heapify(self._heap)
                self._ended = 0

    def deadline(self) -> float | None:
        """When the next timer fires, None when none runs."""
        heap = self._heap
        while heap:
            at, number, transaction = heap[0]
            if transaction.woken_at != at or transaction.state is TERMINATED:
                heappop(heap)
                self._ended = max(0, self._ended - 1)
                continue
            running = transaction.running
            due = min(running.values()) if running else NEVER
            if due <= at:
                return at
            transaction.woken_at = due
            if running:
                heapreplace(heap, (due, number, transaction))
            else:
                heappop(heap)
        return None

    def fire(self, now: float) -> None:
        """Fire every timer that is due."""
        if not self._heap or self._heap[0][0] > now:
            return  # the usual case, as every message brings a call
        while (at := self.deadline()) is not None and at <= now:
            _, _, transaction = heappop(self._heap)
            transaction.woken_at = NEVER
            due = transaction.fire(now)
            if due is not NEVER:
                self.wake(transaction, due)

    def __len__(self) -> int:
        return len(self._heap)


def _is_live(entry: tuple[float, int, Transaction]) -> bool:
    at, _, transaction = entry
    return transaction.woken_at == at and transaction.state is not TERMINATED
