"""A registration that goes well: requests, answers, and what a 200 grants."""

from __future__ import annotations

import pytest
from registrar_by_hand import (
    AUTS,
    CONTACT,
    DOMAIN,
    FLOW,
    IMPI,
    RES,
    SETTINGS,
    Exchange,
    challenge,
)

from sipua.auth.schemes import aka
from sipua.ims.events import (
    AuthenticationRequired,
    Registered,
)
from sipua.ims.registration import Registration
from sipua.ims.table import State
from sipua.verdict import Verdict

# The usual way ------------------------------------------------------------------------


def test_first_register_as_ts_24_229_wants_it() -> None:
    request = Exchange().start().request
    headers = request.headers
    assert request.method == "REGISTER"
    assert request.uri == f"sip:{DOMAIN}"
    assert headers.get("To") == f"<sip:{IMPI}>"
    assert (headers.get("From") or "").startswith(f"<sip:{IMPI}>;tag=")
    assert headers.get("Contact") == f"<{CONTACT}>"
    assert headers.get("Expires") == "600000"
    assert headers.get("Supported") == "path"
    assert headers.get("CSeq") == "1 REGISTER"
    assert headers.get("Max-Forwards") == "70"
    assert headers.get("Authorization") == (
        f'Digest username="{IMPI}", realm="{DOMAIN}", nonce="", uri="sip:{DOMAIN}", response=""'
    )
    for absent in ("Route", "Require", "User-Agent", "Allow", "Proxy-Authorization"):
        assert absent not in headers


def test_settings_reach_the_request() -> None:
    settings = SETTINGS._replace(
        contact_params='+sip.instance="<urn:gsma:imei:35-1>";+g.3gpp.smsip',
        expires=7200,
        algorithm="AKAv2-MD5",
        user_agent="ours/1",
        allow="OPTIONS",
        headers=(("P-Access-Network-Info", "IEEE-802.11"), ("supported", "path, gruu")),
    )
    headers = Exchange(settings).start().request.headers
    assert headers.get("Contact") == (
        f'<{CONTACT}>;+sip.instance="<urn:gsma:imei:35-1>";+g.3gpp.smsip'
    )
    assert headers.get("Expires") == "7200"
    assert (headers.get("Authorization") or "").endswith(", algorithm=AKAv2-MD5")
    assert headers.get("User-Agent") == "ours/1"
    assert headers.get("Allow") == "OPTIONS"
    assert headers.get("P-Access-Network-Info") == "IEEE-802.11"
    assert headers.all("Supported") == ["path, gruu"]


def test_published_registration_to_the_last_octet() -> None:
    """Challenge as published; cnonce is the only thing that chance decides."""

    class Published:
        def getrandbits(self, k: int) -> int:
            return 0x4130282079 if k == 64 else 0

    exchange = Exchange()
    exchange.registration = Registration(SETTINGS, Published())
    exchange.start().respond(401, ("WWW-Authenticate", FLOW["www_authenticate"]))
    asked = exchange.event(AuthenticationRequired)
    assert asked.rand.hex() == FLOW["RAND"]
    assert asked.autn.hex() == FLOW["AUTN"]
    assert (asked.scheme, asked.algorithm) == ("aka", "AKAv1-MD5")
    exchange.card(RES)
    exchange.challenge = aka.read_challenge(FLOW["www_authenticate"])
    exchange.verify()
    assert exchange.credentials.nonce == FLOW["nonce"]


def test_challenge_card_answer_registered() -> None:
    exchange = Exchange().start().challenged()
    assert exchange.state == State.ASKING
    assert len(exchange.requests) == 1
    exchange.event(AuthenticationRequired)
    exchange.card(RES)
    first, second = exchange.requests
    exchange.verify()
    assert second.headers.get("CSeq") == "2 REGISTER"
    for same in ("Call-ID", "From", "To", "Contact", "Expires"):
        assert second.headers.get(same) == first.headers.get(same)
    assert second.headers.all("Authorization") != first.headers.all("Authorization")
    assert len(second.headers.all("Authorization")) == 1
    exchange.respond(
        200,
        ("Contact", f"<{CONTACT}>;expires=3240, <sip:other@192.0.2.8>;expires=9"),
        ("Path", "<sip:pcscf.example;lr>"),
        ("Service-Route", "<sip:orig@scscf.example;lr>, <sip:b.example;lr>"),
        ("P-Associated-URI", f'<sip:{IMPI}>, "A, B" <tel:+4930123456>'),
    )
    event = exchange.event(Registered)
    assert event.expires == 3240
    assert event.contact == CONTACT
    assert event.service_route == ("<sip:orig@scscf.example;lr>", "<sip:b.example;lr>")
    assert event.path == ("<sip:pcscf.example;lr>",)
    assert event.associated_uris == (f"sip:{IMPI}", "tel:+4930123456")
    assert not event.resynchronised
    assert (event.scheme, event.algorithm) == ("aka", "AKAv1-MD5")
    assert event.hints == ()
    assert exchange.state == State.REGISTERED
    assert exchange.registration.binding is not None


