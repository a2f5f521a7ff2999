"""Whole messages out of a TCP or TLS stream (RFC 3261 §18.3, RFC 5626 §4.4.1)."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.fields import read_lines
from sipua.sip.grammar import parse_number
from sipua.sip.limits import MAX_BODY, MAX_HEAD
from sipua.sip.message import MAX_LENGTH

PING = b"\r\n\r\n"
PONG = b"\r\n"


class FramingError(ParseError):
    """The stream cannot be followed any further; the connection is to be closed.

    ``messages`` are those that ended before the fault, and last the head that
    showed it, if a server should answer that one before it closes.
    """

    def __init__(self, text: str, status: int, messages: list[bytes]) -> None:
        super().__init__(text, status)
        self.messages = messages


class StreamFramer:
    """Cuts one connection's octets into messages. Each octet is looked at once."""

    __slots__ = ("_after_line_end", "_buffer", "_fault", "_searched", "_size")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # octets known to hold no end of head
        self._size = 0  # octets of the message at hand, 0 while its head is incomplete
        self._after_line_end = False
        self._fault: FramingError | None = None

    @property
    def buffered(self) -> int:
        """Octets of a message that has not ended yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets, give the messages and keep-alives (PING, PONG) they complete.

        A ping that arrives in halves is seen as a pong and then a ping. Raises
        FramingError, also for whatever is fed after one.
        """
        if self._fault:
            raise FramingError(str(self._fault), self._fault.status, [])
        self._buffer += data
        found: list[bytes] = []
        try:
            while self._advance(found):
                pass
        except ParseError as error:
            self._buffer.clear()
            self._fault = FramingError(str(error), error.status, found)
            raise self._fault from error
        return found

    def _advance(self, found: list[bytes]) -> bool:
        """Move one step; False when more octets are needed."""
        buffer = self._buffer
        if not self._size:
            if buffer.startswith(PONG):
                self._line_end(found)
                return True
            end = buffer.find(b"\r\n\r\n", self._searched, MAX_HEAD)
            if end < 0:
                if len(buffer) >= MAX_HEAD:
                    found.append(bytes(buffer[:MAX_HEAD]))
                    raise ParseError("the head is larger than is accepted here", 513)
                self._searched = max(0, len(buffer) - 3)
                return False
            self._size = end + 4 + _body_length(bytes(buffer[: end + 4]), found)
        if len(buffer) < self._size:
            return False
        found.append(bytes(buffer[: self._size]))
        del buffer[: self._size]
        self._size = self._searched = 0
        self._after_line_end = False
        return bool(buffer)

    def _line_end(self, found: list[bytes]) -> None:
        """A CRLF between messages: two in a row are a ping, one alone is a pong."""
        del self._buffer[:2]
        self._searched = 0
        if self._after_line_end:
            found.append(PING)
            self._after_line_end = False
        else:
            self._after_line_end = True
            if not self._buffer:
                found.append(PONG)
            elif not self._buffer.startswith(PONG):
                self._after_line_end = self._buffer[:1] == b"\r"


def _body_length(head: bytes, found: list[bytes]) -> int:
    """What Content-Length says; a stream has to say it (RFC 3261 §20.14)."""
    headers, _ = read_lines(head[:-4].decode("utf-8", "surrogateescape").split("\r\n"))
    lengths = headers.all("Content-Length")
    if not lengths:
        raise ParseError("a message without Content-Length on a stream")
    try:
        if len(lengths) > 1:
            raise ParseError("more than one Content-Length")
        length = parse_number(lengths[0], MAX_LENGTH, "Content-Length")
        if length > MAX_BODY:
            raise ParseError(f"a body of {length} octets is larger than is accepted here", 513)
    except ParseError:
        found.append(head)
        raise
    return length
