"""SIP out of the TCP connections of a capture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from sipua.capture.sip_octets import find_start, is_sip
from sipua.capture.tcp import ACK, RST, SYN, Direction, Piece, Segment
from sipua.sip.framing import FramingError, StreamFramer

MAX_CONNECTIONS = 4096
MAX_LINE = 1024  # octets of a start line that is cut in two and has to be found
MAX_HELD = 1 << 25  # octets of unfinished messages and of what waits behind gaps

End = tuple[str, int]
"""Address and port."""


class Found(NamedTuple):
    """A message, where it came from, where it went, and the segment that completed it.

    ``missing`` is not 0 where octets were passed over; ``data`` is empty then.
    """

    source: End
    destination: End
    data: bytes
    segment: Segment
    missing: int = 0


class SipStream:
    """Cuts one direction's octets into messages. After a gap it goes on at the next start line."""

    __slots__ = ("_framer", "_in_step", "_line", "speaks_sip")

    def __init__(self, *, from_start: bool) -> None:
        self._framer = StreamFramer()
        self._in_step = from_start
        self._line = b""  # the one that has not ended, while a start line is looked for
        self.speaks_sip = False

    @property
    def held(self) -> int:
        """Octets of a message that has not ended."""
        return self._framer.buffered

    def feed(self, data: bytes, missing: int = 0) -> list[bytes]:
        """The messages which these octets complete, ``missing`` octets before them being lost."""
        if missing:
            self._lose_step()
        if not self._in_step:
            data = self._line + data
            start = find_start(data)
            if start < 0:
                self._line = data[data.rfind(b"\n") + 1 :][-MAX_LINE:]
                return []
            data = data[start:]
            self._in_step, self._line = True, b""
        try:
            found = self._framer.feed(data)
        except FramingError as error:
            found = error.messages
            if not found and is_sip(data):
                found = [data]  # without Content-Length: nobody knows where it ends
            self._lose_step()
        messages = [each for each in found if is_sip(each)]
        if messages:
            self.speaks_sip = True
        return messages

    def _lose_step(self) -> None:
        self._framer, self._in_step, self._line = StreamFramer(), False, b""


class HalfConnection:
    """What one end says to the other."""

    __slots__ = ("destination", "direction", "source", "stream")

    def __init__(self, source: End, destination: End) -> None:
        self.source = source
        self.destination = destination
        self.direction = Direction()
        self.stream = SipStream(from_start=False)

    @property
    def held(self) -> int:
        """Octets that are kept for later."""
        return self.direction.held + self.stream.held

    def open(self, sequence: int) -> Iterator[Found]:
        """A SYN: what came before it is over."""
        if self.direction.is_new(sequence):
            yield from self.read(self.direction.flush())
            self.direction.open(sequence)
            self.stream = SipStream(from_start=True)

    def read(self, pieces: list[Piece]) -> Iterator[Found]:
        """The messages in these pieces of the stream."""
        for segment, missing in pieces:
            if missing and self.stream.speaks_sip:
                yield Found(self.source, self.destination, b"", segment, missing)
            for message in self.stream.feed(segment.data, missing):
                yield Found(self.source, self.destination, message, segment)


Connection = tuple[HalfConnection, HalfConnection]


class SipConnections:
    """All connections of a capture; of too many, those are given up that were silent longest."""

    def __init__(self) -> None:
        self._connections: OrderedDict[tuple[End, End], Connection] = OrderedDict()
        self._held = 0

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def held(self) -> int:
        """Octets that are kept for later."""
        return self._held

    def take(
        self, source: str, destination: str, tcp: bytes, at: float, packet: int, comment: str
    ) -> Iterator[Found]:
        """Take a TCP segment with its header; gives the messages it completes."""
        offset = tcp[12] >> 4 << 2 if len(tcp) >= 20 else 0
        if offset < 20:
            return
        flags = tcp[13]
        sender = (source, tcp[0] << 8 | tcp[1])
        receiver = (destination, tcp[2] << 8 | tcp[3])
        forth, back = connection = self._connection(sender, receiver)
        before = forth.held + back.held
        sequence = int.from_bytes(tcp[4:8], "big")
        if flags & SYN:
            yield from forth.open(sequence)
            sequence = (sequence + 1) & 0xFFFFFFFF
        if flags & ACK:
            yield from back.read(back.direction.acknowledged(int.from_bytes(tcp[8:12], "big")))
        data = tcp[offset:]
        if data:
            yield from forth.read(
                forth.direction.take(sequence, Segment(data, at, packet, comment))
            )
        if flags & RST:
            yield from _rest(connection)
        self._held += forth.held + back.held - before
        while self._held > MAX_HELD or len(self._connections) > MAX_CONNECTIONS:
            _, oldest = self._connections.popitem(last=False)
            self._held -= oldest[0].held + oldest[1].held
            yield from _rest(oldest)

    def finish(self) -> Iterator[Found]:
        """What still waits behind gaps that nothing fills any more."""
        for connection in self._connections.values():
            yield from _rest(connection)
        self._connections.clear()
        self._held = 0

    def _connection(self, sender: End, receiver: End) -> Connection:
        """The connection, the sender's half first."""
        ordered = sender <= receiver
        key = (sender, receiver) if ordered else (receiver, sender)
        connection = self._connections.get(key)
        if connection is None:
            connection = HalfConnection(*key), HalfConnection(*reversed(key))
            self._connections[key] = connection
        else:
            self._connections.move_to_end(key)
        return connection if ordered else (connection[1], connection[0])


def _rest(connection: Connection) -> Iterator[Found]:
    for half in connection:
        yield from half.read(half.direction.flush())
