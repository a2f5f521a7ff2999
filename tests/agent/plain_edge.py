"""The least that a P-CSCF can be, for tests of what lies below the registrar."""

from __future__ import annotations

from phones.network_by_hand import NetworkByHand

from sipua.sip import stun
from sipua.sip.message import Request, parse
from sipua.sip.response import create_response


class Edge(NetworkByHand):
    """A P-CSCF of one socket: ``status`` and ``headers`` for every REGISTER, and ``mapped_port``
    for STUN."""

    def __init__(self, status: int = 200, *headers: tuple[str, str]) -> None:
        super().__init__()
        self.status = status
        self.headers = headers
        self.offers: list[str | None] = []
        self.contacts: list[str] = []
        self.pings = 0
        self.mapped_port = 4000

    def hear(self, data: bytes) -> None:
        self.say(self._answer(data))

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
