"""SIP over one TCP connection: framing, bounded buffers, keep-alive (RFC 3261 §18.3)."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.errors import Unreachable
from sipua.net.address import numeric_host, unreachable
from sipua.net.events import Received
from sipua.net.readiness import EVENT_READ, EVENT_WRITE
from sipua.sip.framing import PING, PONG, FramingError, StreamFramer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.errors import NetworkError
    from sipua.net.streams import Streams
    from sipua.sip.hop import Hop

MAX_QUEUED = 1 << 18  # octets that wait for a peer which does not read
READ_SIZE = 1 << 16

ABORT = struct.pack("ii", 1, 0)  # struct linger: close() discards what is unsent, and resets

# A peer that vanished without a word is noticed by the kernel.
TCP_OPTIONS = (
    ("TCP_KEEPIDLE", 60),  # seconds of silence before the first probe
    ("TCP_KEEPINTVL", 15),  # seconds
    ("TCP_KEEPCNT", 4),
    ("TCP_USER_TIMEOUT", 32_000),  # milliseconds unacknowledged: 64*T1, as transactions give up
)

CONNECTING, SECURING, OPEN, DRAINING, CLOSED = (
    "connecting",
    "securing",  # the TLS handshake
    "open",
    "draining",  # the peer has said its last word and may still read ours
    "closed",
)


STALLED = {
    CONNECTING: "nothing answered; check the address and the firewalls on the way",
    SECURING: "the TLS handshake came to no end; check that the peer speaks TLS at this port",
}


class Connection:
    """One connection, opened here or accepted; octets in, whole messages out.

    The states follow each other in the order above; CLOSED can come at any time.
    """

    name: str | None = None  # that the peer's certificate was checked for; TLS sets it

    def __init__(
        self, streams: Streams, to_use: socket.socket, hop: Hop, *, opened_here: bool
    ) -> None:
        """``to_use`` is connecting (opened here) or connected (accepted), and non-blocking."""
        self._streams = streams
        self._socket = to_use
        self._fileno = to_use.fileno()
        self.hop = hop
        self.opened_here = opened_here
        name = to_use.getsockname()
        self.flow = hop._replace(local=(numeric_host(name), name[1]))
        self.state = CONNECTING
        self.known = False  # whether the peer has sent anything that makes sense
        self._framer = StreamFramer()
        self._queued = bytearray()
        self._watched = 0
        self._pinged = False
        self._answers_pings = False
        self._owed = 0  # requests of the peer without a final response
        self._last_word: NetworkError | None = None  # why DRAINING will end in CLOSED
        self._set_options()

    def _set_options(self) -> None:
        options = [
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        ]
        for name, value in TCP_OPTIONS:
            if hasattr(socket, name):  # not every system has each
                options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        for level, option, value in options:
            with suppress(OSError):
                self._socket.setsockopt(level, option, value)

    def start(self) -> None:
        """Begin to watch the socket."""
        self._streams.hurry(self)
        if self.opened_here:
            self._watch(EVENT_WRITE)
        else:
            self._attempt(self._advance)

    def send(self, data: bytes) -> None:
        """Send, or keep until the connection takes it; a peer that never reads is given up."""
        waiting = len(self._queued)
        if waiting + len(data) > MAX_QUEUED:
            self.close(Unreachable(f"{self.hop}: the peer does not read; {waiting} octets wait"))
            return
        self._queued += data
        if data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 1"):
            self._owed -= 1
        if not waiting and self.state in {OPEN, DRAINING}:
            self._attempt(self._flush)

    def ping(self) -> None:
        """Send the double CRLF; a peer that has answered one before must answer in STALL_TIME.

        One that never did may not know RFC 5626. If it is gone, the kernel will
        find out, having octets to get acknowledged (TCP_USER_TIMEOUT).
        """
        self.send(PING)
        if self.state == OPEN:
            self._pinged = True
            if self._answers_pings:
                self._streams.hurry(self)

    def ready(self, mask: int) -> None:
        """Go on, the socket being ready for something."""
        if self.state != CLOSED:
            self._attempt(self._advance)

    def close(self, error: NetworkError | None) -> None:
        """Close; ``error`` is what the users of this connection are told, None for nothing."""
        if self.state != CLOSED:
            self.state = CLOSED
            self._watch(0)
            self._shut()
            self._streams.forget(self, error)

    def cut(self, error: NetworkError | None) -> None:
        """Close at once by RST (RFC 9293 §3.10.4): nothing can be exchanged any more, and
        neither side is left to repeat what the other will never acknowledge."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.close(error)

    def stalled(self) -> None:
        """Close because the time for the present step is over."""
        if self._pinged and self._answers_pings:
            said = "no answer to a keep-alive; the way to the peer is lost"
        else:
            said = STALLED.get(self.state, "a message began and never ended")
        self.close(self._last_word or Unreachable(f"{self.hop}: {said}"))

    # What TLS does in another way

    def _establish(self) -> None:
        """Turn the connected socket into one that carries octets."""
        self._opened()

    def _shut(self) -> None:
        self._socket.close()

    def _must_wait(self, error: OSError) -> bool:
        return isinstance(error, BlockingIOError)

    def _failure(self, error: OSError) -> NetworkError:
        return unreachable(self.hop, error)

    def _has_more(self) -> bool:
        return False

    # The steps

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            if not self._must_wait(error):
                self.close(self._failure(error))

    def _advance(self) -> None:
        if self.state == CONNECTING:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, "")
            self.state = SECURING
        if self.state == SECURING:
            self._establish()
        if self.state in {OPEN, DRAINING} and self._queued:
            self._attempt(self._flush)
        if self.state == OPEN:
            self._read()

    def _opened(self) -> None:
        self.state = OPEN
        self._streams.relax(self)
        self._watch(EVENT_READ)
        if self._queued:
            self._attempt(self._flush)

    def _read(self) -> None:
        while True:
            data = self._socket.recv(READ_SIZE)
            if not data:
                self._end(Unreachable(f"{self.hop}: the peer closed the connection"))
            else:
                self._feed(data)
            if self.state != OPEN or not self._has_more():
                return

    def _feed(self, data: bytes) -> None:
        try:
            arrived = self._framer.feed(data)
        except FramingError as error:
            self._misunderstood(error)
            return
        self._report(arrived)
        if self._pinged and PONG in arrived:
            self._answers_pings = True
        if arrived or self._pinged:
            self._pinged = False
            self._streams.relax(self)
            self._streams.heard(self)
        unfinished = self._framer.buffered
        if unfinished:
            self._streams.hurry(self)
        self._streams.hold(self, unfinished)
        if PING in arrived:
            self.send(PONG * arrived.count(PING))

    def _report(self, arrived: list[bytes]) -> None:
        for message in arrived:
            if len(message) > len(PING):
                if not message.startswith(b"SIP/2.0 "):
                    self._owed += 1
                self._streams.events.append(Received(message, self.flow))

    def _misunderstood(self, error: FramingError) -> None:
        """Hand over what can still be answered; nothing that follows can be made out."""
        self._report(error.messages)
        self._end(Unreachable(f"{self.hop} sent what is not SIP: {error}"))

    def _end(self, error: NetworkError) -> None:
        """Read no more; a peer which has asked something may still read the answer."""
        if self.opened_here or self._owed <= 0:
            self.close(error)
        else:
            self.state = DRAINING
            self._last_word = error
            self._watch(EVENT_WRITE if self._queued else 0)
            self._streams.drain(self)

    def _flush(self) -> None:
        queued = self._queued
        try:
            while queued:
                del queued[: self._socket.send(queued)]
        finally:
            reading = EVENT_READ if self.state == OPEN else 0
            self._watch(reading | EVENT_WRITE if queued else reading)
        if self.state == DRAINING and self._owed <= 0:
            self.close(self._last_word)

    def _watch(self, wanted: int) -> None:
        readiness = self._streams.readiness
        if wanted == self._watched:
            return
        if not wanted:
            readiness.unregister(self._fileno)
        elif self._watched:
            readiness.modify(self._fileno, wanted, self.ready)
        else:
            readiness.register(self._fileno, wanted, self.ready)
        self._watched = wanted
