"""The proxy of the core as a state machine: who may, where to, and what is written on the way."""

from __future__ import annotations

import pytest
from core_scene import DOMAIN, PROFILE, Scene, subscriber, uri
from core_ue import ADDRESS, PORT, Network, Ue

from sipua.core.gate import Demand, parse_demand
from sipua.core.routing import Routing
from sipua.core.subscriber import Directory
from sipua.errors import LocalError, Unreachable
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response

BY_407 = Demand(407)


# On the way ------------------------------------------------------------------------------------


def test_what_is_written_on_the_way_there() -> None:
    scene = Scene()
    scene.alice.request(uri(2), body=b"hello", content_type="text/plain")
    got = scene.bob.asked
    assert got.uri == scene.bob.contact
    assert got.body == b"hello"
    assert [value.partition(";")[0] for value in got.headers.values("Via")] == [
        f"SIP/2.0/UDP {ADDRESS}:{PORT}",
        "SIP/2.0/UDP 192.0.2.11:5070",
    ]
    assert got.headers.get("Max-Forwards") == "69"
    assert got.headers.get("P-Asserted-Identity") == f"<{uri(1)}>"
    for name in ("Route", "P-Preferred-Identity", "Record-Route"):
        assert name not in got.headers


def test_what_is_written_on_the_way_back() -> None:
    scene = Scene()
    machine = scene.alice.request(uri(2))
    scene.bob.answer(202, ("X-Other", "kept"), ("P-Asserted-Identity", "<sip:forged@x>"), body=b"b")
    told = scene.alice.told
    assert (told.status, told.body, told.headers.get("X-Other")) == (202, b"b", "kept")
    assert told.headers.values("P-Asserted-Identity") == [f"<{uri(2)}>"]
    assert len(told.headers.values("Via")) == 1
    assert machine.state == "trying"  # it was told by hand here


def test_every_answer_is_brought_back_once() -> None:
    for status in (200, 300, 401, 404, 407, 486, 500, 603):
        scene = Scene()
        scene.alice.send(scene.request())
        before = len(scene.alice.inbox)
        scene.bob.answer(status)
        scene.bob.answer(status)
        told = [each.status for each in scene.alice.inbox[before:] if isinstance(each, Response)]
        assert told == [status]


def test_no_answer_is_no_answer() -> None:
    """Who asked has given up by then, and a 408 would only do harm (RFC 4320 §4.2)."""
    scene = Scene()
    scene.alice.send(scene.request())
    scene.network.pass_time(31.9)
    assert scene.network.proxy.pending == 1
    told = len(scene.alice.inbox)
    scene.network.pass_time(0.2)
    assert len(scene.alice.inbox) == told
    assert scene.network.proxy.pending == 0


def test_a_callee_out_of_reach_is_a_480() -> None:
    scene = Scene(bobs="TCP")
    scene.alice.send(scene.request())
    scene.network.endpoint.transport_failed(
        scene.bob.hop._replace(local=(ADDRESS, PORT)), Unreachable("closed"), scene.network.now
    )
    scene.network.settle()
    assert scene.alice.told.status == 480


def test_the_same_identity_by_tel_and_in_other_letters() -> None:
    scene = Scene()
    for target in ("tel:+15552", "tel:+1-555-2", uri(2).replace("sip:", "SIP:")):
        before = len(scene.bob.inbox)
        scene.alice.request(target)
        assert len(scene.bob.inbox) == before + 1, target


def test_all_contacts_are_asked_and_the_first_to_accept_is_told_of() -> None:
    scene = Scene()
    newer = Ue(scene.network, subscriber(2), "192.0.2.22").register()
    scene.alice.request(uri(2))
    assert (scene.bob.asked.uri, newer.asked.uri) == (scene.bob.contact, newer.contact)
    newer.answer(200)
    told = len(scene.alice.inbox)
    assert scene.alice.told.to.tag == "t192.0.2.22"
    scene.bob.answer(200)
    assert len(scene.alice.inbox) == told


# Who may ---------------------------------------------------------------------------------------


