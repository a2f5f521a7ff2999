"""A card elsewhere on the network, served by vpcd's protocol (``sipua card emulate --serve``).

Nothing is encrypted and nobody proves who he is: whoever can read along sees
CK and IK. Across a network that is not your own, lead it through a tunnel.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from card.errors import NoCard, NoReader, TransmitError
from card.readers.returning import ReturningLink
from card.readers.t0 import without_le
from card.vpcd import GET_ATR, POWER_OFF, POWER_ON, RESET, Unframer, framed

CONNECT_SECONDS = 5.0
ATR_SECONDS = 5.0
ANSWER_SECONDS = 10.0
MOST_ANSWER_OCTETS = 256 + 2  # short APDUs only: data, SW1 SW2
MOST_ATR_OCTETS = 33  # ISO/IEC 7816-3 §8.2.1


class VpcdLink(ReturningLink):
    """The card that is served at ``host``:``port``.

    A connection that was lost is made anew at the next transaction. Raises
    NoReader when nobody serves there, NoCard when the card is away or another
    program has it, TransmitError when its answer is late or no answer.
    """

    def __init__(self, host: str, port: int) -> None:
        self.reader = f"vpcd:{f'[{host}]' if ':' in host else host}:{port}"
        self._address = (host, port)
        self._connection: socket.socket | None = None
        self._atr = b""
        self.connect()

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        """One command, in the form that T=0 gives it."""
        connection = self._open()
        self._expect_silence(connection)
        self._send(connection, without_le(command))
        return self._receive(connection, MOST_ANSWER_OCTETS, ANSWER_SECONDS)

    def reset(self) -> None:
        """Warm reset."""
        self._send(self._open(), RESET)

    @property
    def is_lost(self) -> bool:
        """Whether the connection ended, or was given up."""
        return self._connection is None

    def close(self) -> None:
        """Power off and hang up."""
        self.is_closed = True
        if self._connection is not None:
            with suppress(OSError):  # it has gone already
                self._connection.sendall(framed(POWER_OFF))
            self._drop()

    def connect(self) -> None:
        """Call, power the card up and hear its ATR. Raises NoReader, NoCard, TransmitError."""
        try:
            connection = socket.create_connection(self._address, CONNECT_SECONDS)
        except OSError as error:
            raise NoReader(f"nobody serves a card at {self.reader}: {_why(error)}") from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = connection
        try:
            self._send(connection, POWER_ON)
            self._send(connection, GET_ATR)
            self._atr = self._receive(connection, MOST_ATR_OCTETS, ATR_SECONDS)
        except NoCard:
            raise NoCard(
                f"{self.reader} hung up before it told an ATR: another program may have the card"
            ) from None
        if not self._atr:
            self._drop()
            raise NoCard(f"there is no card at {self.reader}: its ATR is empty")

    def _open(self) -> socket.socket:
        if self._connection is None:
            raise NoCard(f"the connection to {self.reader} is closed")
        return self._connection

    def _expect_silence(self, connection: socket.socket) -> None:
        """What was said unasked would be taken for the next answer, and a RES be wrong."""
        try:
            connection.settimeout(0)
            said = connection.recv(1)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop()
            raise NoCard(f"the card at {self.reader} went away: {_why(error)}") from None
        self._drop()
        if said:
            raise TransmitError(f"{self.reader} says more than it was asked: no card does that")
        raise NoCard(f"the card at {self.reader} went away: the other side hung up")

    def _send(self, connection: socket.socket, message: bytes) -> None:
        try:
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(framed(message))
        except OSError as error:
            self._drop()
            raise NoCard(f"the card at {self.reader} went away: {_why(error)}") from None

    def _receive(self, connection: socket.socket, most: int, seconds: float) -> bytes:
        """The one message that is the answer; after any other there is no way on."""
        end = time.monotonic() + seconds
        unframer = Unframer()
        try:
            while not (messages := unframer.feed(self._octets(connection, end))):
                if unframer.announced > most:
                    raise TransmitError(
                        f"{self.reader} announces an answer of {unframer.announced} octets;"
                        f" {most} are the most: it does not speak vpcd's protocol"
                    )
            if len(messages) > 1 or unframer.under_way or len(messages[0]) > most:
                raise TransmitError(f"{self.reader} says more than it was asked: no card does that")
        except TimeoutError:
            self._drop()
            raise TransmitError(
                f"the card at {self.reader} did not answer within {seconds:g} s"
            ) from None
        except OSError as error:
            self._drop()
            raise NoCard(f"the card at {self.reader} went away: {_why(error)}") from None
        except TransmitError:
            self._drop()
            raise
        return messages[0]

    def _octets(self, connection: socket.socket, end: float) -> bytes:
        """What comes next, before ``end`` by the clock; raises OSError at the connection's end."""
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        # a card that sends length and payload apart would be delayed by our late ACK
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        octets = connection.recv(4096)
        if not octets:
            raise ConnectionAbortedError("the other side hung up")
        return octets

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
