"""INVITE and non-INVITE server transactions in virtual time (RFC 3261 §17.2, RFC 6026)."""

from __future__ import annotations

import pytest
from virtual_time import PEER, PEER_TCP, World

from sipua.errors import LocalError, Unreachable
from sipua.sip.endpoint import AckReceived, RequestReceived, ServerTransaction, TransportFailed
from sipua.sip.message import Request, Response

TCP_VIA = "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKpeer"
OLD_VIA = "SIP/2.0/UDP 192.0.2.1:5060"


def arrived(world: World) -> tuple[ServerTransaction, Request]:
    event = world.events[0]
    assert isinstance(event, RequestReceived)
    return event.transaction, event.request


def statuses(world: World) -> list[int]:
    return [message.status for _, message, _ in world.sent if isinstance(message, Response)]


def test_a_repeated_request_gets_the_same_answer_until_timer_j() -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    world.receive("OPTIONS")
    assert not world.sent, "nothing to repeat yet"
    world.respond(transaction, 200, request)
    world.run(31.9)
    world.receive("OPTIONS")
    assert world.octets[0] == world.octets[1]
    assert world.kinds() == ["RequestReceived"]
    world.run(0.2)
    assert transaction.state == "Terminated"
    world.receive("OPTIONS")
    assert world.kinds() == ["RequestReceived"] * 2


def test_a_repeated_request_gets_the_last_provisional_answer() -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    world.respond(transaction, 100, request)
    world.receive("OPTIONS")
    world.respond(transaction, 183, request)
    world.receive("OPTIONS")
    assert statuses(world) == [100, 100, 183, 183]


def test_a_second_final_answer_is_refused() -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    world.respond(transaction, 200, request)
    with pytest.raises(LocalError, match="OPTIONS can no longer be answered 500"):
        world.respond(transaction, 500, request)


def test_over_a_stream_timer_j_is_zero() -> None:
    world = World()
    world.receive("OPTIONS", PEER_TCP, TCP_VIA)
    transaction, request = arrived(world)
    world.respond(transaction, 200, request)
    assert transaction.state == "Terminated"
    assert world.endpoint.deadline() is None


def test_an_invite_not_answered_in_200_ms_gets_a_100() -> None:
    world = World()
    world.receive("INVITE")
    world.run(1)
    assert (world.times(), statuses(world)) == ([0.2], [100])
    assert "tag" not in world.sent[0][1].to.params
    world.receive("INVITE")
    assert statuses(world) == [100, 100]
    assert world.kinds() == ["RequestReceived"]


def test_an_invite_answered_in_time_gets_no_100() -> None:
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    world.respond(transaction, 180, request)
    world.run(10)
    assert statuses(world) == [180]


def test_timer_g_repeats_a_failure_until_timer_h() -> None:
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    world.respond(transaction, 486, request)
    world.run(100)
    assert world.times() == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert world.kinds() == ["RequestReceived", "TransactionTimeout"]
    assert transaction.state == "Terminated"


def test_the_ack_of_a_failure_is_absorbed_for_timer_i() -> None:
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    world.respond(transaction, 486, request)
    world.run(0.1)
    world.receive("INVITE")
    assert statuses(world) == [486, 486]
    world.receive("ACK", to_tag=request.to_tag)
    assert transaction.state == "Confirmed"
    world.run(4.9)
    world.receive("ACK", to_tag=request.to_tag)
    world.receive("INVITE")
    assert statuses(world) == [486, 486]
    assert world.kinds() == ["RequestReceived"]
    world.run(0.2)
    assert transaction.state == "Terminated"


def test_over_a_stream_nothing_is_repeated_and_timer_i_is_zero() -> None:
    world = World()
    world.receive("INVITE", PEER_TCP, TCP_VIA)
    transaction, request = arrived(world)
    world.respond(transaction, 486, request)
    world.run(20)
    assert world.times() == [0]
    world.receive("ACK", PEER_TCP, TCP_VIA, to_tag=request.to_tag)
    assert transaction.state == "Terminated"


def test_over_a_stream_timer_h_still_runs() -> None:
    world = World()
    world.receive("INVITE", PEER_TCP, TCP_VIA)
    transaction, request = arrived(world)
    world.respond(transaction, 486, request)
    world.run(32)
    assert world.kinds() == ["RequestReceived", "TransactionTimeout"]


def test_after_a_2xx_invites_are_absorbed_until_timer_l() -> None:
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    world.respond(transaction, 200, request)
    world.receive("INVITE")
    assert statuses(world) == [200], "only the transaction user repeats a 2xx"
    world.respond(transaction, 200, request)
    assert statuses(world) == [200, 200]
    world.run(31.9)
    assert transaction.state == "Accepted"
    world.run(0.2)
    assert transaction.state == "Terminated"
    assert world.kinds() == ["RequestReceived"]


