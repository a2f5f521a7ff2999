"""INVITE and non-INVITE client transactions in virtual time (RFC 3261 §17.1, RFC 6026)."""

from __future__ import annotations

import gc

import pytest
from virtual_time import PEER_TCP, World

from sipua.errors import Unreachable
from sipua.sip.endpoint import ResponseReceived, TransactionTimeout, TransportFailed
from sipua.sip.message import Request
from sipua.sip.timers import TimerValues
from sipua.sip.transaction.non_invite_client import NonInviteClient


def test_timer_e_doubles_to_t2_and_timer_f_ends_it() -> None:
    world = World()
    transaction = world.request("OPTIONS")
    world.run(100)
    assert world.times() == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(set(world.octets)) == 1
    assert world.events == [TransactionTimeout(transaction)]
    assert transaction.state == "Terminated"
    assert world.endpoint.deadline() is None


def test_timer_f_fires_at_64_t1() -> None:
    world = World()
    world.request("OPTIONS")
    world.run(31.999)
    assert not world.events
    world.run(0.001)
    assert world.kinds() == ["TransactionTimeout"]


def test_a_provisional_response_slows_timer_e_to_t2_but_not_timer_f() -> None:
    world = World()
    transaction = world.request("OPTIONS")
    world.run(0.1)
    world.answer(transaction, 100)
    world.run(40)
    assert world.times() == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert world.kinds() == ["ResponseReceived", "TransactionTimeout"]


def test_several_provisional_responses_all_go_up() -> None:
    world = World()
    transaction = world.request("OPTIONS")
    for status in (100, 180, 183):
        world.answer(transaction, status)
    assert [e.response.status for e in world.events if isinstance(e, ResponseReceived)] == [
        100, 180, 183,
    ]  # fmt: skip


@pytest.mark.parametrize("status", [200, 202, 301, 401, 503, 603])
def test_a_final_response_is_passed_once_and_absorbed_for_timer_k(status: int) -> None:
    world = World()
    transaction = world.request("OPTIONS")
    world.run(0.1)
    world.answer(transaction, status)
    world.answer(transaction, status)
    assert world.kinds() == ["ResponseReceived"]
    assert transaction.state == "Completed"
    world.run(4.9)
    world.answer(transaction, status)
    assert world.kinds() == ["ResponseReceived"]
    world.run(0.2)
    assert world.times() == [0]
    world.answer(transaction, status)
    assert world.kinds() == ["ResponseReceived", "Discarded"]


def test_only_the_names_of_answered_requests_linger() -> None:
    """Each for Timer K; the others are let go of as new ones come."""
    world = World()
    for _ in range(100):
        world.answer(world.request("OPTIONS"), 200)
        world.run(1)
        world.events.clear()
        assert len(world.endpoint._lingering) <= 5
    kept = [each for each in gc.get_objects() if isinstance(each, NonInviteClient)]
    assert not [each for each in kept if each.layer is world.endpoint]


def test_over_a_stream_nothing_is_repeated_and_timer_k_is_zero() -> None:
    world = World()
    transaction = world.request("OPTIONS", PEER_TCP)
    world.run(20)
    assert world.times() == [0]
    world.answer(transaction, 200)
    assert transaction.state == "Terminated"
    assert world.endpoint.deadline() is None


def test_over_a_stream_timer_f_still_runs() -> None:
    world = World()
    world.request("OPTIONS", PEER_TCP)
    world.run(32)
    assert world.kinds() == ["TransactionTimeout"]


def test_timer_a_doubles_without_limit_and_timer_b_ends_it() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.run(100)
    assert world.times() == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert world.events == [TransactionTimeout(transaction)]


def test_ringing_for_minutes_is_not_ended_by_timer_b() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.run(0.2)
    world.answer(transaction, 180)
    world.run(600)
    assert transaction.state == "Proceeding"
    assert world.times() == [0]
    world.answer(transaction, 200)
    assert world.kinds() == ["ResponseReceived", "ResponseReceived"]


def test_a_2xx_and_its_repetitions_go_up_until_timer_m() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.answer(transaction, 200)
    world.run(31)
    world.answer(transaction, 200)
    assert world.kinds() == ["ResponseReceived"] * 2
    assert transaction.state == "Accepted"
    assert world.times() == [0], "the ACK for a 2xx is the transaction user's"
    world.run(1)
    assert transaction.state == "Terminated"
    world.answer(transaction, 200)
    assert world.kinds()[2:] == ["Discarded"]


def test_a_failure_is_acknowledged_each_time_but_passed_up_once() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.answer(transaction, 180)
    world.answer(transaction, 486)
    world.run(0.5)
    world.answer(transaction, 486)
    assert world.kinds() == ["ResponseReceived"] * 2
    acks = [message for _, message, _ in world.sent if isinstance(message, Request)][1:]
    assert [ack.method for ack in acks] == ["ACK", "ACK"]
    world.run(31.4)
    assert transaction.state == "Completed"
    world.run(0.1)
    assert transaction.state == "Terminated", "Timer D runs for 32 s"


