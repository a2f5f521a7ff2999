"""What the proxy remembers is bounded: nothing is left of ten thousand calls (virtual time)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_scene import Scene, uri

from sipua.core.challenger import MAX_WAITING
from sipua.core.gate import Demand
from sipua.sip.message import Request

CALLS = 10_000
EACH_SECOND = 20


def answered(scene: Scene) -> None:
    scene.bob.reply(180)
    scene.bob.reply(200)
    scene.alice.send(scene.request(scene.bob.contact, "ACK", Call_ID=scene.sent.call_id))
    scene.alice.send(scene.request(scene.bob.contact, "BYE", Call_ID=scene.sent.call_id))
    scene.bob.answer(200)


def busy(scene: Scene) -> None:
    scene.bob.reply(486)
    scene.acknowledge()


def cancelled(scene: Scene) -> None:
    scene.bob.reply(180)
    scene.cancel()
    scene.bob.answer(200, to=scene.bob.got("CANCEL")[-1])
    scene.bob.reply(487)
    scene.acknowledge()


def cancelled_in_vain(scene: Scene) -> None:
    scene.bob.reply(180)
    scene.cancel()


def silent(_scene: Scene) -> None:
    pass


def ringing(scene: Scene) -> None:
    scene.bob.reply(180)


def not_acknowledged(scene: Scene) -> None:
    scene.bob.reply(200)


ENDINGS: tuple[Callable[[Scene], None], ...] = (
    *[answered] * 10,
    *[busy] * 5,
    *[cancelled] * 5,
    not_acknowledged,
    cancelled_in_vain,
    silent,
    ringing,
)


def left(scene: Scene) -> list[int]:
    """How much there is in every memory of the proxy."""
    endpoint, contexts = scene.network.endpoint, scene.network.proxy._contexts
    return [
        len(contexts.by_client),
        len(contexts.by_server),
        len(endpoint._clients),
        len(endpoint._servers),
        endpoint._octets,
    ]


def test_nothing_is_left_of_ten_thousand_calls() -> None:
    scene = Scene()
    reached = 0
    for number in range(CALLS):
        assert scene.invite(Call_ID=f"{number}@alice") == [100]
        ENDINGS[number % len(ENDINGS)](scene)
        for ue in (scene.alice, scene.bob):
            ue.inbox.clear()
            ue.octets.clear()
            ue.sent.clear()
        scene.network.pass_time(1 / EACH_SECOND)
        reached = max(reached, scene.network.proxy.pending)
    assert scene.network.proxy.pending < 213 * EACH_SECOND, "no more than Timer C keeps"
    assert reached < 213 * EACH_SECOND
    scene.network.pass_time(300)
    assert left(scene) == [0] * 5
    assert len(scene.network.endpoint._schedule) < 200


def test_a_thousand_challenges_keep_few() -> None:
    scene = Scene(INVITE=Demand(407))
    for number in range(1000):
        assert scene.invite(Call_ID=f"{number}@alice") == [407]
        scene.acknowledge()
    (challenger,) = scene.network.proxy._gate._challengers.values()
    assert sum(len(each) for each in challenger._waiting.values()) <= MAX_WAITING
    scene.network.pass_time(60)
    assert left(scene) == [0] * 5


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS", "BYE", "INFO"])
def test_requests_that_nobody_answers_are_forgotten(method: str) -> None:
    scene = Scene()
    for number in range(100):
        request = scene.request(method=method, Call_ID=f"{number}@alice")
        assert scene.alice.send(request) == []
    scene.network.pass_time(40)
    assert left(scene) == [0] * 5
    assert scene.alice.told.cseq.method == "REGISTER"


def test_cancels_of_nothing_are_forgotten() -> None:
    scene = Scene()
    for number in range(100):
        cancel = scene.request(method="CANCEL", Call_ID=f"{number}@alice")
        assert scene.status(cancel) == 481
    scene.network.pass_time(40)
    assert left(scene) == [0] * 5


def test_a_phone_that_answers_for_ever_is_told_of_for_half_a_minute() -> None:
    """A 200 comes again until there is an ACK, and is passed on each time; after that it is
    nobody's."""
    scene = Scene()
    scene.invite()
    for _ in range(40):
        scene.bob.reply(200)
        scene.network.pass_time(1)
    assert scene.told() == [200] * 32
    assert left(scene) == [0] * 5


def test_a_request_to_all_phones_of_somebody_ends_with_the_slowest() -> None:
    scene = Scene(phones=16)
    request = scene.request(uri(2), "OPTIONS")
    scene.alice.send(request)
    assert scene.network.proxy.pending == 16
    scene.bob.answer(200)
    assert isinstance(scene.bob.asked, Request)
    assert scene.network.proxy.pending == 15
    scene.network.pass_time(40)
    assert left(scene) == [0] * 5
