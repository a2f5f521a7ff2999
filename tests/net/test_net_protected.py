"""Protected ports over loopback, without an engine: which of ours leads to which of the peer's."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from sipua.errors import LocalError, Unreachable
from sipua.net.events import Failed, Received
from sipua.net.network import Network
from sipua.net.protected import ProtectedPorts
from sipua.sip.hop import Hop

HOST = "127.0.0.1"
MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"


class End:
    def __init__(self) -> None:
        self.network = Network()
        self.ports: ProtectedPorts = self.network.protect(None, ())
        self.server = self.ports.open_server(HOST)
        self.client = self.ports.open_client(HOST, self.server)

    def receive(self) -> Received | Failed:
        for _ in range(100):
            for event in self.network.poll(0.2):
                if isinstance(event, Received | Failed):
                    return event
        raise AssertionError("nothing came")


@pytest.fixture
def ends() -> Iterator[tuple[End, End]]:
    """The flows of TS 33.203 §7.1: client to server ports, both ways."""
    a, b = End(), End()
    for one, other in ((a, b), (b, a)):
        one.ports.join((HOST, one.client), (HOST, other.server))
        one.ports.join((HOST, one.server), (HOST, other.client))
        one.ports.expect((HOST, other.client), (HOST, one.server))
        one.ports.expect((HOST, other.server), (HOST, one.client))
    yield a, b
    a.network.close()
    b.network.close()


def pump(*ends: End) -> None:
    for _ in range(3):
        for end in ends:
            end.network._events += end.network.poll(0.01)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_requests_leave_from_the_client_port(ends: tuple[End, End], transport: str) -> None:
    a, b = ends
    hop = Hop(transport, HOST, b.server)
    a.network.send(MESSAGE, hop)
    pump(a, b)
    event = b.receive()
    assert event == Received(MESSAGE, Hop(transport, HOST, a.client, (HOST, b.server)))
    assert a.network.local_address(hop) == (HOST, a.server), "what Via and Contact tell"


def test_tcp_answers_come_back_on_the_connection(ends: tuple[End, End]) -> None:
    a, b = ends
    hop = Hop("TCP", HOST, b.server, (HOST, a.client))
    a.network.send(MESSAGE, hop)
    pump(a, b)
    event = b.receive()
    assert isinstance(event, Received)
    b.network.send(ANSWER, event.source)
    pump(b, a)
    assert a.receive() == Received(ANSWER, hop)
    a.network.send(MESSAGE, hop)
    pump(a, b)
    assert b.receive() == event, "and the connection is used again"


def test_udp_answers_to_a_via_leave_from_where_an_association_leads_there(
    ends: tuple[End, End],
) -> None:
    """A P-CSCF names its server port in Via: what came to our server port is answered from the
    client port."""
    a, b = ends
    asked = Hop("UDP", HOST, b.server, (HOST, a.server))
    a.network.send(ANSWER, asked)
    pump(a, b)
    event = b.receive()
    assert isinstance(event, Received)
    assert event.source.port == a.client


def test_renewed_flows_go_first_unless_the_hop_names_another(ends: tuple[End, End]) -> None:
    a, b = ends
    newer = a.ports.open_client(HOST, a.server)
    b.ports.expect((HOST, newer), (HOST, b.server))
    a.ports.join((HOST, newer), (HOST, b.server))
    for hop, port in (
        (Hop("UDP", HOST, b.server), newer),
        (Hop("UDP", HOST, b.server, (HOST, a.client)), a.client),
        (Hop("UDP", HOST, b.server, (HOST, newer)), newer),
    ):
        a.network.send(MESSAGE, hop)
        pump(a, b)
        event = b.receive()
        assert isinstance(event, Received)
        assert event.source.port == port
    a.ports.part((HOST, newer), (HOST, b.server))
    a.ports.part((HOST, newer), (HOST, b.server))
    assert a.ports.route(Hop("UDP", HOST, b.server)) == Hop("UDP", HOST, b.server, (HOST, a.client))


def test_a_port_given_back_sends_no_more(ends: tuple[End, End]) -> None:
    a, b = ends
    hop = Hop("UDP", HOST, b.server, (HOST, a.client))
    tcp = hop._replace(transport="TCP")
    a.network.send(MESSAGE, tcp)
    pump(a, b)
    b.receive()
    a.ports.part((HOST, a.client), (HOST, b.server))
    a.ports.close_client(HOST, a.client)
    a.ports.close_client(HOST, a.client)
    with pytest.raises(Unreachable, match="have ended"):
        a.ports.route(hop)
    for each in (hop, tcp):
        a.network.send(MESSAGE, each)
        assert isinstance(a.receive(), Failed)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_what_began_at_a_port_given_back_goes_on_by_the_newest_flow(
    ends: tuple[End, End], transport: str
) -> None:
    """As the CANCEL does of an INVITE that outlives its associations."""
    a, b = ends
    newer = a.ports.open_client(HOST, a.server)
    b.ports.expect((HOST, newer), (HOST, b.server))
    a.ports.join((HOST, newer), (HOST, b.server))
    a.ports.part((HOST, a.client), (HOST, b.server))
    a.ports.close_client(HOST, a.client)
    a.network.send(MESSAGE, Hop(transport, HOST, b.server, (HOST, a.client)))
    pump(a, b)
    event = b.receive()
    assert isinstance(event, Received)
    assert event.source.port == newer


def test_connections_of_who_is_forgotten_are_cut_on_both_sides(ends: tuple[End, End]) -> None:
    """What was asked by them is told to be lost, and can be answered by another way."""
    a, b = ends
    a.network.send(MESSAGE, Hop("TCP", HOST, b.server))
    pump(a, b)
    event = b.receive()
    assert isinstance(event, Received)
    b.ports.forget((HOST, a.client), (HOST, b.server))
    for end, port in ((b, a.client), (a, b.server)):
        failed = end.receive()
        assert isinstance(failed, Failed)
        assert failed.hop.port == port


def test_nothing_leaves_the_server_port_when_the_associations_have_ended(
    ends: tuple[End, End],
) -> None:
    """As what is repeated to who is gone, or an answer that comes too late: without an
    association a kernel would let it go in the clear."""
    a, b = ends
    b.ports.part((HOST, b.client), (HOST, a.server))
    with pytest.raises(Unreachable, match="have ended"):  # there is none, of these two ports
        b.ports.route(Hop("UDP", HOST, a.server, (HOST, b.server)))
    a.network.send(MESSAGE, Hop("UDP", HOST, b.server))
    pump(a, b)
    event = b.receive()
    assert isinstance(event, Received)
    for place, peer in ((b.client, a.server), (b.server, a.client)):
        b.ports.part((HOST, place), (HOST, peer))
        b.ports.forget((HOST, peer), (HOST, place))
    b.network.send(ANSWER, event.source)
    assert isinstance(b.receive(), Failed)
    with pytest.raises(Unreachable, match="have ended"):
        b.ports.route(Hop("UDP", HOST, a.server, (HOST, b.server)))


def test_protected_ports_serve_nothing_else(ends: tuple[End, End]) -> None:
    """An unprotected message never leaves from a protected socket."""
    a, _ = ends
    plain = Network()
    address = plain.open("UDP", HOST)
    hop = Hop("UDP", *address)
    assert a.ports.route(hop) is None
    a.network.send(MESSAGE, hop)
    (event,) = plain.poll(20)
    assert isinstance(event, Received)
    assert event.source.port not in (a.client, a.server)
    assert a.network.local_address(hop)[1] not in (a.client, a.server)
    plain.close()


def test_strangers_are_not_heard(ends: tuple[End, End]) -> None:
    """Where the kernel does ESP it protects what its policies name, and nothing else."""
    a, b = ends
    with Network() as stranger:
        for transport in ("UDP", "TCP"):
            stranger.send(MESSAGE, Hop(transport, HOST, b.server))
            b.network.poll(20)
            for _ in range(100):
                if b.ports.strangers == ("UDP", "TCP").index(transport) + 1:
                    break
                b.network.poll(0.1)
        assert b.ports.strangers == 2
        assert b.network.poll(0) == []
    a.network.send(MESSAGE, Hop("UDP", HOST, b.server))
    pump(a, b)
    assert isinstance(b.receive(), Received)
    b.ports.forget((HOST, a.client), (HOST, b.server))
    b.ports.forget((HOST, 9), (HOST, b.server))
    a.network.send(MESSAGE, Hop("UDP", HOST, b.server))
    for _ in range(100):
        assert b.network.poll(0.1) == []
        if b.ports.strangers == 3:
            break
    assert b.ports.strangers == 3


def test_a_taken_port_is_told(ends: tuple[End, End]) -> None:
    a, b = ends
    with pytest.raises(LocalError, match="another program has it"):
        a.ports.open_server(HOST, b.server)


def test_the_descriptors_of_an_engine_are_watched() -> None:
    told: list[int] = []
    reading, writing = os.pipe()

    def ready(mask: int) -> None:
        told.append(len(os.read(reading, 10)))

    watching: Callable[[int], None] = ready
    with Network() as network:
        network.protect("lo", ((reading, watching),))
        os.write(writing, b"abc")
        network.poll(5)
        assert told == [3]
        network.unprotect()
        os.write(writing, b"abc")
        network.poll(0.05)
        assert told == [3]
    os.close(reading)
    os.close(writing)


def test_a_port_whose_tcp_is_another_programs_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = End()
    listen = end.ports.streams.listen
    refused: list[int] = []

    def listen_later(transport: str, address: str, port: int) -> tuple[str, int]:
        if len(refused) < 3:
            refused.append(port)
            raise LocalError("another program has it")
        return listen(transport, address, port)

    monkeypatch.setattr(end.ports.streams, "listen", listen_later)
    taken = end.ports.open_server(HOST)
    assert len(refused) == 3
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, taken))
    refused.clear()
    end.ports.close_client(HOST, end.client)
    with pytest.raises(LocalError, match="another program"):
        end.ports.open_server(HOST, end.client)
    assert len(refused) == 1, "a port that was asked for has no other"
    end.network.close()


def test_nobody_else_connects_from_a_client_port() -> None:
    end = End()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, end.client))
    end.ports.close_client(HOST, end.client)
    with socket.socket() as other:
        other.bind((HOST, end.client))
    end.network.close()


def test_what_came_unprotected_is_answered_unprotected(ends: tuple[End, End]) -> None:
    """The peer's port may have been a protected one of somebody who left without a word."""
    _, b = ends
    peer = next(iter(b.ports._expected))
    assert b.ports.route(Hop("UDP", *peer)) is not None
    assert b.ports.route(Hop("UDP", *peer, (HOST, 5060))) is None
