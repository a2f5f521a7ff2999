"""A network that lets everybody register and then answers as a test tells it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from sipua.sip.framing import StreamFramer
from sipua.sip.message import Request, parse
from sipua.sip.response import create_response

Answer = Callable[[Request, int], tuple[int, list[tuple[str, str]]]]


class HostileProxy:
    """Listens on TCP. ``answer`` gets each other request and its number; it gives status and
    headers. ``granted`` follows the Contact in the answer to REGISTER."""

    def __init__(self, answer: Answer, granted: str = "") -> None:
        self.registers: list[Request] = []
        self._granted = granted
        self.requests: list[Request] = []
        self.acks: list[Request] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        self._peer: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> HostileProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        if self._peer is not None:
            with suppress(OSError):
                self._peer.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def methods(self) -> list[str]:
        """Of all requests but REGISTER and ACK."""
        return [request.method for request in self.requests]

    def _serve(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        self._peer = peer
        framer = StreamFramer()
        with peer:
            while True:
                try:
                    data = peer.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                for each in framer.feed(data):
                    request = parse(each)
                    answer = self._respond(request) if isinstance(request, Request) else b""
                    if answer:
                        with suppress(OSError):  # it has hung up on us
                            peer.sendall(answer)

    def _respond(self, request: Request) -> bytes:
        if request.method == "REGISTER":
            response = create_response(request, 200, to_tag="t")
            self.registers.append(request)
            contact = request.headers.get("Contact") or ""
            response.headers.add("Contact", f"{contact};expires=99{self._granted}")
            return response.to_bytes()
        if request.method == "ACK":
            self.acks.append(request)
            return b""
        self.requests.append(request)
        status, headers = self._answer(request, len(self.requests))
        response = create_response(request, status, to_tag="t")
        for name, value in headers:
            response.headers.add(name, value)
        return response.to_bytes()
