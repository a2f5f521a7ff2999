"""STUN on the socket that carries SIP: a flow that is lost is made anew."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from phones.network_by_hand import PATIENCE

from agent.plain_edge import Edge
from sipua.net.network import Network
from sipua.pytest_plugin import UserAgentFactory
from sipua.result import RegistrationResult
from sipua.sip import stun
from sipua.verdict import Verdict


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    monkeypatch.setattr(stun, "LEAST", 0.1)
    monkeypatch.setattr(stun, "MOST", 0.2)
    with Edge() as made:
        yield made


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
