"""A call from its INVITE to its BYE, between two user agents in virtual time."""

from __future__ import annotations

import random

import pytest
from two_phones import World

from sipua.errors import LocalError
from sipua.ims.call_events import Cause, Established, Invited, Progress
from sipua.sip.message import Request, Response


def test_a_call_rings_is_answered_and_hung_up() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    (invited,) = world.bob.of(Invited)
    assert "sip:alice@example.com" in invited.peer
    world.bob.called.ring(world.now)
    world.bob.flush()
    world.run(1)
    assert [event.status for event in world.alice.of(Progress)] == [180]
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(1)
    assert world.alice.of(Established)
    assert world.bob.of(Established)
    for phone, other in ((world.alice, world.bob), (world.bob, world.alice)):
        assert phone.stream is not None
        assert phone.stream.address == other.hop.address
        assert phone.stream.direction == "sendrecv"
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(60)
    assert world.sent() == [
        "INVITE", "100", "180", "PRACK", "200", "200", "ACK", "BYE", "200",
    ]  # fmt: skip
    assert world.alice.ended.cause == Cause.HUNG_UP
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP
    assert world.alice.deadline() is None
    assert world.bob.deadline() is None


def test_the_called_hangs_up() -> None:
    world = World().established()
    world.bob.call.hang_up(world.now)
    world.bob.flush()
    world.run(40)
    assert world.sent() == ["BYE", "200"]
    assert world.bob.ended.cause == Cause.HUNG_UP
    assert world.alice.ended.cause == Cause.PEER_HUNG_UP


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (603, Cause.DECLINED),
        (480, Cause.NO_ANSWER),
        (408, Cause.NO_ANSWER),
        (404, Cause.REFUSED),
        (503, Cause.REFUSED),
        (380, Cause.MOVED),
    ],
)
def test_a_refusal_tells_its_cause(status: int, cause: str) -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.refuse(world.now, status)
    world.bob.flush()
    world.run(60)
    assert world.alice.ended.cause == cause
    assert world.alice.ended.status == status
    assert world.sent() == ["INVITE", "100", str(status), "ACK"]


def test_an_invite_that_rings_for_three_minutes_is_not_ended_by_timer_b() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.ring(world.now)
    world.bob.flush()
    world.run(180)
    assert world.alice.call.state == "proceeding"
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(1)
    assert world.alice.call.state == world.bob.call.state == "active"


def test_silence_ends_the_call_after_timer_b() -> None:
    world = World()
    world.lost = lambda _message, to: to == "bob"
    world.alice.dial(world.bob)
    world.run(33)
    assert world.alice.ended.cause == Cause.TIMEOUT
    assert world.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


# Cancelling -----------------------------------------------------------------------------


def test_cancel_ends_a_ringing_call_with_487() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(60)
    assert world.sent() == ["INVITE", "100", "CANCEL", "200", "487", "ACK"]
    assert world.alice.ended.cause == Cause.CANCELLED
    assert world.alice.ended.status == 487
    assert world.bob.ended.cause == Cause.CANCELLED
    (invite,) = world.messages("INVITE")
    (cancel,) = world.messages("CANCEL")
    assert cancel.top_via.branch == invite.top_via.branch
    assert str(cancel.cseq) == "1 CANCEL"
    assert world.alice.deadline() is None


def test_cancel_waits_for_a_provisional_response() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(0.1)
    assert world.sent() == ["INVITE"]
    world.run(60)
    assert world.sent() == ["INVITE", "100", "CANCEL", "200", "487", "ACK"]


def test_cancel_that_crosses_the_200_is_followed_by_ack_and_bye() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(60)
    assert world.sent("bob") == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert world.sent("alice") == ["100", "200", "200", "200"]
    assert world.alice.ended.cause == Cause.CANCELLED
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP


def test_no_answer_to_the_invite_after_cancel_ends_it_after_64_t1() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Response) and message.status == 487
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(31.9)
    assert world.alice.call.state == "cancelling"
    world.run(0.2)
    assert world.alice.ended.cause == Cause.CANCELLED


def test_a_cancel_of_another_branch_is_answered_481() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    (invite,) = world.messages("INVITE")
    headers = [
        (name, value.replace("INVITE", "CANCEL"))
        for name, value in invite.headers
        if name in ("Via", "From", "To", "Call-ID", "CSeq")
    ]
    headers[0] = ("Via", headers[0][1].replace("branch=z9hG4bK", "branch=z9hG4bKother"))
    cancel = Request("CANCEL", "sip:bob@example.com", headers)
    world.bob.receive(cancel.to_bytes(), world.alice.hop)
    world.run(1)
    assert world.sent("alice")[-1] == "481"
    assert world.bob.call.state == "invited"


# The 200 and its ACK ----------------------------------------------------------------------


