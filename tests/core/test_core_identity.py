"""Who is said to call, who may not be told, and whose a telephone number is."""

from __future__ import annotations

import pytest
from core_scene import DOMAIN, PROFILE, Scene, subscriber, uri
from core_ue import Network, Ue

from card.profile import Usim
from sipua.core.subscriber import Directory
from sipua.sip.message import Request

ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'


def asserted(request: Request) -> list[str]:
    return request.headers.values("P-Asserted-Identity")


# P-Asserted-Identity ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferred", "said"),
    [
        ("", f"<{uri(1)}>"),
        ("<tel:+15551>", "<tel:+15551>"),
        ("<tel:+1-555-1>", "<tel:+15551>"),
        (f'"A. Lice" <{uri(1)};user=x>', f"<{uri(1)}>"),
        (f"<{uri(2)}>", f"<{uri(1)}>"),
        (f"<{uri(2)}>, <tel:+15551>", "<tel:+15551>"),
        ("nonsense", f"<{uri(1)}>"),
        ("<nonsense", f"<{uri(1)}>"),
    ],
)
def test_the_identity_of_an_invite(preferred: str, said: str) -> None:
    scene = Scene()
    scene.invite(P_Preferred_Identity=preferred, P_Asserted_Identity=f"<{uri(2)}>, <tel:+1>")
    assert asserted(scene.bob.invited) == [said]
    assert "P-Preferred-Identity" not in scene.bob.invited.headers


def test_the_identity_of_who_answers() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(180, ("P-Preferred-Identity", "<tel:+15552>"))
    assert scene.alice.told.headers.values("P-Asserted-Identity") == ["<tel:+15552>"]
    assert "P-Preferred-Identity" not in scene.alice.told.headers
    scene.bob.reply(200, ("P-Asserted-Identity", f"<{uri(1)}>"))
    assert scene.alice.told.headers.values("P-Asserted-Identity") == [f"<{uri(2)}>"]


def test_an_ack_asserts_nothing() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(200)
    forged = {"P_Asserted_Identity": f"<{uri(2)}>", "P_Preferred_Identity": f"<{uri(1)}>"}
    scene.alice.send(scene.request(scene.bob.contact, "ACK", **forged))
    assert scene.bob.asked.method == "ACK"
    assert asserted(scene.bob.asked) == []


def test_an_ack_of_a_stranger_goes_nowhere() -> None:
    scene = Scene()
    eve = Ue(scene.network, subscriber(1), "203.0.113.66")
    eve.send(scene.request(scene.bob.contact, "ACK"))
    scene.alice.send(scene.request(scene.bob.contact, "ACK", From="<sip:eve@evil>;tag=1"))
    assert scene.bob.got("ACK") == []


# Privacy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("privacy", "told"),
    [
        ("id", False),
        ("ID", False),
        ("user;id", False),
        ("header; id ;critical", False),
        ("none", True),
        ("user", True),
        ("", True),
        ("identity", True),
    ],
)
def test_the_callee_is_not_told_who_wants_privacy(privacy: str, told: bool) -> None:
    scene = Scene()
    scene.invite(Privacy=privacy)
    assert bool(asserted(scene.bob.invited)) == told


def test_the_caller_is_not_told_who_answers_and_wants_privacy() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(200, ("Privacy", "id"), ("P-Asserted-Identity", f"<{uri(2)}>"))
    assert "P-Asserted-Identity" not in scene.alice.told.headers


def test_an_anonymous_caller_is_known_by_his_preferred_identity() -> None:
    scene = Scene()
    preferred = f"<{uri(1)}>"
    assert scene.invite(From=ANONYMOUS, Privacy="id", P_Preferred_Identity=preferred) == [100]
    assert asserted(scene.bob.invited) == []
    assert uri(1) not in scene.bob.invited.to_bytes().decode()
    assert scene.invite(From=ANONYMOUS, P_Preferred_Identity=preferred) == [100]
    assert asserted(scene.bob.invited) == [preferred]