def test_a_challenge_by_407_is_answered_and_taken_out() -> None:
    scene = Scene(MESSAGE=BY_407)
    scene.alice.request(uri(2))
    assert "Proxy-Authorization" not in scene.bob.asked.headers
    scene.bob.answer(200)
    assert "rspauth=" in (scene.alice.told.headers.get("Proxy-Authentication-Info") or "")


def test_credentials_for_others_go_on() -> None:
    scene = Scene(MESSAGE=BY_407)
    other = 'Digest username="a", realm="elsewhere", nonce="n", uri="u", response="r"'
    request = scene.answered_challenge()
    request.headers.add("Proxy-Authorization", other)
    scene.alice.send(request)
    assert scene.bob.asked.headers.all("Proxy-Authorization") == [other]


def test_a_replay_is_challenged_again_and_reaches_nobody() -> None:
    scene = Scene(MESSAGE=BY_407)
    scene.alice.request(uri(2))
    replayed = scene.alice.sent[-1]
    scene.bob.answer(200)
    delivered = len(scene.bob.inbox)
    (response,) = scene.alice.send(replayed)
    assert response.status == 407
    assert len(scene.bob.inbox) == delivered


def test_a_stale_challenge_is_asked_anew() -> None:
    scene = Scene(MESSAGE=BY_407)
    request = scene.answered_challenge()
    scene.network.pass_time(241)
    assert scene.status(request) == 407


def test_an_answer_for_another_request_is_refused() -> None:
    """The digest covers method, Request-URI and, with auth-int, the body."""
    scene = Scene(MESSAGE=BY_407)
    request = scene.answered_challenge()
    request.uri = uri(1)
    assert scene.status(request) == 400


def test_a_wrong_answer_is_refused() -> None:
    scene = Scene(MESSAGE=BY_407)
    scene.alice.request(uri(2))
    delivered = len(scene.bob.inbox)
    (challenge,) = scene.alice.send(scene.request())
    nonce = (challenge.headers.get("Proxy-Authenticate") or "").partition('nonce="')[2]
    wrong = (
        f'Digest username="1@{DOMAIN}", realm="{DOMAIN}", nonce="{nonce.partition(chr(34))[0]}", '
        f'uri="{uri(2)}", response="{"0" * 32}", algorithm=AKAv1-MD5'
    )
    assert scene.status(scene.request(Proxy_Authorization=wrong, CSeq="2 MESSAGE")) == 403
    assert scene.status(scene.request(Proxy_Authorization=wrong, CSeq="3 MESSAGE")) == 407
    assert len(scene.bob.inbox) == delivered


def test_nobody_speaks_for_another() -> None:
    scene = Scene(MESSAGE=BY_407)
    scene.bob.request(uri(1))
    stolen = scene.bob.sent[-1].headers.get("Proxy-Authorization") or ""
    assert scene.status(scene.request(Proxy_Authorization=stolen)) == 403


@pytest.mark.parametrize("sender", [f"<sip:nobody@{DOMAIN}>;tag=1", "<sip:eve@evil>;tag=1"])
def test_strangers_are_refused(sender: str) -> None:
    assert Scene().status(Scene().request(From=sender)) == 403


def test_only_from_where_one_has_registered() -> None:
    scene = Scene()
    eve = Ue(scene.network, subscriber(1), "203.0.113.66")
    (response,) = eve.send(scene.request())
    assert response.status == 403


def test_after_the_registration_has_ended() -> None:
    scene = Scene()
    scene.network.pass_time(600_001)
    assert scene.status(scene.request()) == 403


def test_another_identity_is_asserted_only_if_it_is_the_senders() -> None:
    scene = Scene()
    scene.alice.send(scene.request(P_Preferred_Identity="<tel:+15551>"))
    assert scene.bob.asked.headers.get("P-Asserted-Identity") == "<tel:+15551>"
    forged = {"P_Preferred_Identity": f"<{uri(2)}>", "P_Asserted_Identity": f"<{uri(2)}>"}
    scene.alice.send(scene.request(CSeq="2 MESSAGE", **forged))
    assert scene.bob.asked.headers.values("P-Asserted-Identity") == [f"<{uri(1)}>"]


