"""Where identifiers, tags and waiting times come from: chance is passed in, never taken."""

from __future__ import annotations

from typing import Protocol


class Randomness(Protocol):
    """What is needed of random.Random or secrets.SystemRandom."""

    def getrandbits(self, k: int, /) -> int:
        """An integer of ``k`` random bits."""
        ...
