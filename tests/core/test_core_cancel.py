"""CANCEL at the proxy, Timer C, and callees who say nothing (RFC 3261 §9, §16.7 to §16.10)."""

from __future__ import annotations

from core_scene import Scene, uri

from sipua.core.gate import Demand
from sipua.core.invite_branch import MAX_RINGING
from sipua.errors import Unreachable
from sipua.sip.message import Request
from sipua.sip.timers import TimerValues

CALL = 32.0  # Timer B, and how long a CANCEL may stay without effect


def methods(requests: list[Request]) -> list[str]:
    return [each.method for each in requests]


def requests_of(scene: Scene) -> list[str]:
    return methods([each for each in scene.bob.inbox if isinstance(each, Request)])


# CANCEL ----------------------------------------------------------------------------------------


def test_a_ringing_call_is_cancelled() -> None:
    scene = Scene()
    assert scene.invite() == [100]
    scene.bob.reply(180)
    assert scene.cancel() == [200]
    (cancel,) = scene.bob.got("CANCEL")
    invite = scene.bob.invited
    assert cancel.top_via.branch == invite.top_via.branch
    assert len(cancel.headers.values("Via")) == 1
    assert (cancel.uri, cancel.cseq.number) == (invite.uri, invite.cseq.number)
    assert cancel.headers.get("To") == invite.headers.get("To")
    scene.bob.answer(200, to=cancel)
    scene.bob.reply(487)
    assert scene.bob.asked.method == "ACK"
    assert scene.told() == [180, 487]
    scene.acknowledge()
    assert requests_of(scene) == ["INVITE", "CANCEL", "ACK"]
    assert scene.network.proxy.pending == 0


def test_a_100_is_enough_to_cancel() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(100)
    scene.cancel()
    scene.bob.reply(487)
    assert requests_of(scene) == ["INVITE", "CANCEL", "ACK"]
    assert scene.told() == [487]


def test_a_cancel_waits_for_a_100() -> None:
    scene = Scene()
    scene.invite()
    assert scene.cancel() == [200]
    assert requests_of(scene) == ["INVITE"]
    scene.bob.reply(100)
    assert requests_of(scene) == ["INVITE", "CANCEL"]
    scene.bob.reply(487)
    assert scene.told() == [487]


def test_a_cancel_waits_for_a_180_which_is_told_all_the_same() -> None:
    scene = Scene()
    scene.invite()
    scene.cancel()
    scene.bob.reply(180)
    assert requests_of(scene) == ["INVITE", "CANCEL"]
    scene.bob.reply(487)
    assert scene.told() == [180, 487]


def test_a_cancel_before_a_refusal_is_not_sent() -> None:
    for status in (486, 603):
        scene = Scene()
        scene.invite()
        scene.cancel()
        scene.bob.reply(status)
        assert scene.told() == [status]
        assert requests_of(scene) == ["INVITE", "ACK"]


def test_a_cancel_before_an_immediate_200_is_not_sent() -> None:
    scene = Scene()
    scene.invite()
    scene.cancel()
    scene.bob.reply(200)
    assert scene.told() == [200]
    assert requests_of(scene) == ["INVITE"]


def test_a_cancel_that_crosses_a_200_has_no_effect() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.cancel()
    scene.bob.reply(200)
    assert scene.told() == [180, 200]
    scene.network.pass_time(CALL + 1)
    assert scene.told() == [180, 200]


def test_a_cancel_that_crosses_a_refusal() -> None:
    for status in (486, 600):
        scene = Scene()
        scene.invite()
        scene.bob.reply(180)
        scene.cancel()
        scene.bob.reply(status)
        assert scene.told() == [180, status]


def test_a_provisional_response_after_cancel_is_told() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.cancel()
    scene.bob.reply(183)
    scene.bob.reply(487)
    assert scene.told() == [180, 183, 487]
    assert len(scene.bob.got("CANCEL")) == 1


def test_a_repeated_cancel_cancels_once() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    assert scene.cancel() == scene.cancel() == [200]
    assert len(scene.bob.got("CANCEL")) == 1


def test_a_cancel_after_the_end_is_answered_and_changes_nothing() -> None:
    """RFC 3261 §9.2: the INVITE's transaction is there as long as its ACK may come."""
    for status in (200, 486):
        scene = Scene()
        scene.invite()
        scene.bob.reply(status)
        assert scene.cancel() == [200]
        assert "CANCEL" not in requests_of(scene)


def test_a_cancel_of_what_was_challenged() -> None:
    scene = Scene(INVITE=Demand(407))
    assert scene.invite() == [407]
    assert scene.cancel() == [200]
    scene.acknowledge()
    assert requests_of(scene) == []


