"""What goes on inside a call: holding, glare, timers, reliable responses, preconditions."""

from __future__ import annotations

import pytest
from two_phones import Phone, World

from sipua.errors import LocalError
from sipua.ims import modification, session_requests
from sipua.ims.call_events import (
    Cause,
    ChangeRefused,
    Established,
    InfoAnswered,
    InfoReceived,
    Invited,
    MediaChanged,
    Progress,
    ReferReceived,
)
from sipua.sip import sdp, session_timer
from sipua.sip.codecs import Codec
from sipua.sip.message import Message, Request, Response
from sipua.verdict import Verdict


def only(what: str) -> object:
    """A network that loses all messages of this method or status."""

    def lost(message: Request | Response, _to: str) -> bool:
        return what == (message.method if isinstance(message, Request) else str(message.status))

    return lost


def direction(phone: Phone) -> str:
    return phone.stream.direction if phone.stream else "none"


def bodies(message: Message) -> str:
    description = sdp.parse(message.body)
    return description.direction(description.media[0])


# Re-INVITE --------------------------------------------------------------------------------


def test_hold_and_resume_by_either_side() -> None:
    world = World().established()
    for phone, other in ((world.alice, world.bob), (world.bob, world.alice)):
        world.log.clear()
        phone.call.hold(world.now)
        phone.flush()
        world.run(1)
        assert (direction(phone), direction(other)) == ("sendonly", "recvonly")
        phone.call.resume(world.now)
        phone.flush()
        world.run(1)
        assert (direction(phone), direction(other)) == ("sendrecv", "sendrecv")
        assert world.sent() == ["INVITE", "200", "ACK"] * 2
    assert world.alice.call.state == world.bob.call.state == "active"
    world.run(60)
    assert world.sent() == ["INVITE", "200", "ACK"] * 2


def test_a_change_the_peer_cannot_take_leaves_all_as_it_was() -> None:
    world = World().established()
    before = world.alice.stream, world.bob.stream
    media = world.alice.settings.media._replace(codecs=(Codec("opus", 48000, 111, "", 2),))
    world.alice.call.change_media(media, world.now)
    world.alice.flush()
    world.run(1)
    assert [event.status for event in world.alice.of(ChangeRefused)] == [488]
    assert (world.alice.stream, world.bob.stream) == before
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(1)
    assert direction(world.bob) == "recvonly"


def test_a_second_change_waits_for_the_first_and_the_last_one_counts() -> None:
    world = World().established()
    media = world.alice.settings.media
    for wanted in ("sendonly", "inactive", "recvonly"):
        world.alice.call.change_media(media._replace(direction=wanted), world.now)
        world.alice.flush()
    world.run(2)
    assert [bodies(each) for each in world.messages("INVITE")] == ["sendonly", "recvonly"]
    assert direction(world.alice) == "recvonly"


def test_glare_both_get_491_and_the_callee_tries_first() -> None:
    world = World().established()
    world.alice.call.hold(world.now)
    world.bob.call.change_media(world.bob.settings.media._replace(port=4002), world.now)
    for phone in (world.alice, world.bob):
        phone.flush()
    world.run(6)
    assert world.sent().count("491") == 2
    invites = [(at, to) for at, to, each in world.log if getattr(each, "method", "") == "INVITE"]
    (_, first), (_, second), (third_at, third), (fourth_at, fourth) = invites
    assert {first, second} == {"alice", "bob"}
    assert third == "alice"  # Bob does not own the Call-ID
    assert 0 <= third_at - 3 <= 2.1
    assert fourth == "bob"
    assert 2.1 <= fourth_at - 3 <= 4.1
    assert world.bob.stream is not None
    assert world.alice.stream is not None
    assert (direction(world.alice), world.alice.stream.port) == ("sendonly", 4002)
    assert (direction(world.bob), world.bob.stream.local_port) == ("recvonly", 4002)