# Where to --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (uri(2), {"Max_Forwards": "0"}, 483),
        (uri(2), {"Max_Forwards": "x"}, 400),
        (uri(2), {"Proxy_Require": "sec-agree"}, 420),
        (uri(2), {"Route": "<sip:elsewhere.example;lr>"}, 404),
        (uri(2), {"Route": "nonsense"}, 400),
        (f"sip:nobody@{DOMAIN}", {}, 404),
        ("sip:bob@elsewhere.example", {}, 404),
        ("tel:+15559", {}, 404),
        ("mailto:bob@elsewhere.example", {"To": "<sip:bob@x>"}, 416),
    ],
)
def test_refusals(target: str, headers: dict[str, str], status: int) -> None:
    scene = Scene()
    delivered = len(scene.bob.inbox)
    assert scene.status(scene.request(target, **headers)) == status
    assert len(scene.bob.inbox) == delivered


def test_unsupported_extensions_are_named() -> None:
    scene = Scene()
    (response,) = scene.alice.send(scene.request(Proxy_Require="one, two"))
    assert response.headers.get("Unsupported") == "one, two"


def test_without_max_forwards_it_is_given_one() -> None:
    scene = Scene()
    scene.alice.send(scene.request(Max_Forwards=""))
    assert scene.bob.asked.headers.get("Max-Forwards") == "69"


def test_a_contact_at_the_proxy_itself_makes_no_loop() -> None:
    scene = Scene()
    scene.bob.contact = f"sip:user2@{ADDRESS}:{PORT}"
    scene.bob.register()
    scene.alice.send(scene.request())
    (data, hop) = scene.network.lost[-1]
    assert hop[:3] == ("UDP", ADDRESS, PORT)
    scene.network.receive(data, Hop("UDP", ADDRESS, PORT, (ADDRESS, PORT)))
    assert scene.network.lost[-1][0].startswith(b"SIP/2.0 482 ")


def test_the_network_itself_answers_options() -> None:
    scene = Scene(OPTIONS=Demand(407))
    for target in (f"sip:{DOMAIN}", f"sip:{ADDRESS}:{PORT}"):
        scene.alice.request(target, "OPTIONS")
        assert scene.alice.told.status == 200
        assert "REGISTER" in (scene.alice.told.headers.get("Allow") or "")


def test_two_subscribers_at_one_address_are_told_apart_by_their_contacts() -> None:
    scene = Scene()
    other = Ue(scene.network, subscriber(1), scene.bob.hop.address)
    other.first_branch(100)
    other.contact = scene.bob.contact.replace("me@", "other@")
    other.register()
    for phone, said in ((scene.bob, uri(2)), (other, uri(1))):
        scene.network.ues[scene.bob.hop] = phone
        scene.alice.send(scene.request(phone.contact, CSeq=f"{len(said)} MESSAGE"))
        assert phone.asked.uri == phone.contact
        phone.answer(200)
        assert scene.alice.told.headers.get("P-Asserted-Identity") == f"<{said}>"


# Dialogs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bobs", "routes"),
    [
        ("UDP", [f"<sip:{ADDRESS}:{PORT};lr>"]),
        ("TCP", [f"<sip:{ADDRESS}:{PORT};transport=tcp;lr>", f"<sip:{ADDRESS}:{PORT};lr>"]),
    ],
)
def test_a_dialog_stays_on_the_way_of_the_proxy(bobs: str, routes: list[str]) -> None:
    """INVITE, 180, 200, ACK, then BYE from the callee along the recorded route."""
    scene = Scene(bobs=bobs)
    alice, bob = scene.alice, scene.bob
    invite = scene.request(method="INVITE", Contact=f"<{alice.contact}>")
    assert [each.status for each in alice.send(invite)] == [100]
    assert bob.asked.headers.values("Record-Route") == routes
    bob.answer(180)
    assert alice.told.status == 180
    contact = ("Contact", f"<{bob.contact}>")
    recorded = [("Record-Route", each) for each in routes]
    bob.answer(200, contact, *recorded)
    assert alice.told.status == 200
    dialog = {"To": f"<{uri(2)}>;tag=t{bob.hop.address}", "Call_ID": "1@alice"}
    back = ", ".join(reversed(routes))
    alice.send(scene.request(bob.contact, "ACK", Route=back, **dialog))
    assert (bob.asked.method, bob.asked.uri) == ("ACK", bob.contact)
    assert len(bob.asked.headers.values("Via")) == 2
    bye = Request(
        "BYE",
        alice.contact,
        [
            ("Max-Forwards", "70"),
            ("From", f"<{uri(2)}>;tag=t{bob.hop.address}"),
            ("To", f"<{uri(1)}>;tag=1"),
            ("Call-ID", "1@alice"),
            ("CSeq", "1 BYE"),
            ("Route", ", ".join(routes)),
        ],
    )
    bob.send(bye)
    assert (alice.asked.method, alice.asked.uri) == ("BYE", alice.contact)
    assert "Route" not in alice.asked.headers
    alice.answer(200)
    assert bob.told.status == 200
    assert scene.network.proxy.pending == 1  # the INVITE, whose 200 may be repeated
    scene.network.pass_time(40)
    alice.send(scene.request(CSeq="9 MESSAGE"))
    bob.answer(200)
    assert scene.network.proxy.pending == 0


