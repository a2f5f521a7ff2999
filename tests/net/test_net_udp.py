"""UDP through Network, on real sockets of the loopback interface."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from net.turns import failures, messages, run
from sipua.errors import LocalError, Unreachable
from sipua.net.network import Failed, Network, Received, Woken
from sipua.net.udp import DATAGRAMS_PER_TURN
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.net.network import NetEvent

MESSAGE = b"OPTIONS sip:a@example.org SIP/2.0\r\n\r\n"
LOOPBACK = ["127.0.0.1", "::1"]


@pytest.fixture
def ours() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture
def theirs() -> Iterator[Network]:
    with Network() as network:
        yield network


def poll(network: Network) -> NetEvent:
    """Return the only event; waiting for it has an end."""
    events = network.poll(2.0)
    assert len(events) == 1
    return events[0]


def dead_port(address: str) -> int:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("address", LOOPBACK)
def test_message_and_answer(ours: Network, theirs: Network, address: str) -> None:
    server = Hop("UDP", *theirs.open("UDP", address))
    ours.send(MESSAGE, server)
    asked = poll(theirs)
    assert isinstance(asked, Received)
    assert asked.data == MESSAGE
    assert asked.source.local == (address, server.port)
    assert (asked.source.address, asked.source.port) == ours.local_address(server)
    theirs.send(b"SIP/2.0 200 OK\r\n\r\n", asked.source)
    answered = poll(ours)
    assert isinstance(answered, Received)
    assert answered.data.startswith(b"SIP/2.0 200")
    assert answered.source[:3] == server[:3]


@pytest.mark.parametrize("address", LOOPBACK)
def test_dead_port_is_unreachable_after_one_round_trip(ours: Network, address: str) -> None:
    hop = Hop("UDP", address, dead_port(address))
    started = time.monotonic()
    ours.send(MESSAGE, hop)
    event = poll(ours)
    assert time.monotonic() - started < 8.0
    assert isinstance(event, Failed)
    assert event.hop == hop
    assert isinstance(event.error, Unreachable)
    assert "refused" in str(event.error)
    assert str(hop) in str(event.error)


def test_one_dead_destination_does_not_harm_another(ours: Network, theirs: Network) -> None:
    alive = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    dead = Hop("UDP", "127.0.0.1", dead_port("127.0.0.1"))
    failed = received = 0
    for _ in range(20):
        # The kernel reports the dead one at the next call, which is for the one that lives.
        ours.send(MESSAGE, dead)
        ours.send(MESSAGE, alive)
        received += len(theirs.poll(1.0))
        for event in ours.poll(1.0):
            assert isinstance(event, Failed)
            assert event.hop == dead
            failed += 1
    assert received == 20
    assert failed == 20


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
def test_a_burst_is_read_in_shares(ours: Network, theirs: Network, bound: str) -> None:
    """One waking-up reads several datagrams, but leaves time for others."""
    _, port = ours.open("UDP", bound)
    hop = Hop("UDP", "127.0.0.1", port)
    sent = [MESSAGE + b"%d" % number for number in range(2 * DATAGRAMS_PER_TURN + 3)]
    for each in sent:
        theirs.send(each, hop)
    shares = [ours.poll(2.0), ours.poll(2.0), ours.poll(2.0)]
    assert [len(share) for share in shares] == [DATAGRAMS_PER_TURN, DATAGRAMS_PER_TURN, 3]
    assert [each.data for share in shares for each in share if isinstance(each, Received)] == sent


def test_an_error_behind_a_burst_is_not_lost(ours: Network, theirs: Network) -> None:
    alive = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    dead = Hop("UDP", "127.0.0.1", dead_port("127.0.0.1"))
    ours.send(MESSAGE, alive)
    (asked,) = theirs.poll(2.0)
    assert isinstance(asked, Received)
    for _ in range(3):
        theirs.send(MESSAGE, asked.source)
    ours.send(MESSAGE, dead)
    seen = run([ours], lambda events: len(messages(events)) == 3 and len(failures(events)) == 1)
    assert len(seen) == 4


def test_the_same_socket_serves_all_destinations(ours: Network, theirs: Network) -> None:
    first = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    second = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    assert ours.local_address(first) == ours.local_address(second)
    assert ours.local_address(first)[1] != 0


def test_lazily_bound_socket_receives_requests_too(ours: Network, theirs: Network) -> None:
    theirs.open("UDP", "127.0.0.1")
    contact = Hop("UDP", *ours.local_address(Hop("UDP", "127.0.0.1", 5060)))
    theirs.send(MESSAGE, contact)
    assert isinstance(poll(ours), Received)


@pytest.mark.parametrize(
    ("wildcard", "asked_at"), [("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.53"), ("::", "::1")]
)
def test_wildcard_answers_from_the_address_that_was_asked(
    ours: Network, theirs: Network, wildcard: str, asked_at: str
) -> None:
    _, port = theirs.open("UDP", wildcard)
    ours.send(MESSAGE, Hop("UDP", asked_at, port))
    request = poll(theirs)
    assert isinstance(request, Received)
    assert request.source.local == (asked_at, port)
    theirs.send(MESSAGE, request.source)
    answer = poll(ours)
    assert isinstance(answer, Received)
    assert (answer.source.address, answer.source.port) == (asked_at, port)


def test_wildcard_sends_requests_from_its_port(ours: Network, theirs: Network) -> None:
    there = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    _, port = ours.open("UDP", "0.0.0.0")
    assert ours.local_address(there) == ("127.0.0.1", port)
    ours.send(MESSAGE, there)
    request = poll(theirs)
    assert isinstance(request, Received)
    assert request.source.port == port


@pytest.mark.parametrize("keep_alive", [b"", b"\0", b"\r\n", b"\r\n\r\n"])
def test_keep_alives_are_no_messages(ours: Network, theirs: Network, keep_alive: bytes) -> None:
    server = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    ours.send(keep_alive, server)
    ours.send(MESSAGE, server)
    received = [*theirs.poll(1.0), *theirs.poll(0.2)]
    assert [event.data for event in received if isinstance(event, Received)] == [MESSAGE]


@pytest.mark.parametrize("size", [1, 65507])
def test_sizes_a_datagram_can_have(ours: Network, theirs: Network, size: int) -> None:
    ours.send(b"x" * size, Hop("UDP", *theirs.open("UDP", "127.0.0.1")))
    event = poll(theirs)
    assert isinstance(event, Received)
    assert len(event.data) == size


def test_too_large_for_a_datagram(ours: Network, theirs: Network) -> None:
    hop = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    ours.send(b"x" * 65508, hop)
    event = poll(ours)
    assert isinstance(event, Failed)
    assert event.hop == hop
    assert "TCP" in str(event.error)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_no_socket_to_be_had(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose descriptors a flood has eaten reports it, and goes on."""
    with Network() as ours:
        ours.send(MESSAGE, Hop("TCP", "127.0.0.1", dead_port("127.0.0.1")))
        ours.poll(0.1)

        def exhausted(*_: object, **__: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(socket.socket, "__init__", exhausted)
        ours.send(MESSAGE, Hop(transport, "127.0.0.2", 5060))
        event = poll(ours)
        monkeypatch.undo()
    assert isinstance(event, Failed)
    assert "ulimit" in str(event.error)


def test_address_that_went_away(ours: Network, theirs: Network) -> None:
    """A route that no longer takes the datagram is asked for anew at the next one."""
    hop = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    before = ours.local_address(hop)
    ours.send(b"x" * 65508, hop)
    assert isinstance(poll(ours), Failed)
    ours.send(MESSAGE, hop)
    assert isinstance(poll(theirs), Received)
    assert ours.local_address(hop) == before


@pytest.mark.parametrize(
    "hop",
    [
        Hop("UDP", "pcscf.example.org", 5060),
        Hop("UDP", "127.0.0.1", 0),
        Hop("UDP", "127.0.0.1", 65536),
        Hop("UDP", "127.0.0.1", -1),
        Hop("SCTP", "127.0.0.1", 5060),
        Hop("UDP", "255.255.255.255", 5060),
        Hop("UDP", "300.1.1.1", 5060),
        Hop("UDP", "[::1]", 5060),
        Hop("UDP", "127.0.0.1\0", 5060),
        Hop("TCP", "127.0.0.1", 70000),
        Hop("TCP", "pcscf.example.org", 5060),
        Hop("TCP", "fe80::1%nosuch0", 5060),
        Hop("UDP", "fe80::1%nosuch0", 5060),
        Hop("TLS", "255.255.255.255", 5060),
        Hop("TCP", "127.0.0.1", 5060, ("127.0.0.1", 5060)),
    ],
    ids=str,
)
def test_hops_that_cannot_be(ours: Network, hop: Hop) -> None:
    """What a peer wrote into a Via or Contact may end here: it fails, and nothing raises."""
    ours.send(MESSAGE, hop)
    event = poll(ours)
    assert isinstance(event, Failed)
    assert event.hop == hop
    assert isinstance(event.error, Unreachable)


@pytest.mark.parametrize(
    "hop",
    [
        Hop("UDP", "pcscf.example.org", 5060),
        Hop("UDP", "127.0.0.1", 65536),
        Hop("TCP", "127.0.0.1", 65536),
        Hop("TCP", "fe80::1%nosuch0", 5060),
        Hop("SCTP", "127.0.0.1", 5060),
    ],
    ids=str,
)
def test_no_local_address_towards_what_cannot_be(ours: Network, hop: Hop) -> None:
    with pytest.raises(Unreachable):
        ours.local_address(hop)


def test_bound_to_an_address_and_port(theirs: Network) -> None:
    port = dead_port("127.0.0.2")
    with Network(bound_to=("127.0.0.2", port)) as ours:
        hop = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
        assert ours.local_address(hop) == ("127.0.0.2", port)
        ours.send(MESSAGE, hop)
        event = poll(theirs)
        assert isinstance(event, Received)
        assert (event.source.address, event.source.port) == ("127.0.0.2", port)


def test_bound_to_the_other_family(theirs: Network) -> None:
    with Network(bound_to=("127.0.0.1", 0)) as ours:
        ours.send(MESSAGE, Hop("UDP", "::1", 5060))
        event = poll(ours)
        assert isinstance(event, Failed)
        assert "address family" in str(event.error)


def test_bound_to_an_address_of_another_machine() -> None:
    with (
        Network(bound_to=("192.0.2.77", 0)) as ours,
        pytest.raises(LocalError, match=r"192\.0\.2\.77.*does not have"),
    ):
        ours.local_address(Hop("UDP", "127.0.0.1", 5060))


def test_port_that_is_taken(ours: Network, theirs: Network) -> None:
    address, port = theirs.open("UDP", "127.0.0.1")
    with pytest.raises(LocalError, match="another program has it"):
        ours.open("UDP", address, port)


def test_unknown_transport(ours: Network) -> None:
    with pytest.raises(LocalError, match="SCTP"):
        ours.open("SCTP", "127.0.0.1")


def test_interface_that_is_not_there() -> None:
    with (
        Network(interface="nosuch0") as ours,
        pytest.raises(LocalError, match=r"no such interface|CAP_NET_RAW"),
    ):
        ours.local_address(Hop("UDP", "127.0.0.1", 5060))


def test_interface(theirs: Network) -> None:
    hop = Hop("UDP", *theirs.open("UDP", "127.0.0.1"))
    with Network(interface="lo") as ours:
        # Before Linux 5.7 this needed a privilege; a system like that is not tested here.
        assert ours.local_address(hop)[0] == "127.0.0.1"
        ours.send(MESSAGE, hop)
        assert isinstance(poll(theirs), Received)


def test_wake_from_another_thread(ours: Network) -> None:
    waker = threading.Timer(0.05, ours.wake)
    waker.start()
    assert ours.poll(5.0) == [Woken()]
    waker.join()


def test_many_wakes_are_one(ours: Network) -> None:
    for _ in range(100_000):
        ours.wake()
    assert ours.poll(1.0) == [Woken()]
    assert ours.poll(0.05) == []


def test_wake_after_close_is_harmless() -> None:
    network = Network()
    network.close()
    network.wake()
    network.close()


def test_poll_ends_with_its_time(ours: Network) -> None:
    started = time.monotonic()
    assert ours.poll(0.05) == []
    assert 0.04 < time.monotonic() - started < 8.0
