"""Ctrl-C once: hang up, de-register, end in order. Twice: end at once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from sipua.agent.registrant import Registrant

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """From ``arm`` on a signal interrupts the user agent; a second one raises KeyboardInterrupt.

    As a context manager it puts back what the signals did before.
    """

    def __init__(self, agent: Registrant) -> None:
        self._agent = agent
        self._before: dict[int, Any] = {}

    def arm(self) -> None:
        """Take the signals over; only the main thread may."""
        if not self._before:
            self._before = {number: signal.signal(number, self._stop) for number in SIGNALS}

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        self._agent.interrupt()

    def __enter__(self) -> Interruption:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