def test_the_ack_is_made_as_section_17_1_1_3_says() -> None:
    world = World()
    headers = [*World.headers("INVITE"), ("Route", "<sip:p1;lr>"), ("Route", "<sip:p2;lr>")]
    transaction = world.endpoint.send_request(
        Request("INVITE", "sip:them@example.com;x=1", headers, b"v=0\r\n"),
        PEER_TCP, ("2001:db8::1", 5060), world.now,
    )  # fmt: skip
    world.collect()
    world.answer(transaction, 404)
    _, ack, hop = world.sent[1]
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, ack.body, hop) == (
        "ACK",
        "sip:them@example.com;x=1",
        b"",
        PEER_TCP,
    )
    sent = world.request_of(transaction).headers
    assert (
        ack.headers.all("Via")
        == sent.all("Via")
        == [f"SIP/2.0/TCP [2001:db8::1]:5060;branch={transaction.branch};rport"]
    )
    assert ack.headers.all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert ack.headers.get("From") == sent.get("From")
    assert ack.headers.get("To") == "<sip:them@example.com>;tag=99"
    assert ack.headers.get("Call-ID") == sent.get("Call-ID")
    assert ack.headers.get("CSeq") == "7 ACK"
    assert ack.headers.get("Max-Forwards") == "70"


def test_over_a_stream_timer_d_is_zero() -> None:
    world = World()
    transaction = world.request("INVITE", PEER_TCP)
    world.run(10)
    assert world.times() == [0]
    world.answer(transaction, 486)
    assert transaction.state == "Terminated"
    assert len(world.sent) == 2, "the ACK is sent over streams too"


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_transport_error_ends_it(method: str) -> None:
    world = World()
    transaction = world.request(method)
    error = Unreachable("no route")
    world.endpoint.transport_failed(transaction.hop, error, world.now)
    world.collect()
    assert world.events == [TransportFailed(transaction, error)]
    assert transaction.state == "Terminated"
    assert world.endpoint.deadline() is None


def test_a_transport_error_after_the_answer_says_nothing_more() -> None:
    world = World()
    transaction = world.request("OPTIONS")
    world.answer(transaction, 200)
    world.endpoint.transport_failed(transaction.hop, Unreachable("gone"), world.now)
    world.collect()
    assert world.kinds() == ["ResponseReceived"]


def test_timers_scale_with_t1() -> None:
    world = World(TimerValues(t1=0.1, t2=0.4))
    world.request("OPTIONS")
    world.run(1.2)
    assert world.times() == [0, 0.1, 0.3, 0.7, 1.1]
    world.run(5.2)
    assert world.kinds() == ["TransactionTimeout"]


def test_a_late_tick_sends_once_and_goes_on_from_there() -> None:
    world = World()
    world.request("OPTIONS")
    world.now += 10
    world.endpoint.tick(world.now)
    world.collect()
    assert world.times() == [0, 10]
    assert world.endpoint.deadline() == pytest.approx(world.now + 1)


@pytest.mark.parametrize("status", [200, 486])
@pytest.mark.parametrize("provisional", [[], [100], [100, 183]])
@pytest.mark.parametrize(
    ("method", "linger"), [("INVITE", 32), ("OPTIONS", 5)], ids=["INVITE", "OPTIONS"]
)
def test_every_way_to_a_final_response(
    method: str, linger: float, provisional: list[int], status: int
) -> None:
    world = World()
    transaction = world.request(method)
    for each in (*provisional, status):
        world.answer(transaction, each)
    responses = [event for event in world.events if isinstance(event, ResponseReceived)]
    assert [event.response.status for event in responses] == [*provisional, status]
    acknowledged = method == "INVITE" and status == 486
    assert len(world.sent) == 1 + acknowledged
    world.run(linger - 0.001)
    assert transaction.state == ("Accepted" if (method, status) == ("INVITE", 200) else "Completed")
    world.answer(transaction, status)
    again = len([event for event in world.events if isinstance(event, ResponseReceived)])
    assert again == len(responses) + ((method, status) == ("INVITE", 200))
    world.run(0.001)
    acks = 2 * acknowledged  # a refusal that comes again is acknowledged again
    if method == "INVITE":
        assert transaction.state == "Terminated"
    world.answer(transaction, status)
    assert world.kinds()[-1] == "Discarded"
    assert len(world.sent) == 1 + acks
    assert world.endpoint.deadline() is None


def test_an_ack_that_cannot_be_delivered_is_reported() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.answer(transaction, 486)
    error = Unreachable("gone")
    world.endpoint.transport_failed(transaction.hop, error, world.now)
    world.collect()
    assert world.events[1:] == [TransportFailed(transaction, error)]
    assert transaction.state == "Terminated"


# CANCEL (RFC 3261 §9.1) -------------------------------------------------------------------


def test_cancel_goes_by_the_branch_of_its_invite_and_is_repeated_like_any_request() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.answer(transaction, 180)
    world.endpoint.send_cancel(transaction, world.now)
    world.collect()
    world.run(0.6)
    invite, cancel, again = [message for _, message, _ in world.sent]
    assert isinstance(cancel, Request)
    assert cancel.start_line == "CANCEL sip:example.com SIP/2.0"
    assert cancel.headers.all("Via") == invite.headers.all("Via")
    assert again.to_bytes() == cancel.to_bytes()
    for name in ("From", "To", "Call-ID"):
        assert cancel.headers.get(name) == invite.headers.get(name)
    assert cancel.headers.get("CSeq") == "7 CANCEL"


def test_an_answered_invite_is_not_cancelled() -> None:
    for status in (200, 486):
        world = World()
        transaction = world.request("INVITE")
        world.answer(transaction, status)
        sent = len(world.sent)
        world.endpoint.send_cancel(transaction, world.now)
        world.collect()
        assert len(world.sent) == sent
    world = World()
    other = world.request("OPTIONS")
    world.endpoint.send_cancel(other, world.now)
    world.collect()
    assert len(world.sent) == 1
