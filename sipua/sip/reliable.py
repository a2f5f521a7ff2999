"""Reliable provisional responses (RFC 3262), both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.sip.grammar import parse_number
from sipua.sip.repetition import AGAIN, OVER, Repetition

if TYPE_CHECKING:
    from sipua.sip.message import Request, Response
    from sipua.sip.timers import TimerValues

TAG = "100rel"
MAX_FIRST_RSEQ = 2**31 - 1  # §3
MAX_RSEQ = 2**32 - 1  # §7.1


class ReliableResponses:
    """The called side: one response at a time, the next when its PRACK has come (§3).

    ``first`` is the RSeq of the first one. ``is_idle`` tells whether all were
    acknowledged.
    """

    __slots__ = ("_acknowledged", "_invite", "_queue", "_ready", "_rseq", "_timers", "_waiting")

    def __init__(self, invite: Request, first: int, timers: TimerValues) -> None:
        self._invite = invite
        self._rseq = first
        self._timers = timers
        self._queue: list[Response] = []
        self._ready: list[Response] = []
        self._waiting: Repetition | None = None
        self._acknowledged: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether no PRACK is awaited."""
        return self._waiting is None

    @property
    def holds_back(self) -> bool:
        """Whether a 2xx has to wait for a PRACK: a description is not acknowledged yet (§3)."""
        waiting = [self._waiting.response] if self._waiting else []
        return any(response.body for response in (*waiting, *self._queue))

    def send(self, response: Response, now: float) -> None:
        """Have the response sent reliably, at once or after those before it."""
        response.headers.add("Require", TAG)
        self._queue.append(response)
        self._next(now)

    def _next(self, now: float) -> None:
        if self._waiting is None and self._queue:
            response = self._queue.pop(0)
            response.headers.add("RSeq", str(self._rseq))
            self._waiting = Repetition(self._invite, response, self._timers, now)
            self._ready.append(response)

    def take(self) -> list[Response]:
        """What is to be sent now."""
        ready, self._ready = self._ready, []
        return ready

    def acknowledge(self, rack: str, now: float) -> bool:
        """Take the RAck of a PRACK; False when no response has that number (§3: 481).

        A second PRACK for one response is let through. Raises ParseError.
        """
        rseq, number, method = read_rack(rack)
        name = f"{rseq} {number} {method}"
        if name in self._acknowledged:
            return True
        cseq = self._invite.cseq
        if self._waiting is None or (rseq, number, method) != (
            self._rseq,
            cseq.number,
            cseq.method,
        ):
            return False
        self._acknowledged.add(name)
        self._waiting = None
        self._rseq += 1
        self._next(now)
        return True

    def stop(self) -> None:
        """The final response was sent: nothing is repeated any more."""
        if self._waiting is not None:
            cseq = self._invite.cseq
            self._acknowledged.add(f"{self._rseq} {cseq.number} {cseq.method}")
        self._waiting = None
        self._queue.clear()
        self._ready.clear()

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._waiting.deadline if self._waiting else None

    def tick(self, now: float) -> bool:
        """Let time pass; whether a PRACK has failed to come."""
        if self._waiting is None:
            return False
        due = self._waiting.due(now)
        if due == AGAIN:
            self._ready.append(self._waiting.response)
        return due == OVER


class RackOrder:
    """The calling side, in one early dialog: which response is the next (§4)."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def rack(self, response: Response) -> str | None:
        """RAck for the PRACK to be sent; None for a response that is none of the reliable
        ones, was acknowledged before, or came too early. Raises ParseError."""
        if not is_reliable(response):
            return None
        rseq = parse_number(response.headers.get("RSeq") or "", MAX_RSEQ, "RSeq")
        if self._last is not None and rseq != self._last + 1:
            return None
        self._last = rseq
        return f"{rseq} {response.cseq}"


def is_reliable(response: Response) -> bool:
    """Whether a PRACK is asked for; never for a 100 (§3)."""
    required = [tag.lower() for tag in response.headers.values("Require")]
    return 100 < response.status < 200 and TAG in required


def read_rack(text: str) -> tuple[int, int, str]:
    """RSeq, CSeq number and method of a RAck (§7.2); raises ParseError."""
    words = text.split()
    if len(words) != 3:
        raise ParseError(f"not a RAck: {text[:60]!r}")
    return (
        parse_number(words[0], MAX_RSEQ, "RSeq"),
        parse_number(words[1], MAX_RSEQ, "the CSeq number"),
        words[2],
    )