def test_the_ack_of_a_2xx_goes_up() -> None:
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    world.respond(transaction, 200, request)
    world.receive("ACK", to_tag=request.to_tag)
    world.receive("ACK", via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother", to_tag=request.to_tag)
    acks = [event for event in world.events if isinstance(event, AckReceived)]
    assert [ack.transaction for ack in acks] == [transaction, None]


@pytest.mark.parametrize("status", [0, 180, 200, 486])
def test_an_invite_survives_transport_errors(status: int) -> None:
    """RFC 6026 §7.1: or a repeated INVITE would be taken for a new one."""
    world = World()
    world.receive("INVITE")
    transaction, request = arrived(world)
    if status:
        world.respond(transaction, status, request)
    state = transaction.state
    error = Unreachable("port unreachable")
    world.endpoint.transport_failed(PEER, error, world.now)
    world.collect()
    assert world.events[1:] == [TransportFailed(transaction, error)]
    assert transaction.state == state
    world.receive("INVITE")
    assert world.kinds() == ["RequestReceived", "TransportFailed"]


def test_a_transport_error_ends_an_answered_request() -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    world.respond(transaction, 200, request)
    world.endpoint.transport_failed(PEER, Unreachable("port unreachable"), world.now)
    world.collect()
    assert world.kinds() == ["RequestReceived", "TransportFailed"]
    assert transaction.state == "Terminated"


# Matching (RFC 3261 §17.2.3)


@pytest.mark.parametrize(
    ("method", "via"),
    [
        ("MESSAGE", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKpeer"),
        ("OPTIONS", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother"),
        ("OPTIONS", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKpeer"),
        ("OPTIONS", "SIP/2.0/UDP elsewhere.example:5060;branch=z9hG4bKpeer"),
    ],
)
def test_branch_sent_by_and_method_all_count(method: str, via: str) -> None:
    world = World()
    world.receive("OPTIONS")
    world.receive(method, via=via)
    assert world.kinds() == ["RequestReceived"] * 2


def test_the_default_port_and_case_of_sent_by_do_not_count() -> None:
    world = World()
    world.receive("OPTIONS", via="SIP/2.0/UDP Peer.example:5060;branch=z9hG4bKpeer")
    world.receive("OPTIONS", via="SIP/2.0/UDP peer.example;branch=z9hG4bKpeer")
    assert world.kinds() == ["RequestReceived"]


def test_cancel_is_a_transaction_of_its_own() -> None:
    world = World()
    world.receive("INVITE")
    world.receive("CANCEL")
    assert world.kinds() == ["RequestReceived"] * 2


@pytest.mark.parametrize("branch", ["", ";branch=z9hG4bK", ";branch=1"])
def test_rfc2543_peers_are_matched_by_what_they_send(branch: str) -> None:
    world = World()
    via = OLD_VIA + branch
    world.receive("INVITE", via=via)
    world.receive("INVITE", via=via)
    assert world.kinds() == ["RequestReceived"]
    world.receive("INVITE", via=via, number=8)
    assert world.kinds() == ["RequestReceived"] * 2
    transaction, request = arrived(world)
    world.respond(transaction, 486, request)
    world.receive("ACK", via=via, to_tag="nobody's")
    assert transaction.state == "Completed"
    world.receive("ACK", via=via, to_tag=request.to_tag)
    assert transaction.state == "Confirmed"
    world.run(40)
    assert transaction.state == "Terminated"
    world.receive("INVITE", via=via)
    assert world.kinds()[-1] == "RequestReceived", "both keys of the old one are gone"


@pytest.mark.parametrize("status", [200, 486])
@pytest.mark.parametrize("provisional", [[], [100], [100, 183]])
def test_every_way_to_a_final_answer(provisional: list[int], status: int) -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    for each in (*provisional, status):
        world.respond(transaction, each, request)
    assert statuses(world) == [*provisional, status]
    assert list(transaction.request.headers) == [], "only the name is kept while it lingers"
    assert transaction.octets == world.endpoint._octets == 0
    assert request.call_id, "the request itself is left alone"
    world.run(31.999)
    world.receive("OPTIONS")
    assert statuses(world) == [*provisional, status, status]
    world.run(0.001)
    assert transaction.state == "Terminated"
    assert world.endpoint.deadline() is None


def test_a_transport_error_ends_a_request_being_answered() -> None:
    world = World()
    world.receive("OPTIONS")
    transaction, request = arrived(world)
    world.respond(transaction, 100, request)
    error = Unreachable("port unreachable")
    world.endpoint.transport_failed(PEER, error, world.now)
    world.collect()
    assert world.events[1:] == [TransportFailed(transaction, error)]
    assert transaction.state == "Terminated"
