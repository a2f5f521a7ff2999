"""Put an emulated card into pcscd's virtual reader (vsmartcard's vpcd, over TCP).

vpcd listens, the card connects. Each message is a length of 2 octets, big
endian, and that many octets: one octet is a control, more are a command APDU.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

from card.errors import NoReader, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from card.emulator.card import EmulatedCard

PORT = 35963
"""The first virtual reader of Debian's vsmartcard-vpcd; the second is one higher."""

_POWER_OFF, _POWER_ON, _RESET, _GET_ATR = 0, 1, 2, 4

_CONNECT_SECONDS = 5.0
_FIRST_WORD_SECONDS = 3.0  # pcscd asks a new card for its ATR within half a second
_RECONNECT_SECONDS = 0.2
_MEMORY_PROBLEM = b"\x65\x81"


class Shown(Protocol):
    """A card that somebody is being shown: VpcdCard, or VpcdServer."""

    def run(self, on_ready: Callable[[], None]) -> None:
        """Be the card until ``stop``."""
        ...

    def stop(self) -> None:
        """Make ``run`` return soon; from any thread."""
        ...


S = TypeVar("S", bound=Shown)


def show(cards: Sequence[S], on_ready: Callable[[S], None]) -> None:
    """Be several cards at once, each in a thread of its own, until they are stopped.

    ``on_ready`` is called with each card when its reader has taken it. When one
    ends, all end; what it raised is raised here.
    """
    failures: list[Exception] = []

    def be(card: S) -> None:
        try:
            card.run(lambda: on_ready(card))
        except Exception as error:  # noqa: BLE001  it is raised below
            failures.append(error)
        for each in cards:
            each.stop()

    threads = [threading.Thread(target=be, args=(card,)) for card in cards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class VpcdCard:
    """A card in the virtual reader at ``host``:``port``, until ``stop`` is called."""

    def __init__(self, card: EmulatedCard, host: str = "127.0.0.1", port: int = PORT) -> None:
        self._card = card
        self.port = port
        self._address = (host, port)
        self._stopped = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def stop(self) -> None:
        """Make ``run`` return soon; from any thread or a signal handler, more than once."""
        self._stopped = True
        if self._wake_write >= 0:
            os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Give back what ``stop`` needs, after ``run`` has returned. May be called twice."""
        for descriptor in (self._wake_read, self._wake_write):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake_read = self._wake_write = -1

    def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Be the card until ``stop``; reconnects when pcscd is restarted.

        ``on_ready`` is called once, when the reader has taken the card. Raises
        NoReader when no virtual reader is there or it holds another card, and
        StateError when the card cannot remember what it must.
        """
        connection = self._connect()
        try:
            self._serve(connection, on_ready or _nothing, _FIRST_WORD_SECONDS)
            while not self._stopped:
                connection.close()
                self._wait(_RECONNECT_SECONDS)
                try:
                    connection = socket.create_connection(self._address, _CONNECT_SECONDS)
                except OSError:
                    continue
                self._serve(connection, _nothing, None)
        finally:
            connection.close()

    def _connect(self) -> socket.socket:
        host, port = self._address
        try:
            return socket.create_connection(self._address, _CONNECT_SECONDS)
        except OSError as error:
            raise NoReader(
                f"no virtual reader at {host}:{port} ({error.strerror or error}): pcscd with the"
                " vpcd driver must be running (on Debian the packages pcscd and vsmartcard-vpcd,"
                " then: systemctl restart pcscd)"
            ) from None

    def _serve(
        self, connection: socket.socket, on_ready: Callable[[], None], patience: float | None
    ) -> None:
        """Answer one connection until its end or ``stop``; ``patience`` seconds for a first word.

        vpcd accepts one card a reader; further connections wait in the kernel.
        """
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waited = select.poll()
        waited.register(connection, select.POLLIN)
        waited.register(self._wake_read, select.POLLIN)
        received = bytearray()
        self._card.reset()
        while not self._stopped:
            # vpcd sends length and payload apart: without this the kernel delays the ACK
            # between them by 40 ms, and it forgets the option at every chance
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not waited.poll(patience and patience * 1000):
                host, port = self._address
                raise NoReader(
                    f"the virtual reader at {host}:{port} does not take the card; another one is"
                    f" in it already: end that, or take the next reader (port {port + 1})"
                )
            if self._stopped:
                return
            try:
                octets = connection.recv(65536)
                if not octets:
                    return
                received += octets
                while (end := _message_end(received)) and not self._stopped:
                    self._answer(connection, bytes(received[2:end]))
                    del received[:end]
                    on_ready()
                    on_ready, patience = _nothing, None
            except ConnectionError:
                return

    def _answer(self, connection: socket.socket, message: bytes) -> None:
        if len(message) > 1:
            try:
                answer = self._card.transmit(message)
            except StateError:
                _send(connection, _MEMORY_PROBLEM)
                raise
            _send(connection, answer)
        elif message in (bytes([_POWER_OFF]), bytes([_POWER_ON]), bytes([_RESET])):
            self._card.reset()
        elif message == bytes([_GET_ATR]):
            _send(connection, self._card.atr)

    def _wait(self, seconds: float) -> None:
        waited = select.poll()
        waited.register(self._wake_read, select.POLLIN)
        waited.poll(seconds * 1000)


def _nothing() -> None:
    """Nobody asked to be told."""


def _message_end(received: bytearray) -> int:
    """Where the first message ends; 0 while it is not complete."""
    if len(received) < 2:
        return 0
    end = 2 + int.from_bytes(received[:2], "big")
    return end if len(received) >= end else 0


def _send(connection: socket.socket, payload: bytes) -> None:
    """Length and payload in one segment."""
    connection.sendall(len(payload).to_bytes(2, "big") + payload)
