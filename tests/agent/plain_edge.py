"""The least that a P-CSCF can be, for tests of what lies below the registrar."""

from __future__ import annotations

import socket
import threading

from sipua.sip import stun
from sipua.sip.hop import Hop
from sipua.sip.message import Request, parse
from sipua.sip.response import create_response

PATIENCE = 30.0


class Edge:
    """A P-CSCF of one socket: ``status`` and ``headers`` for every REGISTER, and ``mapped_port``
    for STUN."""

    def __init__(self, status: int = 200, *headers: tuple[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.offers: list[str | None] = []
        self.contacts: list[str] = []
        self.pings = 0
        self.mapped_port = 4000
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.place = f"udp:127.0.0.1:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)
        self._socket.close()

    def hop(self) -> Hop:
        return Hop("UDP", *self._socket.getsockname())

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(data), source)

    def _answer(self, data: bytes) -> bytes:
        if stun.is_stun(data):
            self.pings += 1
            port = (self.mapped_port ^ 0x2112).to_bytes(2, "big")
            mapped = b"\x00\x20\x00\x08\x00\x01" + port + bytes(4)
            return b"\x01\x01\x00\x0c" + data[4:20] + mapped
        request = parse(data)
        assert isinstance(request, Request)
        self.contacts.append(request.headers.get("Contact") or "")
        self.offers.append(request.headers.get("Security-Client"))
        response = create_response(request, self.status, to_tag="t")
        for name, value in self.headers:
            response.headers.add(name, value)
        if self.status >= 300:
            response.headers.add("Contact", "<sip:127.0.0.1:9>")  # where nobody is
            response.headers.add("Retry-After", "1")
            return response.to_bytes()
        expires = request.headers.get("Expires")
        response.headers.add("Contact", f"{request.headers.get('Contact')};expires={expires}")
        return response.to_bytes()
