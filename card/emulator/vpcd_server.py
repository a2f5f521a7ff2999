"""Offer an emulated card on a TCP port, to whoever connects and speaks vpcd's protocol.

The other direction of ``card.emulator.vpcd``: here the card listens. ``--card
vpcd:HOST:PORT`` connects to it, and so does a vpcd that is told a host to go to.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING

from card.errors import NoReader, StateError
from card.vpcd import GET_ATR, POWER_OFF, POWER_ON, RESET, Unframer, framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.emulator.card import EmulatedCard

MESSAGE_SECONDS = 5.0
"""In which a peer must say its first message, end one that it began, and take an answer."""

KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""A peer that has vanished without a word is given up after a minute (seconds, probes)."""

MEMORY_PROBLEM = b"\x65\x81"


class VpcdServer:
    """One card for one peer at a time, from ``host``:``port``, until ``stop``.

    A second peer is hung up on while the first one has the card. ``port`` 0
    takes a free one; ``port`` tells which. Raises NoReader when the address
    cannot be listened on.
    """

    def __init__(self, card: EmulatedCard, host: str, port: int) -> None:
        self._card = card
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family)
        except OSError as error:
            why = error.strerror or error
            raise NoReader(f"cannot offer the card at {host}:{port}: {why}") from None
        self.port: int = self._listener.getsockname()[1]
        self._stopped = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def stop(self) -> None:
        """Make ``run`` return soon; from any thread or a signal handler, more than once."""
        self._stopped = True
        if self._wake_write >= 0:
            os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Stop listening, after ``run`` has returned. May be called twice."""
        self._listener.close()
        for descriptor in (self._wake_read, self._wake_write):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake_read = self._wake_write = -1

    def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Be the card until ``stop``. Raises StateError when it cannot remember what it must."""
        if on_ready is not None:
            on_ready()
        while not self._stopped:
            if self._listener in self._wait([self._listener], None):
                connection, _ = self._listener.accept()
                with connection:
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        """Answer one peer until it leaves, is too slow, or ``stop``."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        connection.settimeout(MESSAGE_SECONDS)
        self._card.reset()
        unframer = Unframer()
        end: float | None = time.monotonic() + MESSAGE_SECONDS
        while not self._stopped:
            # forgotten by the kernel at every chance; without it a peer that sends length and
            # payload apart, as vpcd does, waits 40 ms for our ACK between them
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            ready = self._wait([self._listener, connection], end)
            if connection in ready:
                try:
                    octets = connection.recv(65536)
                    if not octets:
                        return
                    began = unframer.under_way
                    messages = unframer.feed(octets)
                    for message in messages:
                        self._answer(connection, message)
                except OSError:
                    return
                if not unframer.under_way:
                    end = None
                elif messages or not began:
                    end = time.monotonic() + MESSAGE_SECONDS
            elif self._listener in ready:
                self._listener.accept()[0].close()
            if end is not None and time.monotonic() >= end:
                return

    def _answer(self, connection: socket.socket, message: bytes) -> None:
        if len(message) > 1:
            try:
                answer = self._card.transmit(message)
            except StateError:
                connection.sendall(framed(MEMORY_PROBLEM))
                raise
            connection.sendall(framed(answer))
        elif message in (POWER_OFF, POWER_ON, RESET):
            self._card.reset()
        elif message == GET_ATR:
            connection.sendall(framed(self._card.atr))

    def _wait(self, sources: list[socket.socket], end: float | None) -> list[socket.socket]:
        """Which of ``sources`` have something; none of them when ``end`` or ``stop`` came first."""
        waited = select.poll()
        waited.register(self._wake_read, select.POLLIN)
        for source in sources:
            waited.register(source, select.POLLIN)
        left = None if end is None else max(0.0, end - time.monotonic()) * 1000
        found = {descriptor for descriptor, _ in waited.poll(left)}
        return [source for source in sources if source.fileno() in found]
