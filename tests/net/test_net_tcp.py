"""TCP through Network: connections, framing, keep-alive, and peers that mean harm."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from net.turns import BODY, MESSAGE, connect, failures, is_closed, messages, run, settle
from sipua.errors import LocalError, Unreachable
from sipua.net import streams, tcp
from sipua.net.network import Failed, Network, Received
from sipua.sip.hop import Hop
from sipua.sip.limits import MAX_HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.net.network import NetEvent

TRYING_AND_OK = b"SIP/2.0 100 Trying\r\n\r\nSIP/2.0 200 OK\r\n\r\n"
LOOPBACK = ["127.0.0.1", "::1"]


@pytest.fixture
def ours() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture
def server() -> Iterator[Network]:
    with Network() as network:
        yield network


def listen(server: Network, address: str = "127.0.0.1") -> Hop:
    return Hop("TCP", *server.open("TCP", address))


@pytest.mark.parametrize("address", LOOPBACK)
def test_message_and_answer_on_one_connection(ours: Network, server: Network, address: str) -> None:
    hop = listen(server, address)
    ours.send(MESSAGE, hop)
    [asked] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(asked, Received)
    assert asked.data == MESSAGE
    assert asked.source.transport == "TCP"
    assert asked.source.local == (address, hop.port)
    assert (asked.source.address, asked.source.port) == ours.local_address(hop)
    server.send(MESSAGE, asked.source)
    [answered] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(answered, Received)
    assert answered.source[:3] == hop[:3]
    assert answered.source.local == ours.local_address(hop)


def test_connection_is_reused(ours: Network, server: Network) -> None:
    hop = listen(server)
    for _ in range(20):
        ours.send(MESSAGE, hop)
    seen = run([ours, server], lambda seen: len(seen) == 20)
    assert len({event.source for event in seen if isinstance(event, Received)}) == 1


def test_request_of_the_server_comes_on_the_same_connection(ours: Network, server: Network) -> None:
    hop = listen(server)
    ours.send(MESSAGE, hop)
    [first] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(first, Received)
    server.send(MESSAGE, first.source)
    [request] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(request, Received)
    ours.send(MESSAGE, request.source)
    [answer] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(answer, Received)
    assert answer.source == first.source


def test_refused(ours: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        hop = Hop("TCP", *gone.getsockname())
    ours.send(MESSAGE, hop)
    ours.send(MESSAGE, hop)
    seen = run([ours], bool)
    assert failures(seen)[0].hop == hop
    assert "refused" in str(failures(seen)[0].error)


def test_after_a_failure_the_next_message_connects_again(ours: Network, server: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        hop = Hop("TCP", *gone.getsockname())
    ours.send(MESSAGE, hop)
    run([ours], bool)
    server.open("TCP", "127.0.0.1", hop.port)
    ours.send(MESSAGE, hop)
    assert messages(run([ours, server], bool)) == [MESSAGE]


def test_connection_closed_by_the_peer_fails_and_is_opened_anew(ours: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hop = Hop("TCP", *listener.getsockname())
        ours.send(MESSAGE, hop)
        ours.poll(0.1)
        listener.accept()[0].close()
        [failed] = run([ours], bool)
        assert isinstance(failed, Failed)
        assert failed.hop == hop
        assert isinstance(failed.error, Unreachable)
        ours.send(MESSAGE, hop)
        ours.poll(0.1)
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(2)
            assert peer.recv(65536) == MESSAGE


def test_answer_to_a_connection_that_is_gone(ours: Network, server: Network) -> None:
    hop = listen(server)
    ours.send(MESSAGE, hop)
    [asked] = run([ours, server], lambda seen: len(seen) == 1)
    assert isinstance(asked, Received)
    ours.close()
    settle([server], 0.05)
    server.send(MESSAGE, asked.source)
    server.send(MESSAGE, asked.source)
    failed = failures(run([server], lambda seen: bool(failures(seen))))
    assert failed[0].hop == asked.source


def test_bytes_one_at_a_time_are_one_message(server: Network) -> None:
    hop = listen(server)
    seen: list[NetEvent] = []
    with connect(hop) as peer:
        for octet in MESSAGE:
            peer.sendall(bytes([octet]))
            seen += server.poll(0)
        seen += settle([server])
    assert messages(seen) == [MESSAGE]


def test_many_messages_in_one_segment(server: Network) -> None:
    hop = listen(server)
    with connect(hop) as peer:
        peer.sendall(MESSAGE * 50)
        assert messages(run([server], lambda seen: len(seen) == 50)) == [MESSAGE] * 50


def test_double_crlf_is_answered_with_crlf(server: Network) -> None:
    with connect(listen(server)) as peer:
        peer.sendall(b"\r\n\r\n")
        settle([server])
        assert peer.recv(100) == b"\r\n"
        peer.sendall(b"\r\n\r\n" * 3 + MESSAGE)
        assert messages(run([server], lambda seen: bool(messages(seen)))) == [MESSAGE]
        assert peer.recv(100) == b"\r\n" * 3


def test_ping_is_answered_by_our_own_server(
    ours: Network, server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.2)
    hop = listen(server)
    ours.send(MESSAGE, hop)
    run([ours, server], lambda seen: bool(messages(seen)))
    ours.ping(hop)
    assert settle([ours, server], 0.4) == []


@pytest.mark.parametrize("knows_pings", [True, False])
def test_ping_without_pong_is_a_lost_connection(
    ours: Network, monkeypatch: pytest.MonkeyPatch, knows_pings: bool
) -> None:
    """Only a peer that has answered before is taken at its silence."""
    monkeypatch.setattr(streams, "STALL_TIME", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hop = Hop("TCP", *listener.getsockname())
        ours.send(MESSAGE, hop)
        settle([ours], 0.05)
        peer, _ = listener.accept()
        with peer:
            ours.ping(hop)
            if knows_pings:
                peer.sendall(b"\r\n")
            assert settle([ours], 0.2) == []
            ours.ping(hop)
            failed = failures(settle([ours], 0.3))
            assert len(failed) == knows_pings
            assert all("keep-alive" in str(each.error) for each in failed)


def test_ping_without_a_connection(ours: Network) -> None:
    ours.ping(Hop("TCP", "127.0.0.1", 5060))
    assert failures(ours.poll(0))


def test_ping_is_not_for_udp(ours: Network) -> None:
    with pytest.raises(LocalError, match="TCP and TLS"):
        ours.ping(Hop("UDP", "127.0.0.1", 5060))


def test_half_closed_peer_still_gets_its_answer(server: Network) -> None:
    with connect(listen(server)) as peer:
        peer.sendall(MESSAGE)
        peer.shutdown(socket.SHUT_WR)
        [asked] = run([server], bool)
        assert isinstance(asked, Received)
        settle([server], 0.05)
        server.send(b"SIP/2.0 100 Trying\r\n\r\n", asked.source)
        server.send(b"SIP/2.0 200 OK\r\n\r\n", asked.source)
        assert peer.recv(100, socket.MSG_WAITALL) == TRYING_AND_OK


def test_peer_that_hangs_up_with_its_answer_is_let_go_at_once(server: Network) -> None:
    """SIPp lingers until it hears our FIN; forty milliseconds each would block it."""
    with connect(listen(server)) as peer:
        peer.sendall(MESSAGE)
        [asked] = run([server], bool)
        assert isinstance(asked, Received)
        server.send(b"SIP/2.0 200 OK\r\n\r\n", asked.source)
        peer.shutdown(socket.SHUT_WR)
        [failed] = failures(run([server], bool, limit=1.0))
        assert failed.hop == asked.source
        assert is_closed(peer)


def test_half_closed_peer_is_not_kept_for_ever(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.1)
    with connect(listen(server)) as peer:
        peer.sendall(MESSAGE)
        peer.shutdown(socket.SHUT_WR)
        run([server], lambda seen: bool(failures(seen)))
        assert is_closed(peer)


def test_nothing_answers_a_connection_attempt(
    ours: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full backlog on loopback drops SYNs, as a firewall does."""
    monkeypatch.setattr(streams, "STALL_TIME", 0.1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        hop = Hop("TCP", *listener.getsockname())
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            assert waiting[-1].connect_ex(listener.getsockname()) in {0, errno.EINPROGRESS}
        ours.send(MESSAGE, hop)
        [failed] = run([ours], bool)
        assert isinstance(failed, Failed)
        assert failed.hop == hop
        assert "nothing answered" in str(failed.error)
        for each in waiting:
            each.close()


def test_local_address_is_the_listening_port(ours: Network, server: Network) -> None:
    hop = listen(server)
    address, port = ours.open("TCP", "127.0.0.1")
    assert ours.local_address(hop) == (address, port)


def test_bound_network_connects_from_its_address(server: Network) -> None:
    hop = listen(server)
    with Network(bound_to=("127.0.0.3", 0)) as ours:
        assert ours.local_address(hop)[0] == "127.0.0.3"
        ours.send(MESSAGE, hop)
        [asked] = run([ours, server], bool)
        assert isinstance(asked, Received)
        assert asked.source.address == "127.0.0.3"


def test_port_that_is_listened_on_already(ours: Network, server: Network) -> None:
    hop = listen(server)
    with pytest.raises(LocalError, match="another program has it"):
        ours.open("TCP", hop.address, hop.port)


# Peers that mean harm


@pytest.mark.parametrize("beginning", [b"O", MESSAGE[:-1]], ids=["start line", "body"])
def test_slow_loris_is_closed(
    server: Network, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    """Octets that trickle do not buy time: the message has to end."""
    monkeypatch.setattr(streams, "STALL_TIME", 0.3)
    started = time.monotonic()
    with connect(listen(server)) as peer:
        peer.sendall(beginning)
        while not is_closed(peer):
            assert time.monotonic() - started < 3
            assert server.poll(0.02) == []
    assert time.monotonic() - started >= 0.3


def test_busy_peer_is_not_taken_for_a_slow_one(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is always unfinished in the buffer, but never the same for long."""
    monkeypatch.setattr(streams, "STALL_TIME", 0.2)
    with connect(listen(server)) as peer:
        peer.sendall(MESSAGE[:30])
        seen: list[NetEvent] = []
        for _ in range(10):
            peer.sendall(MESSAGE[30:] + MESSAGE[:30])
            seen += settle([server], 0.05)
        assert len(messages(seen)) == 10
        assert not failures(seen)


def test_endless_header_closes_the_connection(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.2)
    received = 0
    with connect(listen(server)) as peer:
        peer.settimeout(0.05)
        peer.sendall(b"OPTIONS sip:a@b SIP/2.0\r\nX: ")
        end = time.monotonic() + 5
        with suppress(ConnectionError):
            while True:
                assert time.monotonic() < end
                with suppress(TimeoutError):
                    peer.sendall(b"a" * 10_000)
                received += sum(map(len, messages(server.poll(0))))
    assert received == MAX_HEAD  # what a 513 can be answered from


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # a TLS ClientHello
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\0" * 100_000,
        b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["TLS", "HTTP", "NUL", "large body", "negative length"],
)
def test_garbage_closes_the_connection_and_hurts_nobody_else(
    server: Network, garbage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.3)
    hop = listen(server)
    with connect(hop) as good, connect(hop) as bad:
        bad.sendall(garbage)
        seen: list[NetEvent] = []
        end = time.monotonic() + 3
        while not is_closed(bad):
            assert time.monotonic() < end
            seen += settle([server], 0.02)
        assert all(not message.startswith(b"\x16") for message in messages(seen))
        good.sendall(MESSAGE)
        seen += settle([server])
    assert MESSAGE in messages(seen)


def test_fault_of_framing_can_be_answered_before_the_end(server: Network) -> None:
    """RFC 3261 §21.4.1: the head that showed the fault is handed over, so that 400 can be sent."""
    fault = MESSAGE.replace(b"Content-Length: ", b"Content-Length: -")
    with connect(listen(server)) as peer:
        peer.sendall(fault + MESSAGE)
        [asked] = run([server], bool)
        assert isinstance(asked, Received)
        assert asked.data == fault[: -len(BODY)]
        server.send(b"SIP/2.0 400 Bad Request\r\n\r\n", asked.source)
        assert peer.recv(100).startswith(b"SIP/2.0 400")
        assert is_closed(peer)


def test_peer_that_does_not_read_is_given_up(ours: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hop = Hop("TCP", *listener.getsockname())
        ours.send(MESSAGE, hop)
        settle([ours], 0.05)
        events: list[NetEvent] = []
        for _ in range(1000):
            ours.send(b"x" * 50_000, hop)
            events += ours.poll(0)
            if events:
                break
        assert "does not read" in str(failures(events)[0].error)


def test_pings_of_a_peer_that_reads_no_pongs_are_bounded(server: Network) -> None:
    with connect(listen(server)) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(0.2)
        end = time.monotonic() + 10
        try:
            while time.monotonic() < end:
                peer.sendall(b"\r\n\r\n" * 15_000)
                server.poll(0)
        except TimeoutError:
            pytest.fail("the server neither reads nor closes")
        except ConnectionError:
            return
        pytest.fail("the server never gave up")


def test_number_of_accepted_connections_is_bounded(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of silent connections pushes itself out, never a peer that speaks SIP."""
    monkeypatch.setattr(streams, "MAX_ACCEPTED", 20)
    hop = listen(server)
    with connect(hop) as good:
        good.sendall(MESSAGE)
        assert len(messages(run([server], bool))) == 1
        flood = []
        for _ in range(1000):
            flood.append(connect(hop))
            settle([server], 0.0)
            server.poll(0)
        settle([server])
        assert sum(not is_closed(peer) for peer in flood) == 19
        good.sendall(MESSAGE)
        assert messages(settle([server])) == [MESSAGE]
        for peer in flood:
            peer.close()


def test_longest_silent_peer_makes_room(server: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_ACCEPTED", 3)
    hop = listen(server)
    peers = [connect(hop) for _ in range(3)]
    for peer in [*peers, peers[0]]:
        peer.sendall(MESSAGE)
        settle([server], 0.03)
    with connect(hop):
        failed = failures(settle([server]))
        assert [is_closed(peer) for peer in peers] == [False, True, False]
        assert [(each.hop.address, each.hop.port) for each in failed] == [peers[1].getsockname()]
    for peer in peers:
        peer.close()


def test_unfinished_messages_together_are_bounded(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_HELD", 300_000)
    hop = listen(server)
    head = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 200000\r\n\r\n"
    peers = [connect(hop) for _ in range(6)]
    for peer in peers:
        peer.sendall(head + b"x" * 90_000)
    settle([server], 0.3)
    open_ones = [peer for peer in peers if not is_closed(peer)]
    assert len(open_ones) == 3
    open_ones[0].close()
    settle([server], 0.1)
    open_ones[1].sendall(b"x" * 110_000)
    assert len(messages(settle([server], 0.3))) == 1
    for peer in peers:
        peer.close()


def test_out_of_descriptors_makes_room_instead_of_spinning(
    server: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    hop = listen(server)
    first = connect(hop)
    settle([server], 0.05)

    class Exhausted(socket.socket):
        def accept(self) -> tuple[socket.socket, object]:
            raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", Exhausted.accept)
    second = connect(hop)
    settle([server], 0.05)
    assert is_closed(first)
    monkeypatch.undo()
    second.sendall(MESSAGE)
    assert messages(settle([server])) == [MESSAGE]
    first.close()
    second.close()


def test_own_connections_are_bounded(ours: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_OPENED", 2)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    for each in listeners:
        ours.send(MESSAGE, Hop("TCP", *each.getsockname()))
    [failed] = failures(settle([ours], 0.05))
    assert failed.hop.port == listeners[2].getsockname()[1]
    for each in listeners:
        each.close()


def test_timers_are_off_when_all_is_quiet(ours: Network, server: Network) -> None:
    hop = listen(server)
    ours.send(MESSAGE, hop)
    run([ours, server], lambda seen: bool(messages(seen)))
    for network in (ours, server):
        started = time.monotonic()
        assert network.poll(0.05) == []
        assert time.monotonic() - started > 0.04
    assert tcp.MAX_QUEUED > 65_536
