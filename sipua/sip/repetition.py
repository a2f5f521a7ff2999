"""A response that is sent again and again until the peer acknowledges it.

A 2xx to INVITE until its ACK (RFC 3261 §13.3.1.4) and a reliable provisional
response until its PRACK (RFC 3262 §3); over every transport, as the transaction
layer knows of neither acknowledgement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip.transaction.machine import NEVER

if TYPE_CHECKING:
    from sipua.sip.message import Request, Response
    from sipua.sip.timers import TimerValues

AGAIN = "again"
OVER = "over"


class Repetition:
    """One response: after T1 again, then after twice the time, no later than every ``cap``
    seconds; over when 64*T1 have passed."""

    __slots__ = ("_again", "_cap", "_interval", "_over", "request", "response")

    def __init__(
        self,
        request: Request,
        response: Response,
        timers: TimerValues,
        now: float,
        cap: float = NEVER,
    ) -> None:
        self.request = request
        self.response = response
        self._cap = cap
        self._interval = timers.t1
        self._again = now + timers.t1
        self._over = now + timers.transaction

    @property
    def deadline(self) -> float:
        """When ``due`` has something to say."""
        return min(self._again, self._over)

    def due(self, now: float) -> str:
        """AGAIN when it is to be sent once more, OVER when it was in vain, else ""."""
        if now >= self._over:
            return OVER
        if now < self._again:
            return ""
        self._interval = min(2 * self._interval, self._cap)
        self._again = now + self._interval
        return AGAIN
