"""STUN on the socket that carries SIP: a flow that is lost is made anew."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sipua.net.network import Network
from sipua.pytest_plugin import UserAgentFactory
from sipua.result import RegistrationResult
from sipua.sip import stun
from sipua.sip.message import Request, parse
from sipua.sip.response import create_response
from sipua.verdict import Verdict

PATIENCE = 30.0


class Edge:
    """A P-CSCF of one socket: 200 for every REGISTER, and ``mapped_port`` for STUN."""

    def __init__(self) -> None:
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
        response = create_response(request, 200, to_tag="t")
        expires = request.headers.get("Expires")
        response.headers.add("Contact", f"{request.headers.get('Contact')};expires={expires}")
        return response.to_bytes()


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    monkeypatch.setattr(stun, "LEAST", 0.1)
    monkeypatch.setattr(stun, "MOST", 0.2)
    made = Edge()
    yield made
    made.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_flow_is_kept_and_made_anew(
    sipua_user_agent: UserAgentFactory, edge: Edge, wanted: bool
) -> None:
    agent = sipua_user_agent(pcscf=edge.place, stun=wanted)
    assert agent.register().verdict is Verdict.REGISTERED
    ended: list[RegistrationResult] = []
    thread = threading.Thread(target=lambda: ended.append(agent.stay()))
    thread.start()
    if wanted:
        wait_until(lambda: edge.pings >= 3, "STUN requests")
        assert len(edge.contacts) == 1
        edge.mapped_port += 1
        wait_until(lambda: len(edge.contacts) == 2, "another flow")
        assert edge.contacts[0] != edge.contacts[1], "it has a socket of its own"
    else:
        time.sleep(1)
        assert edge.pings == 0
    agent.interrupt()
    thread.join(PATIENCE)
    assert ended[0].verdict is Verdict.DEREGISTERED


def test_stun_reaches_no_sip_endpoint() -> None:
    with Network() as network, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        address, port = network.open("UDP", "127.0.0.1")
        peer.sendto(stun.binding_request(bytes(12)), (address, port))
        (event,) = network.poll(PATIENCE)
        assert type(event).__name__ == "StunReceived"
