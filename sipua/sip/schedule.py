"""When to look at which transaction.

One entry a transaction, at the time of its earliest timer when the entry was
made. Timers that are stopped or put off leave the entry where it is; it is
moved when it comes up. Nearly all transactions only linger, and end in the
order in which they began to: an entry later than all those that wait in a row
joins the row, and a heap takes the others.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TypeAlias

from sipua.sip.transaction.machine import NEVER, TERMINATED, Transaction

_SPARE = 64  # entries of ended transactions that are always let be


Entry: TypeAlias = tuple[float, int, Transaction]


class Schedule:
    """The transactions' timers in order."""

    __slots__ = ("_count", "_ended", "_heap", "_row")

    def __init__(self) -> None:
        self._row: deque[Entry] = deque()
        self._heap: list[Entry] = []
        self._count = count()
        self._ended = 0

    def wake(self, transaction: Transaction, at: float) -> None:
        """Have the transaction looked at as early as ``at``, which is sooner than it would be."""
        transaction.woken_at = at
        row = self._row
        if not row or at >= row[-1][0]:
            row.append((at, next(self._count), transaction))
        else:
            heappush(self._heap, (at, next(self._count), transaction))

    def ended(self, transaction: Transaction) -> None:
        """Let go of ended transactions once they are the larger part of all."""
        if transaction.woken_at is not NEVER:
            self._ended += 1
            if self._ended > _SPARE and 2 * self._ended > len(self):
                self._row = deque([entry for entry in self._row if _is_live(entry)])
                self._heap = [entry for entry in self._heap if _is_live(entry)]
                heapify(self._heap)
                self._ended = 0

    def deadline(self) -> float | None:
        """When the next timer fires, None when none runs."""
        row, heap = self._row, self._heap
        while row or heap:
            entry = heap[0] if heap and not (row and row[0] < heap[0]) else row[0]
            at, _, transaction = entry
            if transaction.woken_at != at or transaction.state is TERMINATED:
                self._take_first()
                self._ended = max(0, self._ended - 1)
                continue
            running = transaction.running
            due = min(running.values()) if running else NEVER
            if due <= at:
                return at
            self._take_first()
            transaction.woken_at = NEVER
            if running:
                self.wake(transaction, due)
        return None

    def fire(self, now: float) -> None:
        """Fire every timer that is due."""
        row, heap = self._row, self._heap
        if not (row and row[0][0] <= now) and not (heap and heap[0][0] <= now):
            return  # the usual case, as every message brings a call
        while (at := self.deadline()) is not None and at <= now:
            transaction = self._take_first()
            transaction.woken_at = NEVER
            due = transaction.fire(now)
            if due is not NEVER:
                self.wake(transaction, due)

    def _take_first(self) -> Transaction:
        row, heap = self._row, self._heap
        if heap and not (row and row[0] < heap[0]):
            return heappop(heap)[2]
        return row.popleft()[2]

    def __len__(self) -> int:
        return len(self._row) + len(self._heap)


def _is_live(entry: Entry) -> bool:
    at, _, transaction = entry
    return transaction.woken_at == at and transaction.state is not TERMINATED