def test_a_change_waits_for_the_ack_of_the_peers_invite() -> None:
    world = World().established()
    world.lost = only("ACK")  # type: ignore[assignment]
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(0.2)
    world.bob.call.change_media(world.bob.settings.media._replace(port=4002), world.now)
    world.bob.flush()
    world.bob.call.change_media(world.bob.settings.media._replace(port=4004), world.now)
    world.bob.flush()
    world.run(0.1)
    assert len(world.messages("INVITE")) == 1
    world.lost = lambda _message, _to: False
    world.run(2)
    assert len(world.messages("INVITE")) == 2
    assert world.alice.stream is not None
    assert world.alice.stream.port == 4004


def test_a_reinvite_without_ack_ends_the_call() -> None:
    world = World().established()
    world.lost = only("ACK")  # type: ignore[assignment]
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(40)
    assert world.times("BYE") == [35.01]
    assert world.bob.ended.cause == Cause.LOST


def test_a_second_invite_before_the_ack_of_the_first_is_answered_500() -> None:
    world = World().established()
    world.lost = only("ACK")  # type: ignore[assignment]
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(0.1)
    world.alice.call.resume(world.now)
    world.alice.flush()
    world.run(0.1)
    (response,) = world.messages("500")
    assert 0 <= int(response.headers.get("Retry-After") or "") <= 10


@pytest.mark.parametrize("status", [481, 408])
def test_a_peer_that_knows_of_no_call_is_left(status: int) -> None:
    world = World().established()

    def unknown(request: Request) -> Response | None:
        if request.method == "BYE":
            return None
        return world.bob.endpoint.create_response(request, status)

    world.bob.challenger = unknown
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(1)
    assert world.sent("bob") == ["INVITE", "ACK", "BYE"]
    assert (world.alice.ended.cause, world.alice.ended.status) == (Cause.LOST, status)


def test_a_reinvite_nobody_answers_ends_the_call() -> None:
    world = World().established()
    world.lost = only("INVITE")  # type: ignore[assignment]
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(40)
    assert world.alice.ended.cause == Cause.LOST
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP


def test_a_repeated_200_to_a_reinvite_is_acknowledged_again() -> None:
    world = World().established()
    world.lost = only("ACK")  # type: ignore[assignment]
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(1.2)
    assert len(world.messages("ACK")) == 2
    assert len([each for each in world.alice.of(MediaChanged) if not each.early]) == 2


def reinvite(world: World, body: bytes = b"", content_type: str = "application/sdp") -> None:
    """Alice re-INVITEs with this body."""
    session = world.alice.call.session
    assert session is not None
    fields = [session.contact(), ("Content-Type", content_type)]
    session.send("INVITE", lambda *_: None, lambda *_: None, world.now, fields, body)
    world.alice.flush()
    world.run(0.3)


def acknowledge(world: World, body: bytes) -> None:
    """Alice's ACK to it."""
    session = world.alice.call.session
    assert session is not None
    number = session.dialog.local_cseq
    ack = session.dialog.ack(number, [("Content-Type", "application/sdp")], body)
    world.alice.endpoint.send_ack(ack, world.bob.hop, ("192.0.2.1", 5060))
    world.alice.flush()
    world.run(0.3)


def test_an_invite_without_an_offer_gets_one_in_the_200_and_answers_in_the_ack() -> None:
    world = World().established()
    reinvite(world)
    (response,) = world.messages("200")
    session = world.alice.call.session
    assert session is not None
    session.media.take_offer(response.body)
    acknowledge(world, session.media.answer(world.alice.settings.media._replace(port=4444)))
    assert world.bob.stream is not None
    assert world.bob.stream.port == 4444
    assert world.bob.call.state == "active"


def test_a_bad_answer_in_the_ack_ends_the_call() -> None:
    world = World().established()
    reinvite(world)
    acknowledge(world, b"junk")
    world.run(1)
    assert world.bob.ended.cause == Cause.FAILED
    assert world.alice.ended.cause == Cause.PEER_HUNG_UP


