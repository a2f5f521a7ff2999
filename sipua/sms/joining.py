"""Parts of longer messages, in whatever order they come, put together again.

Memory is bounded by the number of unfinished messages; a part comes in one RPDU,
so that none is large.
"""

from __future__ import annotations

from typing import NamedTuple

from sipua.sms.user_data import UserData, decode

MAX_UNFINISHED = 64
"""Messages that wait for parts; the oldest is given up for a new one."""

PATIENCE = 86400.0
"""Seconds for which a message waits for its next part."""

MISSING = "…"
"""Stands in a text for parts that never came."""

Key = tuple[str, int, int, bool]
"""Originator, reference, how many parts, and whether the reference is wide."""


class Joined(NamedTuple):
    """A text, and how many of its parts there are."""

    text: str
    parts: int = 1
    missing: int = 0
    originator: str = ""


class _Unfinished:
    __slots__ = ("deadline", "pieces")

    def __init__(self) -> None:
        self.pieces: dict[int, UserData] = {}
        self.deadline = 0.0


class Joiner:
    """Takes user data as it comes, gives texts as they are complete."""

    def __init__(self, limit: int = MAX_UNFINISHED, patience: float = PATIENCE) -> None:
        self._limit = limit
        self._patience = patience
        self._unfinished: dict[Key, _Unfinished] = {}

    def add(self, originator: str, user_data: UserData, now: float) -> list[Joined]:
        """Take one message; of the texts that are given, one may be another that gave way.

        A part that came before changes nothing.
        """
        part = user_data.part
        if part is None or part.total == 1:
            return [Joined(user_data.text, originator=originator)]
        key = (originator, part.reference, part.total, part.wide)
        joined = []
        if key not in self._unfinished:
            if len(self._unfinished) >= self._limit:
                joined.append(self._finish(next(iter(self._unfinished))))
            self._unfinished[key] = _Unfinished()
        unfinished = self._unfinished[key]
        unfinished.pieces.setdefault(part.number, user_data)
        unfinished.deadline = now + self._patience
        if len(unfinished.pieces) == part.total:
            joined.append(self._finish(key))
        return joined

    def deadline(self) -> float | None:
        """When ``expire`` has something to give."""
        return min((each.deadline for each in self._unfinished.values()), default=None)

    def expire(self, now: float) -> list[Joined]:
        """The texts that have waited too long, as far as they came."""
        late = [key for key, each in self._unfinished.items() if now >= each.deadline]
        return [self._finish(key) for key in late]

    def _finish(self, key: Key) -> Joined:
        originator, _, total, _ = key
        pieces = self._unfinished.pop(key).pieces
        text, run = "", b""
        before: UserData | None = None
        for number in range(1, total + 1):
            piece = pieces.get(number)
            # Senders cut surrogate pairs: what is of one alphabet is decoded as a whole.
            if before is not None and (piece is None or piece.coding != before.coding):
                text, run = text + decode(run, before.coding), b""
            if piece is None:
                text += "" if text.endswith(MISSING) else MISSING
            else:
                run += piece.content
            before = piece
        if before is not None:
            text += decode(run, before.coding)
        return Joined(text, len(pieces), total - len(pieces), originator)