def test_a_cancel_of_another_call_is_of_no_call() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    stranger = scene.request(method="CANCEL", CSeq="1 CANCEL", Call_ID="1@alice")
    (response,) = scene.alice.send(stranger)
    assert response.status == 481
    assert scene.bob.got("CANCEL") == []


# Who says nothing ------------------------------------------------------------------------------


def test_who_answers_nothing_is_a_408() -> None:
    scene = Scene()
    scene.invite()
    scene.network.pass_time(CALL - 0.1)
    assert scene.told() == []
    scene.network.pass_time(0.2)
    assert scene.told() == [408]
    assert scene.network.proxy.pending == 0


def test_who_answers_nothing_to_what_was_cancelled_is_a_487() -> None:
    scene = Scene()
    scene.invite()
    scene.cancel()
    scene.network.pass_time(CALL + 0.1)
    assert scene.told() == [487]
    assert requests_of(scene)[-1] == "INVITE"


def test_who_is_out_of_reach_is_a_480() -> None:
    for cancelled in (False, True):
        scene = Scene(bobs="TCP")
        scene.invite()
        if cancelled:
            scene.cancel()
        hop = scene.bob.hop
        scene.network.endpoint.transport_failed(hop, Unreachable("closed"), scene.network.now)
        scene.network.settle()
        assert scene.told() == [480]


def test_a_cancel_without_effect_ends_the_call_after_a_while() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.cancel()
    scene.bob.answer(200, to=scene.bob.got("CANCEL")[0])
    scene.network.pass_time(CALL - 0.1)
    assert scene.told() == [180]
    scene.network.pass_time(0.2)
    assert scene.told() == [180, 487]
    scene.bob.reply(200)  # too late; RFC 3261 §9.1 has it considered cancelled
    assert scene.told() == [180, 487]
    assert scene.network.proxy.pending == 0


# Timer C ---------------------------------------------------------------------------------------


def test_after_three_minutes_of_ringing_the_call_is_cancelled() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.network.pass_time(MAX_RINGING - 1)
    assert requests_of(scene) == ["INVITE"]
    scene.network.pass_time(1.1)
    assert requests_of(scene) == ["INVITE", "CANCEL"]
    scene.bob.reply(487)
    assert scene.told() == [180, 487]


def test_a_provisional_response_gives_three_more_minutes() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    for _ in range(5):
        scene.network.pass_time(150)
        scene.bob.reply(180)
    assert requests_of(scene) == ["INVITE"]
    scene.bob.reply(200)
    scene.network.pass_time(MAX_RINGING)
    assert requests_of(scene) == ["INVITE"]
    assert scene.told()[-1] == 200


def test_a_100_gives_no_more_time() -> None:
    scene = Scene()
    scene.invite()
    for _ in range(3):
        scene.bob.reply(100)
        scene.network.pass_time(61)
    assert requests_of(scene)[-1] == "CANCEL"


def test_who_rings_for_ever_and_heeds_no_cancel_is_a_408() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.network.pass_time(MAX_RINGING + CALL + 0.1)
    assert scene.told() == [180, 408]
    assert scene.network.proxy.pending == 0


def test_timer_c_before_timer_b() -> None:
    """With a long T1: nothing has come within three minutes (RFC 3261 §16.8)."""
    scene = Scene(timers=TimerValues(t1=10.0))
    scene.invite()
    scene.network.pass_time(MAX_RINGING + 0.1)
    assert scene.told() == [408]
    assert requests_of(scene)[-1] == "INVITE"
    assert scene.network.proxy.pending == 0


def test_a_callers_vanishing_ends_nothing_before_its_time() -> None:
    """RFC 3261 §16.9: a Via must not be a way to end calls; Timer C sees to the rest."""
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    del scene.network.ues[scene.alice.hop]
    scene.network.endpoint.transport_failed(scene.alice.hop, Unreachable("gone"), scene.network.now)
    scene.network.settle()
    assert requests_of(scene) == ["INVITE"]
    scene.network.pass_time(MAX_RINGING)
    assert requests_of(scene) == ["INVITE", "CANCEL"]
    scene.bob.reply(487)
    scene.network.pass_time(60)
    assert scene.network.proxy.pending == 0


def test_the_ack_for_our_own_refusals_goes_no_further() -> None:
    scene = Scene()
    assert scene.invite(uri(3)) == [404]
    scene.acknowledge()
    scene.network.pass_time(60)
    assert requests_of(scene) == []
    assert scene.told() == [404]