def test_while_our_offer_waits_for_the_ack_others_are_refused() -> None:
    world = World().established()
    reinvite(world)
    session = world.alice.call.session
    assert session is not None
    session.send(
        "UPDATE",
        lambda *_: None,
        lambda *_: None,
        world.now,
        [session.contact(), ("Content-Type", "application/sdp")],
        session.media.offer(session.local),
    )
    world.alice.flush()
    world.run(0.2)
    assert "491" in world.sent("alice")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"junk", "application/sdp", "400"),
        (b"x", "text/plain", "415"),
        (b"v=0\r\no=- 1 1 IN IP4 a\r\n", "application/sdp", "400"),
    ],
)
def test_offers_that_cannot_be_used_are_refused(
    body: bytes, content_type: str, status: str
) -> None:
    world = World().established()
    reinvite(world, body, content_type)
    assert status in world.sent("alice")
    assert world.bob.call.state == "active"
    assert direction(world.bob) == "sendrecv"


# Other requests ---------------------------------------------------------------------------


def test_info_is_answered_and_shown() -> None:
    world = World().established()
    world.alice.call.send_info("application/dtmf-relay", b"Signal=5\r\n", world.now)
    world.alice.flush()
    world.run(1)
    (info,) = world.bob.of(InfoReceived)
    assert (info.content_type, info.body) == ("application/dtmf-relay", b"Signal=5\r\n")
    assert [event.status for event in world.alice.of(InfoAnswered)] == [200]
    world.lost = only("INFO")  # type: ignore[assignment]
    world.alice.call.send_info("application/dtmf-relay", b"Signal=6\r\n", world.now)
    world.alice.flush()
    world.run(40)
    assert world.alice.of(InfoAnswered)[-1].status == 0
    assert world.alice.ended.cause == Cause.LOST


def test_requests_inside_the_call_go_one_after_the_other() -> None:
    world = World().established()
    for digit in (b"1", b"2", b"3"):
        world.alice.call.send_info("application/dtmf", digit, world.now)
    world.alice.flush()
    assert len(world.messages("INFO")) == 1
    world.run(1)
    assert [event.body for event in world.bob.of(InfoReceived)] == [b"1", b"2", b"3"]


def refer(world: World, *targets: str) -> None:
    session = world.alice.call.session
    assert session is not None
    fields = [session.contact(), *[("Refer-To", target) for target in targets]]
    session.send("REFER", lambda *_: None, lambda *_: None, world.now, fields)
    world.alice.flush()
    world.run(0.2)


def test_refer_is_accepted_and_reported_on() -> None:
    world = World().established()

    def taken(request: Request) -> Response | None:
        if request.method != "NOTIFY":
            return None
        return world.alice.endpoint.create_response(request, 200)

    world.alice.challenger = taken
    refer(world, "<sip:carol@example.com>")
    (event,) = world.bob.of(ReferReceived)
    assert event.target == "sip:carol@example.com"
    refer(world, "<sip:dave@example.com>")
    assert world.sent("alice")[-1:] != ["202"]
    world.bob.call.refer_decided(world.now, accepted=True)
    world.bob.flush()
    world.run(0.2)
    world.bob.call.refer_progress(200, "OK", world.now)
    world.bob.flush()
    world.run(0.2)
    assert "202" in world.sent("alice")
    first, second = world.messages("NOTIFY")
    number = world.messages("REFER")[0].cseq.number
    assert first.headers.get("Event") == second.headers.get("Event") == f"refer;id={number}"
    assert first.headers.get("Subscription-State") == "active;expires=180"
    assert second.headers.get("Subscription-State") == "terminated;reason=noresource"
    assert (first.body, second.body) == (b"SIP/2.0 100 Trying\r\n", b"SIP/2.0 200 OK\r\n")
    with pytest.raises(LocalError):
        world.bob.call.refer_progress(200, "OK", world.now)


def test_refer_is_declined() -> None:
    world = World().established()
    with pytest.raises(LocalError):
        world.bob.call.refer_decided(world.now, accepted=True)
    refer(world, "<sip:carol@example.com>")
    world.bob.call.refer_decided(world.now, accepted=False)
    world.bob.flush()
    world.run(0.2)
    assert "603" in world.sent("alice")
    assert not world.messages("NOTIFY")


