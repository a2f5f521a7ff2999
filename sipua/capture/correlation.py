"""Which attempt and which round of authentication a packet belongs to.

An attempt is all that shares a Call-ID; a round begins with each challenge.
"""

from __future__ import annotations

from collections import OrderedDict

MAX_ATTEMPTS = 256  # that are remembered at a time
CHALLENGES = (b"SIP/2.0 401 ", b"SIP/2.0 407 ")
NAMES = (b"\ncall-id:", b"\ni:")  # RFC 3261 §20.8


class Attempt:
    """What shares one Call-ID."""

    __slots__ = ("_text", "call_id", "last", "number", "round")

    def __init__(self, number: int, call_id: str) -> None:
        self.number = number
        self.call_id = call_id
        self.round = 0
        self.last: dict[str, bytes] = {}
        self._text = f"attempt {number}, Call-ID {call_id}"

    def __str__(self) -> str:
        return self._text

    def challenged(self) -> None:
        """A round begins."""
        self.round += 1
        self._text = f"attempt {self.number}, round {self.round}, Call-ID {self.call_id}"


class Correlation:
    """Told of each message in turn; ``current`` is the attempt that the card works for."""

    def __init__(self) -> None:
        self.current: Attempt | None = None
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()
        self._count = 0

    def take(self, direction: str, data: bytes) -> tuple[Attempt, bool]:
        """The attempt of a message, and whether the message was the last of its direction there
        already: a retransmission.
        """
        call_id = _call_id(data)
        attempt = self._attempts.get(call_id)
        if attempt is None:
            self._count += 1
            if len(self._attempts) >= MAX_ATTEMPTS:
                self._attempts.popitem(last=False)
            attempt = self._attempts[call_id] = Attempt(self._count, call_id)
        again = attempt.last.get(direction) == data
        attempt.last[direction] = data
        if direction == "received" and not again and data.startswith(CHALLENGES):
            attempt.challenged()
            self.current = attempt
        elif direction == "sent":
            self.current = attempt
        return attempt, again


def _call_id(data: bytes) -> str:
    at = data.find(b"\nCall-ID:")
    size = 9
    if at < 0:
        head = data[: data.find(b"\r\n\r\n") + 2].lower()
        for name in NAMES:
            at, size = head.find(name), len(name)
            if at >= 0:
                break
        else:
            return ""
    end = data.find(b"\r\n", at + size)
    return data[at + size : end if end >= 0 else None].strip().decode("utf-8", "replace")
