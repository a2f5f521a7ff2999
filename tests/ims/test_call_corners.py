"""What may happen to a call at odd moments, each in each state where it can."""

from __future__ import annotations

from registrar_by_hand import RES, challenge
from test_call_branches import Hand
from two_phones import World

from sipua.auth.schemes import aka
from sipua.errors import Unreachable
from sipua.ims.call_events import CallEnded, Cause, Established, Invited
from sipua.sip.message import Request, Response


def offered(*, state: str) -> World:
    """A call of Alice's that Bob has not answered yet."""
    world = World(preconditions=state == "preparing")
    world.alice.dial(world.bob)
    world.run(1)
    if state in ("alerting", "answering"):
        world.lost = lose("PRACK") if state == "answering" else world.lost
        world.bob.called.ring(world.now, 183, early_media=state == "answering")
        world.bob.flush()
        world.run(0.2)
    if state == "answering":
        world.bob.called.answer(world.now)
        world.bob.flush()
    assert world.bob.call.state == state
    return world


class lose:
    """Loses what it names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, message: Request | Response, _to: str) -> bool:
        name = message.method if isinstance(message, Request) else str(message.status)
        return name in self.names


OFFERED = ("preparing", "invited", "alerting", "answering")


def test_the_called_side_ends_an_offered_call() -> None:
    for state in OFFERED:
        for status in (0, 486):
            world = offered(state=state)
            if status:
                world.bob.called.refuse(world.now, status)
            else:
                world.bob.call.hang_up(world.now)
            world.bob.flush()
            world.run(1)
            assert world.alice.ended.status == (status or 603), state


def test_the_caller_ends_an_offered_call() -> None:
    for state in OFFERED:
        world = offered(state=state)
        world.alice.call.hang_up(world.now)
        world.alice.flush()
        world.run(1)
        assert world.bob.ended.cause == Cause.CANCELLED, state


def early_bye(world: World) -> None:
    invite = world.bob.called.invite
    session = world.bob.call.session
    assert session is not None
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKearly"),
        ("From", invite.headers.get("From") or ""),
        ("To", session.dialog.local),
        ("Call-ID", invite.call_id),
        ("CSeq", "99 BYE"),
    ]
    world.bob.receive(Request("BYE", "sip:bob@192.0.2.2", headers).to_bytes(), world.alice.hop)


def test_an_early_bye_ends_an_offered_call() -> None:
    for state in OFFERED:
        world = offered(state=state)
        early_bye(world)
        world.run(1)
        assert world.bob.ended.cause == Cause.PEER_HUNG_UP, state
        assert world.alice.ended.status == 487


def test_a_missing_prack_ends_an_offered_call() -> None:
    for state in OFFERED:
        world = World(preconditions=state in ("preparing", "invited"))
        world.lost = lose("PRACK")
        world.alice.dial(world.bob)
        world.run(0.3)
        if state in ("alerting", "answering"):
            world.bob.called.ring(world.now, 183, early_media=True)
            world.bob.flush()
        if state == "answering":
            world.bob.called.answer(world.now)
        if state == "invited":
            # an UPDATE that overtook the PRACK
            session = world.bob.call.session
            assert session is not None
            session.preconditions.current = set(session.preconditions.desired)
            world.bob.call.session_changed(session, world.now)
        world.bob.flush()
        assert world.bob.call.state == state
        world.run(40)
        assert (world.bob.ended.cause, world.bob.ended.status) == (Cause.LOST, 504), state


def test_a_200_waits_for_the_prack_although_it_never_rang() -> None:
    world = World(preconditions=True)
    world.lost = lose("PRACK")
    world.alice.dial(world.bob)
    world.run(0.3)
    session = world.bob.call.session
    assert session is not None
    session.preconditions.current = set(session.preconditions.desired)
    world.bob.call.session_changed(session, world.now)
    world.bob.called.answer(world.now)
    assert world.bob.call.state == "answering"
    world.lost = lambda _message, _to: False
    world.run(5)
    assert world.bob.call.state == "active"


def answered() -> World:
    world = offered(state="invited")
    world.lost = lose("ACK")
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(0.1)
    return world


def test_bye_before_the_ack_ends_the_call() -> None:
    for hang_up in (False, True):
        world = answered()
        if hang_up:
            world.bob.call.hang_up(world.now)
        early_bye(world)
        assert world.bob.ended.cause == Cause.PEER_HUNG_UP


def test_leaving_without_an_ack_says_bye_after_64_t1() -> None:
    world = answered()
    world.bob.call.hang_up(world.now)
    world.bob.flush()
    world.run(60)
    assert world.times("BYE") == [33]
    assert world.bob.ended


def test_a_call_lost_before_its_ack_is_left_once_the_ack_comes() -> None:
    world = answered()
    session = world.bob.call.session
    assert session is not None
    world.bob.call.session_lost(session, 0, "gone", world.now)
    assert world.bob.call.state == "leaving"
    world.lost = lambda _message, _to: False
    world.run(60)
    assert world.bob.ended.cause == Cause.LOST


# The caller -------------------------------------------------------------------------------


def test_after_ringing_all_may_still_happen() -> None:
    hand = Hand().answer(180)
    value = aka.write_challenge(challenge(1, header="Proxy-Authenticate"))
    hand.answer(407, "b", ("Proxy-Authenticate", value))
    assert hand.call.state == "asking"
    hand.call.card_answered(RES, hand.world.now)
    hand.alice.flush()
    hand.world.run(0.1)
    assert len(hand.sent("INVITE")) >= 2
    hand = Hand().answer(180).answer(302, "b", ("Contact", "<sip:new@192.0.2.9>"))
    assert hand.sent("INVITE")[-1].uri == "sip:new@192.0.2.9"
    hand = Hand().answer(180).answer(422, "b", ("Min-SE", "3600"))
    assert hand.sent("INVITE")[-1].headers.get("Min-SE") == "3600"
    for early in (False, True):
        hand = Hand()
        if early:
            hand.answer(180)
        hand.answer(200, "b", body=b"junk")
        assert hand.sent("BYE")
        assert not hand.alice.of(CallEnded)
        hand.answer(200, "b", method="BYE")
        assert hand.alice.ended.cause == Cause.FAILED


def test_a_broken_transport_ends_a_cancelled_call() -> None:
    hand = Hand().answer(180).hang_up()
    hand.call.request_failed(hand.call.forks.request, Unreachable("gone"), 0)  # type: ignore[union-attr]
    hand.alice.flush()
    assert hand.alice.ended.cause == Cause.CANCELLED


def test_while_bye_is_under_way_late_200s_are_acknowledged() -> None:
    hand = Hand().answer(200, "x").hang_up()
    assert hand.call.state == "ending"
    hand.answer(200, "x")
    assert [ack.to.tag for ack in hand.sent("ACK")] == ["x", "x"]
    hand.answer(200, "y")
    assert [ack.to.tag for ack in hand.sent("ACK")] == ["x", "x", "y"]
    assert hand.sent("BYE")[-1].to.tag == "y"


def test_after_a_491_the_peers_invite_goes_first() -> None:
    world = World().established()
    world.alice.call.hold(world.now)
    world.bob.call.hold(world.now)
    for phone in (world.alice, world.bob):
        phone.flush()
    world.run(0.05)
    assert world.sent().count("491") == 2
    world.lost = lose("ACK")
    world.run(5)  # Bob is first; Alice has his INVITE to be acknowledged when her time comes
    invites = [to for _, to, each in world.log if getattr(each, "method", "") == "INVITE"]
    assert invites == ["alice", "bob", "alice"] or invites == ["bob", "alice", "alice"]
    session = world.alice.call.session
    assert session is not None
    assert session.changes.modification.state == "blocked"
    world.lost = lambda _message, _to: False
    world.run(6)
    assert session.changes.modification.state == "free"


BROKEN = '"Bob, <sip:bob@example.com>'
"""A quote that is never closed, in a field whose commas part its values."""


def test_what_is_only_told_may_be_illegible() -> None:
    """Nothing is refused for P-Asserted-Identity, Supported or Allow, and no call is lost."""
    hand = Hand().answer(200, "b", ("P-Asserted-Identity", BROKEN), ("Allow", BROKEN))
    (established,) = hand.alice.of(Established)
    assert established.asserted == (BROKEN,)
    assert len(hand.sent("ACK")) == 1

    fields = (("P-Asserted-Identity", BROKEN), ("Supported", BROKEN), ("Allow", BROKEN))
    world = World(headers=fields)
    world.alice.dial(world.bob)
    world.run(1)
    (invited,) = world.bob.of(Invited)
    assert invited.asserted == (BROKEN,)
