"""Faults for calls: what a network does to INVITE when a test wants it to."""

from __future__ import annotations

import pytest
from core_scene import DOMAIN, Scene, uri
from core_ue import ADDRESS

from sipua.core.call_faults import OTHER_REALM
from sipua.core.faults import CATALOGUE
from sipua.core.gate import Demand
from sipua.sip.message import Response

CALLS = [name for name in CATALOGUE if name.startswith("invite-")]


def statuses(scene: Scene) -> list[int]:
    return [
        each.status
        for each in scene.alice.inbox
        if isinstance(each, Response) and each.cseq.method == "INVITE"
    ]


@pytest.mark.parametrize(
    ("fault", "status", "header", "value"),
    [
        ("invite-302=5099", 302, "Contact", f"<sip:user2@{ADDRESS}:5099>"),
        ("invite-486", 486, "Contact", None),
        ("invite-503=7", 503, "Retry-After", "7"),
        ("invite-503", 503, "Retry-After", "30"),
        ("invite-603", 603, "Contact", None),
    ],
)
def test_the_network_answers_itself(
    fault: str, status: int, header: str, value: str | None
) -> None:
    scene = Scene(faults=(fault,), INVITE=Demand(407))
    assert scene.invite() == [status]
    assert scene.alice.told.headers.get(header) == value
    assert scene.bob.got("INVITE") == []


def test_a_302_for_a_number_names_the_number() -> None:
    scene = Scene(faults=("invite-302",))
    scene.invite("tel:+15552;x=y")
    assert scene.alice.told.headers.get("Contact") == f"<sip:+15552@{ADDRESS}:5060>"


@pytest.mark.parametrize("fault", CALLS)
def test_registrations_and_messages_are_spared(fault: str) -> None:
    scene = Scene(faults=(fault,))
    scene.alice.register()
    scene.alice.send(scene.request(CSeq="9 MESSAGE"))
    scene.bob.answer(200)
    assert scene.alice.told.status == 200
    assert "Proxy-Authenticate" not in scene.alice.told.headers


@pytest.mark.parametrize("fault", CALLS)
def test_challenges_of_other_requests_are_as_ever(fault: str) -> None:
    scene = Scene(faults=(fault,), MESSAGE=Demand(407))
    scene.alice.request(uri(2))
    (challenge,) = (each for each in scene.alice.inbox[2:] if isinstance(each, Response))
    (value,) = challenge.headers.all("Proxy-Authenticate")
    assert len(value) < 300
    assert scene.bob.asked.method == "MESSAGE"


@pytest.mark.parametrize("fault", CALLS)
def test_one_subscriber_may_be_meant(fault: str) -> None:
    scene = Scene(faults=(f"{fault}@{uri(2)}",))
    assert scene.invite() == [100]


def test_a_storm_of_challenges() -> None:
    """Our user agent gives up after two answers."""
    scene = Scene(faults=("invite-407-storm",))
    scene.call()
    assert statuses(scene) == [407] * 3
    assert len({each.headers.get("Proxy-Authenticate") for each in scene.alice.inbox[-3:]}) == 3
    assert scene.bob.got("INVITE") == []


def test_a_storm_by_the_scheme_of_the_configuration() -> None:
    scene = Scene(faults=("invite-407-storm",), INVITE=Demand(401, "umts"))
    scene.call()
    assert statuses(scene) == [401] * 3
    assert (scene.alice.told.headers.get("WWW-Authenticate") or "").startswith("UMTS ")


def test_two_realms_in_one_response() -> None:
    scene = Scene(faults=("invite-two-realms",))
    assert scene.invite() == [407]
    first, second = scene.alice.told.headers.all("Proxy-Authenticate")
    assert f'realm="{OTHER_REALM}"' in first
    assert f'realm="{DOMAIN}"' in second


def test_only_the_answer_to_our_realm_is_worth_something() -> None:
    for realm, status in ((DOMAIN, 100), (OTHER_REALM, 407)):
        scene = Scene(faults=("invite-two-realms",))
        scene.invite()
        asked = [
            value
            for value in scene.alice.told.headers.all("Proxy-Authenticate")
            if f'realm="{realm}"' in value
        ]
        scene.alice.told.headers.replace("Proxy-Authenticate", asked)
        request = scene.answered(scene.sent, scene.alice.told)
        assert scene.status(request) == status


def test_a_long_challenge() -> None:
    for text, count in (("invite-long-challenge", 10_000), ("invite-long-challenge=3", 3)):
        scene = Scene(faults=(text,))
        scene.invite()
        data = scene.alice.octets[-1]
        assert data.startswith(b"SIP/2.0 407 ")
        assert data.partition(b"algorithm=AKAv1")[2].count(b"=1") == count
        assert len(data) < 65_507, "it fits into a datagram"


def test_a_long_challenge_that_can_be_read_can_be_answered() -> None:
    scene = Scene(faults=("invite-long-challenge=500",))
    scene.call()
    assert statuses(scene) == [407, 100]


@pytest.mark.parametrize("scheme", ["aka", "umts", "digest-umts", "pgp-umts"])
def test_407_and_401_on_one_path(scheme: str) -> None:
    scene = Scene(faults=("invite-401-and-407",), INVITE=Demand(407, scheme))
    scene.call()
    assert statuses(scene) == [407, 401, 100]
    assert "Authorization" in scene.sent.headers
    assert "Proxy-Authorization" in scene.sent.headers
    (invite,) = scene.bob.got("INVITE")
    assert "Authorization" not in invite.headers
    assert "Proxy-Authorization" not in invite.headers
    replayed = scene.alice.send(scene.sent)
    assert replayed[0].status in (401, 407)
    assert len(scene.bob.got("INVITE")) == 1


def test_a_challenge_in_the_200() -> None:
    scene = Scene(faults=("invite-200-challenge",), INVITE=Demand(407))
    scene.call()
    scene.bob.reply(180)
    assert "Proxy-Authenticate" not in scene.alice.told.headers
    scene.bob.reply(200)
    (challenge,) = scene.alice.told.headers.all("Proxy-Authenticate")
    assert f'realm="{DOMAIN}"' in challenge
    assert "Proxy-Authentication-Info" in scene.alice.told.headers
