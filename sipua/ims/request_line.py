"""Our requests inside a dialog, one after the other.

A request that overtook another on the way would have the other refused for its
CSeq (RFC 3261 §12.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.ims.call_request import CallRequests, Failure
    from sipua.sip.message import Request, Response

    Write = Callable[[], Request]
    Hear = Callable[[Response, float], None]
    Lose = Callable[[Failure, float], None]

AT_ONCE = frozenset({"BYE", "PRACK"})
"""Methods that wait for no other request of ours."""


class RequestLine:
    """The requests of one dialog that wait for the one before to be answered."""

    __slots__ = ("_busy", "_requests", "_waiting")

    def __init__(self, requests: CallRequests) -> None:
        self._requests = requests
        self._busy = 0
        self._waiting: list[tuple[Write, Hear, Lose]] = []

    def send(
        self, write: Write, hear: Hear, lose: Lose, now: float, *, at_once: bool = False
    ) -> None:
        """Send it now, or when its turn comes; the arguments are those of CallRequests.send."""
        if self._busy and not at_once:
            self._waiting.append((write, hear, lose))
            return
        self._busy += 1
        over = False

        def finish(now: float) -> None:
            nonlocal over
            if not over:
                over = True
                self._busy -= 1
                if self._waiting and not self._busy:
                    self.send(*self._waiting.pop(0), now)

        def heard(response: Response, now: float) -> None:
            hear(response, now)
            if response.status >= 200:
                finish(now)

        def lost(failure: Failure, now: float) -> None:
            lose(failure, now)
            finish(now)

        self._requests.send(write, heard, lost, now)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