def test_an_anonymous_caller_is_known_by_where_he_registered() -> None:
    scene = Scene()
    assert scene.invite(From=ANONYMOUS) == [100]
    assert asserted(scene.bob.invited) == [f"<{uri(1)}>"]


def test_nobody_is_anonymous_from_elsewhere_or_as_another() -> None:
    scene = Scene()
    eve = Ue(scene.network, subscriber(1), "203.0.113.66")
    for preferred in ("", f"<{uri(1)}>"):
        request = scene.request(From=ANONYMOUS, P_Preferred_Identity=preferred)
        (response,) = eve.send(request)
        assert response.status == 403
    request = scene.request(From=ANONYMOUS, P_Preferred_Identity=f"<{uri(2)}>")
    assert scene.status(request) == 403


def test_two_who_registered_from_one_place_must_say_who_they_are() -> None:
    scene = Scene()
    other = Ue(scene.network, subscriber(2), scene.alice.hop.address)
    other.first_branch(100)
    other.register()
    assert other.hop == scene.alice.hop
    scene.network.ues[scene.alice.hop] = scene.alice
    assert scene.status(scene.request(From=ANONYMOUS)) == 403


def test_who_was_there_once_is_not_meant() -> None:
    scene = Scene()
    other = Ue(scene.network, subscriber(2), scene.alice.hop.address)
    other.first_branch(100)
    other.register()
    scene.network.ues[scene.alice.hop] = scene.alice
    scene.network.pass_time(300_000)
    scene.alice.register()
    scene.network.pass_time(300_001)  # the other registration has ended
    assert scene.status(scene.request(uri(1), From=ANONYMOUS, Max_Forwards="0")) == 483
    request = scene.request(uri(2), From=ANONYMOUS, CSeq="2 MESSAGE")
    assert scene.status(request) == 480, "known, and bob is not registered any more"


@pytest.mark.parametrize(("privacy", "status"), [("id", 100), ("id;critical", 100), ("user", 420)])
def test_required_privacy_is_given_or_refused(privacy: str, status: int) -> None:
    scene = Scene()
    assert scene.invite(Proxy_Require="privacy", Privacy=privacy) == [status]


# Numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("tel:+15552", 100),
        ("tel:+1-555-2", 100),
        ("tel:+1(555)2;isub=1", 100),
        (f"sip:+15552@{DOMAIN};user=phone", 100),
        (f"sip:+1-555-2@{DOMAIN.upper()};user=phone", 100),
        (f"sip:+15552@{DOMAIN}", 404),
        ("sip:+15552@elsewhere.example;user=phone", 404),
        ("tel:+15559", 404),
        ("tel:15552", 404),
        ("tel:", 400),
    ],
)
def test_whose_number_it_is(target: str, status: int) -> None:
    scene = Scene()
    assert scene.invite(target, To=f"<{uri(2)}>") == [status]
    if status == 100:
        assert scene.bob.invited.uri == scene.bob.contact


def test_the_number_on_the_card_is_an_identity() -> None:
    profile = subscriber(2)._replace(usim=Usim(msisdn="+15550100007"))
    (known,) = Directory([profile])
    assert known.impus == (uri(2), "tel:+15552", "tel:+15550100007")
    network = Network([subscriber(1), profile])
    alice = Ue(network, subscriber(1), "192.0.2.11").register()
    bob = Ue(network, profile, "192.0.2.12").register()
    alice.request("tel:+1-555-0100007")
    assert bob.asked.uri == bob.contact


def test_a_national_number_on_the_card_is_none() -> None:
    (known,) = Directory([PROFILE._replace(usim=Usim(msisdn="5550100007"))])
    assert not any(impu.startswith("tel:5") for impu in known.impus)


def test_a_sip_uri_of_a_number_is_found_by_the_number() -> None:
    assert PROFILE.isim is not None
    isim = PROFILE.isim._replace(impu=(f"sip:+15557@{PROFILE.isim.domain}",))
    directory = Directory([PROFILE._replace(isim=isim)])
    assert directory.by_impu("tel:+1-555-7") is not None
    assert directory.by_impu("tel:+1-555-8") is None
    assert directory.by_impu("mailto:a@b") is None