@pytest.mark.parametrize("targets", [(), ("<sip:a@b>", "<sip:c@d>"), ("<sip:broken",)])
def test_refer_to_nobody_or_several_is_refused(targets: tuple[str, ...]) -> None:
    world = World().established()
    refer(world, *targets)
    assert world.sent("alice") == ["400"]


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", "200"),
        ("NOTIFY", "481"),
        ("PRACK", "481"),
        ("MESSAGE", "405"),
        ("FROB", "501"),
    ],
)
def test_other_requests_inside_the_call(method: str, status: str) -> None:
    world = World().established()
    session = world.alice.call.session
    assert session is not None
    session.send(method, lambda *_: None, lambda *_: None, world.now, [("RAck", "1 1 INVITE")])
    world.alice.flush()
    world.run(0.2)
    assert world.sent("alice") == [status]
    (response,) = world.messages(status)
    assert ("Allow" in response.headers) == (method in ("OPTIONS", "MESSAGE", "FROB"))


def test_an_out_of_order_request_is_answered_500_and_a_stray_one_481() -> None:
    world = World().established()
    session = world.alice.call.session
    assert session is not None
    session.dialog.local_cseq = -1
    session.send("INFO", lambda *_: None, lambda *_: None, world.now)
    world.alice.flush()
    world.run(0.2)
    assert world.sent("alice") == ["500"]
    session.dialog.remote = "<sip:bob@example.com>;tag=nobody"
    session.send("INFO", lambda *_: None, lambda *_: None, world.now)
    world.alice.flush()
    world.run(0.2)
    assert world.sent("alice")[-1] == "481"
    request = session.dialog.request("INFO")
    world.bob.call.request_received(request, world.now)
    assert world.bob.call.take_responses()[0].response.status == 481


def update(world: World, body: bytes) -> None:
    session = world.alice.call.session
    assert session is not None
    fields = [session.contact(), ("Content-Type", "application/sdp")]
    session.send("UPDATE", lambda *_: None, lambda *_: None, world.now, fields, body)
    world.alice.flush()
    world.run(0.2)


def test_update_changes_the_media_without_an_ack() -> None:
    world = World().established()
    session = world.alice.call.session
    assert session is not None
    update(world, session.media.offer(session.local._replace(direction="inactive")))
    assert world.sent() == ["UPDATE", "200"]
    assert direction(world.bob) == "inactive"


# Session timers ---------------------------------------------------------------------------


def test_the_caller_refreshes_at_half_the_interval_by_update() -> None:
    world = World(session_expires=200).established()
    world.run(450)
    assert world.sent() == ["UPDATE", "200"] * 4
    assert world.messages("UPDATE")[0].body == b""
    update_ = world.messages("UPDATE")[0]
    assert update_.headers.get("Session-Expires") == "200;refresher=uac"
    response = world.messages("200")[0]
    assert response.headers.get("Session-Expires") == "200;refresher=uac"
    assert response.headers.get("Require") == "timer"
    assert world.alice.call.state == world.bob.call.state == "active"


def test_a_refresh_is_a_reinvite_where_the_peer_knows_no_update() -> None:
    world = World(session_expires=200).established()
    session = world.alice.call.session
    assert session is not None
    session.peer_allows = frozenset({"INVITE"})
    streams = len(world.alice.of(MediaChanged))
    world.run(110)
    assert world.sent() == ["INVITE", "200", "ACK"]
    assert len(world.alice.of(MediaChanged)) == streams + 1
    assert direction(world.alice) == "sendrecv"


def test_a_peer_that_vanished_is_noticed_by_both_sides() -> None:
    world = World(session_expires=300).established()
    world.lost = lambda _message, _to: True
    world.run(120)
    assert world.alice.call.state == world.bob.call.state == "active"
    world.run(250)
    assert world.alice.ended.cause == world.bob.ended.cause == Cause.LOST
    byes = [(at, to) for at, to, each in world.log if getattr(each, "method", "") == "BYE"]
    # answered at 2 s; Alice refreshes in vain at 150 s, Bob waits until 32 s before the end
    assert min(at for at, to in byes if to == "bob") == pytest.approx(2 + 150 + 32, abs=0.1)
    assert min(at for at, to in byes if to == "alice") == pytest.approx(2 + 300 - 32, abs=0.1)


