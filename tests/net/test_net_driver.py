"""Two endpoints and two drivers over real sockets."""

from __future__ import annotations

import random
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from net.certificates import Authority
from sipua.errors import Unreachable
from sipua.net.driver import Driver
from sipua.net.network import Network
from sipua.sip.endpoint import Endpoint
from sipua.sip.events import (
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.hop import Hop
from sipua.sip.message import Headers, Request
from sipua.sip.timers import TimerValues

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sipua.net.tls_settings import TlsSettings
    from sipua.sip.endpoint import ClientTransaction
    from sipua.sip.events import Event

DOMAIN = "ims.example.org"
QUICK = TimerValues(t1=0.01, t2=0.02, t4=0.02)


class Element:
    """A network, an endpoint, and what passed between them."""

    def __init__(self, tls: TlsSettings | None = None, timers: TimerValues | None = None) -> None:
        self.network = Network(tls)
        self.endpoint = Endpoint(random.Random(), timers)
        self.trace: list[tuple[str, bytes, Hop]] = []
        self.driver = Driver(
            self.network, self.endpoint, on_message=lambda *seen: self.trace.append(seen)
        )

    def ask(self, hop: Hop, body: bytes = b"") -> ClientTransaction:
        here = self.network.local_address(hop)
        headers = Headers(
            [
                ("From", f"<sip:a@{DOMAIN}>;tag=1"),
                ("To", f"<sip:a@{DOMAIN}>"),
                ("Call-ID", "1@here"),
                ("CSeq", "1 MESSAGE"),
                ("Max-Forwards", "70"),
                ("Content-Type", "text/plain"),
            ]
        )
        request = Request("MESSAGE", f"sip:{DOMAIN}", headers, body)
        return self.endpoint.send_request(request, hop, here, self.driver.clock())

    def answer(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RequestReceived):
                response = self.endpoint.create_response(event.request, 200)
                self.endpoint.respond(event.transaction, response, self.driver.clock())


@pytest.fixture
def caller() -> Iterator[Element]:
    element = Element()
    yield element
    element.network.close()


@pytest.fixture
def callee() -> Iterator[Element]:
    element = Element()
    yield element
    element.network.close()


def outcome(caller: Element, callee: Element | None = None, limit: float = 5.0) -> Event:
    """Turn both drivers, the callee answering 200, until the caller has an event."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        caller.driver.turn(0.005)
        events = caller.endpoint.take_events()
        if events:
            return events[0]
        if callee is not None:
            callee.driver.turn(0.005)
            callee.answer(callee.endpoint.take_events())
    pytest.fail("nothing came of the request")


def dead_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_request_and_response(
    caller: Element, callee: Element, transport: str, address: str
) -> None:
    hop = Hop(transport, *callee.network.open(transport, address))
    transaction = caller.ask(hop)
    event = outcome(caller, callee)
    assert isinstance(event, ResponseReceived)
    assert event.transaction is transaction
    assert event.response.status == 200
    for element, directions in ((caller, ["sent", "received"]), (callee, ["received", "sent"])):
        assert [direction for direction, _, _ in element.trace] == directions
        assert {peer.transport for _, _, peer in element.trace} == {transport}
    assert caller.trace[0][1] == callee.trace[0][1]


def test_request_and_response_over_tls(tmp_path: Path) -> None:
    settings = Authority(tmp_path).issue([DOMAIN])
    caller, callee = Element(settings), Element(settings)
    hop = Hop("TLS", *callee.network.open("TLS", "127.0.0.1"))
    caller.network.expect_name(hop, DOMAIN)
    caller.ask(hop)
    event = outcome(caller, callee)
    assert isinstance(event, ResponseReceived)
    assert caller.trace[0][1].startswith(b"MESSAGE ")
    caller.network.close()
    callee.network.close()


def test_large_request_goes_by_tcp(caller: Element, callee: Element) -> None:
    """RFC 3261 §18.1.1; §18.2.1 has the server listen on the same port for both."""
    address, port = callee.network.open("UDP", "127.0.0.1")
    callee.network.open("TCP", address, port)
    caller.ask(Hop("UDP", address, port), body=b"x" * 2000)
    assert isinstance(outcome(caller, callee), ResponseReceived)
    assert [peer.transport for _, _, peer in callee.trace] == ["TCP", "TCP"]


def test_large_request_goes_by_udp_after_all_if_tcp_is_refused(
    caller: Element, callee: Element
) -> None:
    hop = Hop("UDP", *callee.network.open("UDP", "127.0.0.1"))
    caller.ask(hop, body=b"x" * 2000)
    assert isinstance(outcome(caller, callee), ResponseReceived)
    assert [peer.transport for _, _, peer in caller.trace] == ["TCP", "UDP", "UDP"]


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_dead_port_fails_at_once(caller: Element, transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    started = time.monotonic()
    transaction = caller.ask(Hop(transport, "127.0.0.1", dead_port(kind)))
    event = outcome(caller)
    assert isinstance(event, TransportFailed)
    assert event.transaction is transaction
    assert isinstance(event.error, Unreachable)
    assert time.monotonic() - started < 8.0


def test_server_that_dies_after_the_request_fails_at_once(caller: Element) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller.ask(Hop("TCP", *listener.getsockname()))
        caller.driver.turn(0.1)
        peer, _ = listener.accept()
        peer.recv(65536)
        peer.close()
        assert isinstance(outcome(caller), TransportFailed)


def test_silence_ends_by_timer_f() -> None:
    caller = Element(timers=QUICK)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        caller.ask(Hop("UDP", *silent.getsockname()))
        assert isinstance(outcome(caller), TransactionTimeout)
    assert len({data for _, data, _ in caller.trace}) == 1
    assert len(caller.trace) > 5
    caller.network.close()


def test_submitted_work_runs_in_the_loop_s_thread(caller: Element) -> None:
    ran: list[threading.Thread] = []
    worker = threading.Timer(
        0.05, lambda: caller.driver.submit(lambda: ran.append(threading.current_thread()))
    )
    worker.start()
    started = time.monotonic()
    caller.driver.turn(5.0)
    worker.join()
    assert ran == [threading.current_thread()]
    assert time.monotonic() - started < 4.5


def test_work_that_submits_work_does_not_hold_the_loop(caller: Element) -> None:
    count = 0

    def again() -> None:
        nonlocal count
        count += 1
        caller.driver.submit(again)

    caller.driver.submit(again)
    for _ in range(10):
        caller.driver.turn(1.0)
    assert count == 10


def test_turn_ends_with_its_limit_or_the_next_timer(caller: Element) -> None:
    started = time.monotonic()
    caller.driver.turn(0.05)
    assert 0.04 < time.monotonic() - started < 8.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        caller.ask(Hop("UDP", *silent.getsockname()))
        started = time.monotonic()
        caller.driver.turn(30.0)  # Timer E: 500 ms
        assert 0.3 < time.monotonic() - started < 8.0
    assert len(caller.trace) == 2
