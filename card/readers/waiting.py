"""Waiting for a card: until somebody puts it in, plugs the reader in or starts pcscd."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from card.errors import NoCard, NoReader, NoSuchWay, TransmitError

T = TypeVar("T")

PAUSE = 0.5
"""Seconds between two looks where nothing tells of a change; also how late Ctrl-C may be."""


class Waiting(NamedTuple):
    """How many seconds to wait for a card (infinity: without end), and who is told for what."""

    seconds: float
    tell: Callable[[str], None]


class Changes(Protocol):
    """Tells when it is worth looking again."""

    def look(self) -> None:
        """Remember how things are now."""

    def wait(self, seconds: float) -> None:
        """Come back when they are not as they were at ``look``, or after ``seconds``."""

    def close(self) -> None:
        """Give back what it takes to watch."""


class Pauses:
    """Where nothing tells of a change: look again after a pause."""

    def look(self) -> None:
        """Nothing to remember."""

    def wait(self, seconds: float) -> None:
        """A short pause."""
        time.sleep(min(PAUSE, seconds))

    def close(self) -> None:
        """Nothing to give back."""


def awaited(reach: Callable[[], T], waiting: Waiting, changes: Changes) -> T:
    """What ``reach`` gives, as soon as it gives anything.

    When the time is over its last failure is raised; a failure that no waiting
    mends (NoSuchWay) at once. Each reason to wait is told once in a row.
    """
    end = time.monotonic() + waiting.seconds
    told = ""
    try:
        while True:
            changes.look()
            try:
                return reach()
            except NoSuchWay:
                raise
            except (NoReader, NoCard, TransmitError) as reason:
                left = end - time.monotonic()
                if left <= 0:
                    raise
                if str(reason) != told:
                    told = str(reason)
                    waiting.tell(f"Waiting for a card: {told}")
            changes.wait(left)
    finally:
        changes.close()