def test_an_invite_is_challenged_and_its_ack_is_not() -> None:
    """Figure 2 of the patent: INVITE, 407, ACK, INVITE."""
    scene = Scene(INVITE=Demand(407))
    contact = (("Contact", f"<{scene.alice.contact}>"),)
    scene.alice.request(uri(2), "INVITE", headers=contact)
    assert [each.method for each in scene.alice.sent[-2:]] == ["INVITE", "INVITE"]
    assert scene.bob.asked.method == "INVITE"
    assert "Proxy-Authorization" not in scene.bob.asked.headers


@pytest.mark.parametrize("early", [False, True])
def test_a_cancel_follows_its_invite(early: bool) -> None:
    """Not before a provisional response; what is cancelled is answered 487 by the callee."""
    scene = Scene(INVITE=BY_407)
    alice, bob = scene.alice, scene.bob
    alice.request(uri(2), "INVITE", headers=(("Contact", f"<{alice.contact}>"),))
    invite = alice.sent[-1]
    if not early:
        bob.answer(180)
    asked = bob.asked
    cancel = scene.request(
        method="CANCEL",
        CSeq=f"{invite.cseq.number} CANCEL",
        Call_ID=invite.call_id,
    )
    assert [each.status for each in alice.cancel(cancel)] == [200]
    if early:
        assert bob.asked is asked
        bob.answer(180)
    assert bob.asked.method == "CANCEL"
    assert bob.asked.top_via.branch == asked.top_via.branch
    bob.answer(200)
    bob.answer(487, to=asked)
    assert alice.told.status == 487
    assert alice.told.cseq.method == "INVITE"
    assert scene.network.proxy.pending == 0


def test_a_cancel_without_an_invite() -> None:
    assert Scene().status(Scene().request(method="CANCEL")) == 481


def test_where_all_addresses_are_listened_on_ours_are_learnt() -> None:
    network = Scene().network
    routing = Routing(Directory([PROFILE]), network.registrar, [Hop("UDP", "0.0.0.0", PORT)])
    ours = f"sip:{ADDRESS}:{PORT}"
    assert not routing.is_for_us(ours)
    for port in (PORT + 1, PORT):
        assert not routing.is_for_us(ours)
        routing.note(Hop("UDP", "192.0.2.7", 5070, (ADDRESS, port)))
    assert routing.is_for_us(ours)
    assert not routing.is_for_us(f"sip:{ADDRESS}:{PORT + 1}")


# How it is told --------------------------------------------------------------------------------


def test_demands_as_text() -> None:
    assert parse_demand("MESSAGE=407") == ("MESSAGE", Demand(407))
    assert parse_demand("*=401:umts") == ("*", Demand(401, "umts"))
    for text in ("MESSAGE", "MESSAGE=", "MESSAGE=403", "=407", "ME SSAGE=407"):
        with pytest.raises(LocalError):
            parse_demand(text)


@pytest.mark.parametrize(
    "demands",
    [
        {"REGISTER": Demand(407)},
        {"ACK": Demand(407)},
        {"MESSAGE": Demand(403)},
        {"MESSAGE": Demand(407, "rot13")},
    ],
)
def test_demands_that_cannot_be_made(demands: dict[str, Demand]) -> None:
    with pytest.raises(LocalError):
        Network([PROFILE], None, **demands)