def test_the_called_refreshes_for_a_caller_without_timers() -> None:
    world = World()
    world.alice.settings = world.alice.settings._replace(session_expires=0)
    world.bob.settings = world.bob.settings._replace(session_expires=120)
    original = type(world.alice.settings).supported
    assert original is not None
    world.established()
    world.run(70)
    assert world.sent() in (["UPDATE", "200"], ["UPDATE", "200"] * 2)


def test_without_timers_nothing_is_refreshed() -> None:
    world = World(session_expires=0).established()
    world.run(10_000)
    assert world.sent() == []


def test_too_short_an_interval_is_refused_with_422_and_tried_again() -> None:
    world = World()
    world.alice.settings = world.alice.settings._replace(session_expires=100)
    world.bob.settings = world.bob.settings._replace(min_se=500)
    world.established()
    session = world.alice.call.session
    assert session is not None
    assert session.timer.interval == 500


@pytest.mark.parametrize("state", sorted(session_timer.TRANSITIONS))
def test_every_row_of_the_session_timer_is_needed(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scenario() -> None:
        timer = session_timer.SessionTimer(90)
        timer.answered(Response(200, "", [("Session-Expires", "90;refresher=uac")]), 0)
        assert timer.tick(44.9) == ""
        assert timer.tick(45) == session_timer.REFRESH
        assert timer.deadline() == 60
        assert timer.tick(60) == session_timer.EXPIRED
        assert timer.deadline() is None
        timer.answered(Response(200, "", [("Session-Expires", "90;refresher=uas")]), 0)
        assert timer.tick(59.9) == ""
        assert timer.tick(60) == session_timer.EXPIRED

    scenario()
    monkeypatch.delitem(session_timer.TRANSITIONS, state)
    with pytest.raises(AssertionError):
        scenario()


@pytest.mark.parametrize(
    ("supported", "asked", "expected"),
    [
        (False, None, "uas"),
        (False, "90", "uas"),
        (False, "90;refresher=uas", "uas"),
        (True, None, "uac"),
        (True, "90", "uac"),
        (True, "90;refresher=uac", "uac"),
        (True, "90;refresher=UAS", "uas"),
        (True, "90;refresher=junk", "uas"),
    ],
)
def test_who_refreshes(supported: bool, asked: str | None, expected: str) -> None:
    headers = [("Supported", "timer")] if supported else []
    if asked:
        headers.append(("Session-Expires", asked))
    timer = session_timer.SessionTimer(1800)
    answer = dict(timer.answer(Request("INVITE", "sip:x", headers), 0))
    assert answer["Session-Expires"] == f"{90 if asked else 1800};refresher={expected}"
    assert ("Require" in answer) == (expected == "uac")
    assert timer.state == (session_timer.OURS if expected == "uas" else session_timer.THEIRS)
    row = (supported, ((asked or "").partition("refresher=")[2]).lower())
    if row in session_timer.REFRESHER:
        assert session_timer.REFRESHER[row] == expected


def test_a_2xx_without_an_interval_stops_the_timer() -> None:
    timer = session_timer.SessionTimer(90)
    timer.answered(Response(200, "", [("Session-Expires", "90;refresher=uac")]), 0)
    timer.answered(Response(200), 10)
    assert timer.deadline() is None


# Reliable provisional responses -----------------------------------------------------------


def ringing(world: World, **options: bool) -> None:
    world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.ring(world.now, 183, **options)
    world.bob.flush()


def test_a_reliable_response_is_repeated_until_its_prack_comes() -> None:
    world = World()
    world.lost = only("PRACK")  # type: ignore[assignment]
    ringing(world)
    world.run(5)
    assert world.times("183") == [1, 1.5, 2.5, 4.5]
    assert len(world.alice.of(Progress)) == 1
    world.lost = lambda _message, _to: False
    world.run(60)
    assert len(world.messages("183")) <= 5


def test_without_a_prack_the_invite_is_refused_with_504() -> None:
    world = World()
    world.lost = only("PRACK")  # type: ignore[assignment]
    ringing(world)
    world.run(40)
    assert world.bob.ended.cause == Cause.LOST
    assert world.alice.ended.status == 504
    assert world.times("183") == [1, 1.5, 2.5, 4.5, 8.5, 16.5, 32.5]


def test_reliable_responses_are_sent_one_by_one_and_numbered() -> None:
    world = World()
    world.lost = only("PRACK")  # type: ignore[assignment]
    ringing(world)
    world.bob.called.ring(world.now)
    world.bob.flush()
    world.run(0.2)
    assert not world.messages("180")
    world.lost = lambda _message, _to: False
    world.run(10)
    first, second = world.messages("183")[0], world.messages("180")[0]
    number = int(first.headers.get("RSeq") or "")
    assert second.headers.get("RSeq") == str(number + 1)
    assert second.headers.get("Require") == "100rel"
    assert [each.headers.get("RAck") for each in world.messages("PRACK")][-1] == (
        f"{number + 1} 1 INVITE"
    )


def test_a_200_waits_for_the_prack_of_a_description() -> None:
    world = World()
    world.lost = only("PRACK")  # type: ignore[assignment]
    ringing(world, early_media=True)
    world.run(0.1)
    world.bob.called.answer(world.now)
    world.bob.flush()
    assert world.bob.call.state == "answering"
    world.lost = lambda _message, _to: False
    world.run(4)
    assert world.alice.call.state == "active"
    final = [each for each in world.messages("200") if str(each.cseq) == "1 INVITE"]
    assert final[0].body == b""  # the answer was given before
    assert direction(world.alice) == direction(world.bob) == "sendrecv"
    assert world.alice.of(MediaChanged)[0].early


def test_a_200_does_not_wait_for_the_prack_of_a_mere_ringing() -> None:
    world = World()
    world.lost = only("PRACK")  # type: ignore[assignment]
    ringing(world)
    world.bob.called.answer(world.now)
    world.bob.flush()
    assert world.bob.call.state == "answered"
    world.run(0.1)
    world.lost = lambda _message, _to: False
    world.run(60)
    assert world.alice.call.state == "active"
    assert "481" not in world.sent()  # the late PRACK is for what was sent


def test_a_peer_without_100rel_gets_plain_responses() -> None:
    world = World()
    world.alice.settings = world.alice.settings._replace(reliable=False)
    ringing(world, early_media=True)
    world.run(1)
    assert "RSeq" not in world.messages("183")[0].headers
    assert not world.messages("PRACK")
    assert world.alice.of(MediaChanged)[0].early


def test_answering_is_cut_short_by_the_peer_or_the_user() -> None:
    for what in ("cancel", "hang up", "refuse"):
        world = World()
        world.lost = only("PRACK")  # type: ignore[assignment]
        ringing(world, early_media=True)
        world.run(0.1)
        world.bob.called.answer(world.now)
        world.bob.flush()
        if what == "cancel":
            world.alice.call.hang_up(world.now)
            world.alice.flush()
        elif what == "hang up":
            world.bob.call.hang_up(world.now)
            world.bob.flush()
        else:
            world.bob.called.refuse(world.now)
            world.bob.flush()
        world.run(1)
        assert world.alice.ended.status == {"cancel": 487, "hang up": 603, "refuse": 486}[what]
        assert world.bob.ended.status in (0, world.alice.ended.status)


def test_an_early_session_is_changed_by_update() -> None:
    world = World()
    ringing(world, early_media=True)
    world.run(1)
    session = world.bob.call.session
    assert session is not None
    session.changes.ask(session.local._replace(direction="sendonly"), world.now)
    world.bob.flush()
    world.run(1)
    assert direction(world.alice) == "recvonly"
    assert world.messages("UPDATE")


# Preconditions ----------------------------------------------------------------------------


def test_nobody_rings_before_both_sides_have_their_bearer() -> None:
    world = World(preconditions=True)
    world.alice.dial(world.bob)
    world.run(1)
    assert not world.bob.of(Invited)
    assert world.bob.call.state == "preparing"
    assert world.sent() == ["INVITE", "183", "PRACK", "200"]
    world.bob.call.resources_reserved(world.now)
    world.bob.flush()
    world.run(1)
    assert not world.bob.of(Invited)
    world.alice.call.resources_reserved(world.now)
    world.alice.flush()
    world.run(1)
    assert world.bob.of(Invited)
    assert world.sent()[4:] == ["UPDATE", "200"]
    world.bob.called.ring(world.now)
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(1)
    assert world.alice.of(Established)
    assert world.bob.of(Established)


def test_the_called_bearer_may_come_last() -> None:
    world = World(preconditions=True)
    world.alice.dial(world.bob)
    world.alice.call.resources_reserved(world.now)
    world.run(1)
    assert world.messages("UPDATE")
    assert not world.bob.of(Invited)
    world.bob.call.resources_reserved(world.now)
    world.bob.flush()
    assert world.bob.of(Invited)


def test_preconditions_need_100rel() -> None:
    world = World(preconditions=True, reliable=False)
    world.alice.dial(world.bob)
    world.run(1)
    assert world.alice.ended.status == 421
    assert world.messages("421")[0].headers.get("Require") == "100rel"
    assert world.alice.ended.verdict is None


@pytest.mark.parametrize("fields", [{}, {"Require": "sec-agree"}], ids=["494", "421"])
def test_a_call_that_wants_a_security_agreement(fields: dict[str, str]) -> None:
    world = World()

    def refuse(request: Request) -> Response:
        response = world.bob.endpoint.create_response(request, 421 if fields else 494)
        for each in fields.items():
            response.headers.add(*each)
        return response

    world.bob.challenger = refuse
    world.alice.dial(world.bob)
    world.run(1)
    assert world.alice.ended.verdict is Verdict.SECURITY_AGREEMENT


def test_preconditions_may_be_given_up_or_cancelled() -> None:
    world = World(preconditions=True)
    world.alice.dial(world.bob)
    world.run(1)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(1)
    assert world.alice.ended.cause == world.bob.ended.cause == Cause.CANCELLED
    world = World(preconditions=True)
    world.alice.dial(world.bob)
    world.run(1)
    world.bob.called.refuse(world.now, 580)
    world.bob.flush()
    world.run(1)
    assert world.alice.ended.status == 580


def test_a_caller_without_preconditions_rings_at_once() -> None:
    world = World()
    world.bob.settings = world.bob.settings._replace(preconditions=True)
    world.alice.dial(world.bob)
    world.run(1)
    assert world.bob.of(Invited)


# The tables -------------------------------------------------------------------------------


MODIFICATIONS = (
    test_hold_and_resume_by_either_side,
    test_glare_both_get_491_and_the_callee_tries_first,
    test_a_second_change_waits_for_the_first_and_the_last_one_counts,
    test_a_change_waits_for_the_ack_of_the_peers_invite,
    test_a_change_the_peer_cannot_take_leaves_all_as_it_was,
)


@pytest.mark.parametrize("method", sorted(session_requests.HANDLERS))
def test_every_method_is_handled_by_its_row(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert session_requests.HANDLERS[method][1].startswith("RFC ")
    monkeypatch.delitem(session_requests.HANDLERS, method)
    world = World().established()
    session = world.alice.call.session
    assert session is not None
    session.send(method, lambda *_: None, lambda *_: None, world.now)
    world.alice.flush()
    world.run(0.2)
    assert world.sent("alice") == ["405"]


def test_the_rows_of_changes_name_their_rules() -> None:
    for _, _, rule in modification.TRANSITIONS.values():
        assert rule.startswith("RFC 3261 §14")