def test_the_200_is_repeated_until_its_ack_comes() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Request) and message.method == "ACK"
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(10)
    assert world.times("200") == [1, 1.5, 2.5, 4.5, 8.5]
    assert len(world.messages("ACK")) == 5
    assert {str(each.cseq) for each in world.messages("ACK")} == {"1 ACK"}
    assert len({each.top_via.branch for each in world.messages("ACK")}) == 5
    world.lost = lambda _message, _to: False
    world.run(4)
    assert world.bob.call.state == "active"
    world.run(60)
    assert len(world.messages("200")) == 6


def test_without_an_ack_the_called_says_bye_after_64_t1() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Request) and message.method == "ACK"
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(60)
    assert world.times("BYE") == [33]
    assert world.times("200")[:10] == [1, 1.5, 2.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert world.bob.ended.cause == Cause.LOST
    assert world.alice.ended.cause == Cause.PEER_HUNG_UP


def test_the_200_is_repeated_over_tcp_too() -> None:
    world = World("TCP")
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Request) and message.method == "ACK"
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(2)
    assert world.times("200") == [1, 1.5, 2.5]


def test_the_called_does_not_say_bye_before_the_ack() -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Request) and message.method == "ACK"
    world.bob.called.answer(world.now)
    world.bob.call.hang_up(world.now)
    world.bob.flush()
    world.run(0.3)
    assert world.bob.call.state == "leaving"
    assert not world.messages("BYE")
    world.lost = lambda _message, _to: False
    world.run(60)
    assert len(world.messages("BYE")) == 1
    assert world.bob.ended.cause == Cause.HUNG_UP


@pytest.mark.parametrize("hang_up", [False, True])
def test_the_caller_may_say_bye_before_the_ack_arrives(hang_up: bool) -> None:
    world = World()
    world.alice.dial(world.bob)
    world.run(1)
    world.lost = lambda message, _to: isinstance(message, Request) and message.method == "ACK"
    world.bob.called.answer(world.now)
    if hang_up:
        world.bob.call.hang_up(world.now)
    world.bob.flush()
    world.run(0.1)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(60)
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP
    assert world.alice.ended.cause == Cause.HUNG_UP


def test_both_hang_up_at_once() -> None:
    world = World().established()
    for phone in (world.alice, world.bob):
        phone.call.hang_up(world.now)
        phone.flush()
    world.run(60)
    assert world.alice.ended.cause == world.bob.ended.cause == Cause.PEER_HUNG_UP


def test_an_early_bye_ends_the_call() -> None:
    world = World()
    caller = world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.ring(world.now)
    world.bob.flush()
    world.run(1)
    (branch,) = caller.branches.values()
    branch.leave(world.now)
    world.alice.flush()
    world.run(60)
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP
    assert "487" in world.sent("alice")


def test_a_bye_without_an_answer_ends_the_call_all_the_same() -> None:
    world = World().established()
    world.lost = lambda _message, _to: True
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(33)
    assert world.alice.ended.cause == Cause.HUNG_UP


def test_calls_that_make_no_sense_are_refused() -> None:
    world = World()
    caller = world.alice.dial(world.bob)
    with pytest.raises(LocalError):
        caller.start(world.now)
    with pytest.raises(LocalError):
        caller.hold(world.now)
    world.run(1)
    for status in (100, 200, 486):
        with pytest.raises(LocalError):
            world.bob.called.ring(world.now, status)
    for status in (180, 200, 700):
        with pytest.raises(LocalError):
            world.bob.called.refuse(world.now, status)
    world.bob.called.hang_up(world.now)
    world.bob.flush()
    world.run(1)
    assert world.alice.ended.cause == Cause.DECLINED
    with pytest.raises(LocalError):
        world.bob.called.answer(world.now)
    caller.hang_up(world.now)
    assert caller.take_requests() == []


# Lossy networks ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_calls_succeed_over_a_network_that_loses_a_quarter(seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    world.lost = lambda _message, _to: chance.random() < 0.25
    world.delay = lambda: 0.005 + chance.random() * 0.2  # and has them overtake each other
    world.alice.dial(world.bob)
    world.run(20)
    world.bob.called.ring(world.now)
    world.bob.flush()
    world.run(20)
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(30)
    assert (world.alice.call.state, world.bob.call.state) == ("active", "active")
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(30)
    assert world.alice.stream is not None
    assert world.bob.stream is not None
    assert (world.alice.stream.direction, world.bob.stream.direction) == ("sendonly", "recvonly")
    world.bob.call.hang_up(world.now)
    world.bob.flush()
    world.run(70)
    assert world.bob.ended.cause == Cause.HUNG_UP
    assert world.alice.ended.cause == Cause.PEER_HUNG_UP
    assert world.alice.deadline() is None
    assert world.bob.deadline() is None
