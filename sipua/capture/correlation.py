"""Which attempt and which round of authentication a packet belongs to.

An attempt is all that shares a Call-ID; a round begins with each challenge.
"""

from __future__ import annotations

from collections import OrderedDict

MAX_ATTEMPTS = 256  # that are remembered at a time
CHALLENGES = (b"SIP/2.0 401 ", b"SIP/2.0 407 ")
CALL_ID = (b"\nCall-ID:", b"\ncall-id:", b"\ni:")  # RFC 3261 §20.8
CSEQ = (b"\nCSeq:", b"\ncseq:")


class Attempt:
    """What shares one Call-ID."""

    __slots__ = ("_text", "call_id", "last", "number", "round", "transport")

    def __init__(self, number: int, call_id: str) -> None:
        self.number = number
        self.call_id = call_id
        self.round = 0
        self.last: dict[str, bytes] = {}
        self.transport = ""  # of what we sent last
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

    def take(self, direction: str, data: bytes, transport: str) -> tuple[Attempt, str]:
        """The attempt of a message, and what is to be said of one that was there before: it
        is a retransmission, or goes another way because the first one failed.
        """
        call_id = _header(data, CALL_ID)
        attempt = self._attempts.get(call_id)
        if attempt is None:
            self._count += 1
            if len(self._attempts) >= MAX_ATTEMPTS:
                self._attempts.popitem(last=False)
            attempt = self._attempts[call_id] = Attempt(self._count, call_id)
        last = attempt.last.get(direction, b"")
        again = "a retransmission" if last == data else ""
        attempt.last[direction] = data
        if direction == "received" and not again and data.startswith(CHALLENGES):
            attempt.challenged()
            self.current = attempt
        elif direction == "sent":
            self.current = attempt
            if transport != attempt.transport:  # RFC 3261 §18.1.1
                is_request = not data.startswith(b"SIP/")
                if attempt.transport and is_request and _header(last, CSEQ) == _header(data, CSEQ):
                    again = f"sent again by {transport}: it did not go by {attempt.transport}"
                attempt.transport = transport
        return attempt, again


def _header(data: bytes, names: tuple[bytes, ...]) -> str:
    """The first header field of these names, as we write it and in lower case; "" without one."""
    usual, *others = names
    at = data.find(usual)
    size = len(usual)
    if at < 0:
        head = data[: data.find(b"\r\n\r\n") + 2].lower()
        for name in others:
            at, size = head.find(name), len(name)
            if at >= 0:
                break
        else:
            return ""
    end = data.find(b"\r\n", at + size)
    return data[at + size : end if end >= 0 else None].strip().decode("utf-8", "replace")
