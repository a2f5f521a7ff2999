"""Several phones of one subscriber ring at a time: one answer comes of it (RFC 3261 §16.7)."""

from __future__ import annotations

import pytest
from core_scene import Scene, subscriber, uri
from core_ue import Ue

from sipua.core.best import Candidate, best
from sipua.errors import Unreachable
from sipua.sip.message import Request, Response
from sipua.sip.transaction.machine import Transaction


def got(scene: Scene) -> list[list[str]]:
    """What each phone has been sent."""
    return [
        [each.method for each in phone.inbox if isinstance(each, Request)] for phone in scene.phones
    ]


def test_all_phones_ring_and_one_is_answered() -> None:
    scene = Scene(phones=3)
    scene.invite()
    assert len({phone.invited.top_via.branch for phone in scene.phones}) == 3
    assert [phone.invited.uri for phone in scene.phones] == [
        phone.contact for phone in scene.phones
    ]
    first, second, third = scene.phones
    first.reply(180)
    second.reply(183)
    assert scene.alice.told.to.tag == f"t{second.hop.address}"
    second.reply(200)
    assert got(scene) == [["INVITE", "CANCEL"], ["INVITE"], ["INVITE"]]
    third.reply(180)  # rings only now, and is told now
    assert got(scene)[2] == ["INVITE", "CANCEL"]
    first.reply(487)
    third.reply(487)
    assert scene.told() == [180, 183, 200]
    assert got(scene) == [["INVITE", "CANCEL", "ACK"], ["INVITE"], ["INVITE", "CANCEL", "ACK"]]
    scene.network.pass_time(33)
    assert scene.network.proxy.pending == 0


def test_several_200s_are_all_told() -> None:
    """RFC 3261 §16.7 step 5; the caller ends all but one by BYE (§13.2.2.4)."""
    scene = Scene(phones=3)
    scene.invite()
    scene.phones[2].reply(180)
    for phone in scene.phones:
        phone.reply(200)
    scene.phones[0].reply(200)  # repeated until there is an ACK
    assert scene.told() == [180, 200, 200, 200, 200]
    tags = [each.to.tag for each in scene.alice.inbox[-4:] if isinstance(each, Response)]
    assert tags == [f"t{phone.hop.address}" for phone in [*scene.phones, scene.phones[0]]]
    assert got(scene)[2] == ["INVITE", "CANCEL"]


def test_a_refusal_waits_for_the_others() -> None:
    scene = Scene(phones=2)
    scene.invite()
    first, second = scene.phones
    first.reply(486)
    assert scene.told() == []
    second.reply(200)
    assert scene.told() == [200]


def test_the_last_refusal_brings_the_best() -> None:
    scene = Scene(phones=3)
    scene.invite()
    for phone, status in zip(scene.phones, (500, 486, 480), strict=True):
        assert 486 not in scene.told()
        phone.reply(180)
        phone.reply(status)
    assert scene.told() == [180, 180, 180, 486]


def test_a_6xx_ends_the_ringing_everywhere() -> None:
    for rings in (False, True):
        scene = Scene(phones=2)
        scene.invite()
        first, second = scene.phones
        if rings:
            first.reply(180)
            second.reply(180)
        first.reply(603)
        assert ("CANCEL" in got(scene)[1]) == rings
        if not rings:
            second.reply(180)
        assert got(scene)[1] == ["INVITE", "CANCEL"]
        assert 603 not in scene.told()
        second.reply(487)
        assert scene.told()[-1] == 603
        assert scene.told().count(603) == 1


def test_a_200_wins_over_a_6xx_that_came_before() -> None:
    scene = Scene(phones=2)
    scene.invite()
    scene.phones[0].reply(600)
    scene.phones[1].reply(200)
    assert scene.told() == [200]


def test_one_phone_out_of_reach_does_not_end_the_call() -> None:
    scene = Scene(phones=2)
    scene.invite()
    first, second = scene.phones
    scene.network.endpoint.transport_failed(first.hop, Unreachable("no"), scene.network.now)
    scene.network.settle()
    assert scene.told() == []
    second.reply(486)
    assert scene.told() == [486]


def test_a_connection_gone_before_does_not_end_the_call() -> None:
    for phones, status in ((2, 200), (1, 480)):
        scene = Scene(bobs="TCP", phones=phones)

        def address_of(hop: object, scene: Scene = scene) -> tuple[str, int]:
            if hop == scene.bob.hop or hop == scene.bob.hop._replace(local=("192.0.2.1", 5060)):
                raise Unreachable("gone")
            return "192.0.2.1", 5060

        scene.network.proxy._contexts.local_address = address_of
        scene.invite()
        if phones == 2:
            scene.phones[1].reply(200)
        assert scene.told() == [status]
        assert scene.bob.got("INVITE") == []
        scene.network.pass_time(40)
        assert scene.network.proxy._contexts.by_server == {}


def test_one_silent_phone_makes_a_refusal_wait() -> None:
    scene = Scene(phones=2)
    scene.invite()
    scene.phones[0].reply(486)
    scene.network.pass_time(31)
    assert scene.told() == []
    scene.network.pass_time(1.2)
    assert scene.told() == [486]