def test_accepted_without_a_challenge_is_told() -> None:
    exchange = Exchange().start().accepted()
    assert exchange.state == State.REGISTERED
    event = exchange.event(Registered)
    assert (event.scheme, event.algorithm) == ("", "")
    assert "asked nothing of the card" in event.hints[0]


@pytest.mark.parametrize(
    ("headers", "expires"),
    [
        ([("Contact", f"<{CONTACT}>;expires=60"), ("Expires", "99")], 60),
        ([("Contact", f"<{CONTACT}>"), ("Expires", "99")], 99),
        ([("m", f"<{CONTACT}>;EXPIRES=61")], 61),
        ([("Contact", "<sip:x@h>;expires=1"), ("Contact", f"<{CONTACT}>;expires=62")], 62),
        ([("Contact", "<SIP:192.0.2.7:5062;TRANSPORT=TCP>;expires=63, <sip:x@h>;expires=1")], 63),
        ([("Contact", "<sip:198.51.100.1:40000>;expires=64")], 64),
        ([("Contact", "<sip:x@h>;expires=1, <tel:1>;expires=2"), ("Expires", "65")], 65),
        ([("Contact", "<<garbage"), ("Expires", "66")], 66),
        ([("Contact", '"open'), ("Expires", "67")], 67),
        ([("Contact", f"<{CONTACT}>;expires=soon"), ("Expires", "soon")], 600000),
        ([("Contact", f"<{CONTACT}>;expires=99999999999999999999")], 600000),
        ([], 600000),
    ],
)
def test_granted_time(headers: list[tuple[str, str]], expires: int) -> None:
    event = Exchange().start().challenged().card(RES).respond(200, *headers).event(Registered)
    assert event.expires == expires


def test_contact_not_listed_is_told() -> None:
    exchange = Exchange().start().challenged().card(RES)
    event = exchange.respond(200, ("Expires", "100")).event(Registered)
    assert "did not list our Contact" in event.hints[0]


def test_accepted_without_a_binding_is_no_registration() -> None:
    exchange = Exchange().start().challenged().card(RES).accepted(0)
    assert "keeps no binding" in exchange.ended(Verdict.REJECTED).reason


def test_accepted_without_a_binding_at_once_or_after_auts() -> None:
    Exchange().start().accepted(0).ended(Verdict.REJECTED)
    Exchange().start().challenged().card(AUTS).accepted(0).ended(Verdict.REJECTED)


def test_authentication_info_is_checked() -> None:
    for right in (True, False):
        exchange = Exchange().start().challenged().card(RES)
        expected = RES if right else RES._replace(res=b"else")
        info = aka.write_authentication_info(exchange.credentials, exchange.challenge, expected)
        event = exchange.accepted(60, ("Authentication-Info", info)).event(Registered)
        assert bool(event.hints) is not right
        if not right:
            assert "did not prove itself" in event.hints[0]


def test_unreadable_authentication_info_is_no_failure() -> None:
    exchange = Exchange().start().challenged().card(RES)
    event = exchange.accepted(60, ("Authentication-Info", 'rspauth="')).event(Registered)
    assert "did not prove itself" in event.hints[0]


def test_407_is_answered_beside_the_empty_authorization() -> None:
    exchange = Exchange().start().challenged(status=407).card(RES)
    value = exchange.request.headers.get("Proxy-Authorization")
    assert value is not None
    aka.verify(
        aka.read_credentials(value),
        exchange.challenge,
        RES,
        username=IMPI,
        method="REGISTER",
        uri=exchange.request.uri,
    )
    assert exchange.credentials.is_initial
    exchange.accepted().event(Registered)


def test_proxy_and_registrar_may_both_ask() -> None:
    exchange = Exchange().start().challenged(0, status=407).card(RES).challenged(1).card(RES)
    exchange.verify()
    proxy = aka.read_credentials(exchange.request.headers.get("Proxy-Authorization") or "")
    assert proxy.nc == 2
    exchange.challenged(2).card(RES)
    exchange.accepted().event(Registered)


def test_akav2_is_answered_before_akav1() -> None:
    exchange = Exchange().start()
    both = [challenge(0, "AKAv1-MD5"), challenge(1, "AKAv2-MD5")]
    exchange.respond(401, *(("WWW-Authenticate", aka.write_challenge(one)) for one in both))
    assert exchange.event(AuthenticationRequired).algorithm == "AKAv2-MD5"
    exchange.challenge = both[1]
    exchange.card(RES).verify()


def test_schemes_restrict_what_is_answered() -> None:
    settings = SETTINGS._replace(schemes=("AKAv1-MD5",))
    exchange = Exchange(settings).start().challenged(algorithm="AKAv2-MD5")
    hints = exchange.ended(Verdict.NO_AKA_OFFERED).hints
    assert any("--scheme" in hint for hint in hints)
    Exchange(settings).start().challenged().event(AuthenticationRequired)


def test_plain_res_under_the_name_of_akav2() -> None:
    answers = []
    for algorithm in ("AKAv1-MD5", "AKAv2-MD5"):
        exchange = Exchange(SETTINGS._replace(plain_res=True))
        exchange.start().challenged(algorithm=algorithm).card(RES)
        answers.append(exchange.credentials.response)
    assert answers[0] == answers[1]
