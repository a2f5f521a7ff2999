"""The near end of every network that a test plays by hand: one UDP socket and its thread."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse

PATIENCE = 30.0


class NetworkByHand:
    """Serves while it is a context: ``hear`` gets each datagram, or ``take`` what is in
    it, in a thread of its own.

    ``terminal`` is who sent the last one.
    """

    def __init__(self) -> None:
        self.terminal = ("", 0)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.place = f"udp:{self.address}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def hop(self) -> Hop:
        return Hop("UDP", *self._socket.getsockname())

    def hear(self, data: bytes) -> None:
        """One datagram that has come."""
        self.take(parse(data))

    def take(self, message: Request | Response) -> None:
        """The message in it."""
        raise NotImplementedError

    def say(self, message: Request | Response | bytes) -> None:
        """Send to the terminal."""
        data = message if isinstance(message, bytes) else message.to_bytes()
        self._socket.sendto(data, self.terminal)

    def _serve(self) -> None:
        while True:
            data, source = self._socket.recvfrom(65535)
            if not data:  # our own, from __exit__
                return
            self.terminal = source
            self.hear(data)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(PATIENCE)
        self._socket.close()
