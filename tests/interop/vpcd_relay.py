"""A wire between vpcd and an emulated card that can be cut at a chosen command.

So the card leaves the reader at that very moment, with no race in the test.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Literal

AUTHENTICATE = 0x88  # INS, TS 31.102 §7.1.2

Moment = Literal["before the card sees it", "before its answer arrives"]


class VpcdRelay:
    """Listens on ``port`` for one card and carries it to vpcd; cut at the first AUTHENTICATE."""

    def __init__(self, vpcd_port: int, moment: Moment) -> None:
        self._moment = moment
        self._vpcd_port = vpcd_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut = threading.Event()
        self._ends: list[socket.socket] = []
        self._due = threading.Event()
        self._threads = [threading.Thread(target=self._carry, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Take the card out, if it is still in, and end."""
        self._cut()
        for thread in self._threads:
            thread.join(5)

    def _carry(self) -> None:
        try:
            card, _ = self._listener.accept()
        except OSError:
            return  # closed before a card came
        vpcd = socket.create_connection(("127.0.0.1", self._vpcd_port))
        self._ends = [card, vpcd]
        back = threading.Thread(target=self._answers, args=[card, vpcd], daemon=True)
        self._threads.append(back)
        back.start()
        for message in _messages(vpcd):
            if message[1:2] == bytes([AUTHENTICATE]):
                self._due.set()
                if self._moment == "before the card sees it":
                    break
            _send(card, message)
        self._cut()

    def _answers(self, card: socket.socket, vpcd: socket.socket) -> None:
        for message in _messages(card):
            if self._due.is_set():
                break
            _send(vpcd, message)
        self._cut()

    def _cut(self) -> None:
        for end in [self._listener, *self._ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.cut.set()


def _messages(source: socket.socket) -> Iterator[bytes]:
    """What arrives, message by message: length of 2 octets, then that many."""
    with contextlib.suppress(OSError):
        while head := source.recv(2, socket.MSG_WAITALL):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            yield source.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)


def _send(target: socket.socket, message: bytes) -> None:
    with contextlib.suppress(OSError):
        target.sendall(len(message).to_bytes(2, "big") + message)