def test_a_cancel_goes_to_every_phone() -> None:
    scene = Scene(phones=3)
    scene.invite()
    scene.phones[0].reply(180)
    scene.phones[1].reply(100)
    scene.cancel()
    scene.phones[2].reply(180)
    assert all(each == ["INVITE", "CANCEL"] for each in got(scene))
    for phone in scene.phones:
        phone.reply(487)
    assert scene.told() == [180, 180, 487]


def test_challenges_of_all_phones_are_told_together() -> None:
    scene = Scene(phones=3)
    scene.invite()
    first, second, third = scene.phones
    first.reply(407, ("Proxy-Authenticate", 'Digest realm="a", nonce="1"'))
    second.reply(401, ("WWW-Authenticate", 'Digest realm="b", nonce="2"'))
    third.reply(486, ("WWW-Authenticate", "stays here"))
    told = scene.alice.told
    assert told.status == 407
    assert told.headers.all("Proxy-Authenticate") == ['Digest realm="a", nonce="1"']
    assert told.headers.all("WWW-Authenticate") == ['Digest realm="b", nonce="2"']


def test_a_503_is_the_callees_and_not_ours() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(503, ("Retry-After", "3600"))
    assert scene.told() == [500]
    assert "Retry-After" not in scene.alice.told.headers


def test_the_caller_of_himself_rings_on_his_own_phones() -> None:
    scene = Scene()
    scene.invite(uri(1))
    assert scene.alice.invited.uri == scene.alice.contact


def test_one_user_agent_rings_once_by_its_newest_contact() -> None:
    """As after a restart at another port (RFC 5626 §7)."""
    scene = Scene()
    instance = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
    phones = [
        Ue(scene.network, subscriber(2), f"192.0.2.{30 + number}").register(params)
        for number, params in enumerate((instance, "", instance))
    ]
    scene.invite()
    assert [len(phone.got("INVITE")) for phone in phones] == [0, 1, 1]
    assert len(scene.bob.got("INVITE")) == 1


def test_a_contact_that_is_no_phone_does_not_end_the_call() -> None:
    """RFC 3261 §10.2.1 lets any URI be registered."""
    for contact in ("mailto:bob@example.org", "tel:+15559", "sip:bob@gone.invalid;transport=ws"):
        scene = Scene()
        other = Ue(scene.network, subscriber(2), "192.0.2.40")
        other.contact = contact
        other.register()
        scene.invite()
        scene.bob.reply(200)
        assert scene.told() == [200]


def test_who_has_no_phone_is_a_480() -> None:
    scene = Scene(phones=0)
    mail = Ue(scene.network, subscriber(2), "192.0.2.40")
    mail.contact = "mailto:bob@example.org"
    mail.register()
    assert scene.invite() == [480]


# How far, and why not --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shares"),
    [("", [20, 20, 20]), ("7", [3, 2, 2]), ("3", [1, 1, 1]), ("4000000", [20, 20, 20])],
)
def test_the_breadth_is_divided(given: str, shares: list[int]) -> None:
    scene = Scene(phones=3)
    scene.invite(Max_Breadth=given)
    told = [phone.invited.headers.all("Max-Breadth") for phone in reversed(scene.phones)]
    assert told == [[str(share)] for share in shares]


@pytest.mark.parametrize(("given", "status"), [("2", 440), ("0", 440), ("x", 400), ("-1", 400)])
def test_too_little_breadth_reaches_nobody(given: str, status: int) -> None:
    scene = Scene(phones=3)
    assert scene.invite(Max_Breadth=given) == [status]
    assert got(scene) == [[], [], []]
    assert scene.network.proxy.pending == 0


def reasons(scene: Scene) -> list[list[str]]:
    return [
        [each.headers.get("Reason") or "" for each in phone.got("CANCEL")] for phone in scene.phones
    ]


def test_a_phone_is_told_that_the_call_was_taken_elsewhere() -> None:
    scene = Scene(phones=3)
    scene.invite()
    scene.phones[1].reply(180)
    scene.phones[0].reply(200)
    scene.phones[2].reply(180)
    elsewhere = 'SIP;cause=200;text="Call completed elsewhere"'
    assert reasons(scene) == [[], [elsewhere], [elsewhere]]


def test_a_phone_is_told_that_the_call_was_declined_elsewhere() -> None:
    scene = Scene(phones=2)
    scene.invite()
    scene.phones[1].reply(180)
    scene.phones[0].reply(603)
    assert reasons(scene) == [[], ['SIP;cause=603;text="Decline"']]


def test_the_callers_reason_is_passed_on() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180)
    scene.cancel(Reason='Q.850;cause=16;text="Terminated"')
    assert reasons(scene) == [['Q.850;cause=16;text="Terminated"']]


# Which is the best -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "chosen"),
    [
        ([486], 486),
        ([486, 603], 603),
        ([500, 486], 486),
        ([404, 302], 302),
        ([404, 401], 401),
        ([486, 407, 503], 407),
        ([486, 480], 486),
        ([503, 500], 503),
        ([420, 301], 301),
    ],
)
def test_the_best_of_several(statuses: list[int], chosen: int) -> None:
    assert best([Candidate(Response(status)) for status in statuses]).status == chosen


def test_what_a_phone_said_is_better_than_what_none_said() -> None:
    said, own = Response(488), Response(408)
    assert best([Candidate(own, is_own=True), Candidate(said)]) is said


def test_a_branch_is_run_as_transactions_are() -> None:
    from sipua.core.invite_branch import InviteBranch

    assert issubclass(InviteBranch, Transaction)
