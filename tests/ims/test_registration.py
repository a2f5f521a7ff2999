"""The registration machine in virtual time, against responses made by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.scheme import AkaChallenge, Credentials
from sipua.auth.schemes import aka
from sipua.errors import DnsFailure, LocalError, TlsFailure, Unreachable
from sipua.ims import registration as machine
from sipua.ims.register_request import RegistrationSettings
from sipua.ims.registration import Registration
from sipua.ims.registration_events import (
    AuthenticationRequired,
    Ended,
    Redirected,
    Registered,
    RegistrationEvent,
    Retrying,
)
from sipua.ims.registration_table import TRANSITIONS, Row, State
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

FLOW = json.loads((Path(__file__).parents[2] / "fixtures/flows/registration.json").read_text())[
    "verified_flows"
][0]
IMPI = FLOW["username"]
DOMAIN = FLOW["realm"]
CONTACT = "sip:192.0.2.7:5062;transport=tcp"
SETTINGS = RegistrationSettings(IMPI, f"sip:{IMPI}", DOMAIN, CONTACT)
RES = AkaResponse(bytes.fromhex(FLOW["RES"]), bytes.fromhex(FLOW["CK"]), bytes.fromhex(FLOW["IK"]))
AUTS = SynchronisationFailure(bytes(range(14)))

EventT = TypeVar("EventT", bound=RegistrationEvent)


class Exchange:
    """A registration and the network it talks to, played by the test."""

    def __init__(self, settings: RegistrationSettings = SETTINGS) -> None:
        self.registration = Registration(settings, random.Random(1))
        self.now = 1000.0
        self.requests: list[Request] = []
        self.challenge = challenge(0)

    @property
    def state(self) -> str:
        return self.registration.state

    @property
    def request(self) -> Request:
        return self.requests[-1]

    @property
    def credentials(self) -> Credentials:
        value = self.request.headers.get("Authorization")
        assert value is not None
        return aka.read_credentials(value)

    def collect(self) -> None:
        self.requests += self.registration.take_requests()

    def start(self) -> Exchange:
        self.registration.start(self.now)
        self.collect()
        return self

    def deregister(self) -> Exchange:
        self.registration.deregister(self.now)
        self.collect()
        return self

    def respond(self, status: int, *headers: tuple[str, str], reason: str = "") -> Exchange:
        cseq = self.request.headers.get("CSeq") or ""
        self.registration.response_received(
            Response(status, reason, [("CSeq", cseq), *headers]), self.now
        )
        self.collect()
        return self

    def challenged(
        self, number: int = 0, status: int = 401, algorithm: str = "AKAv1-MD5", stale: bool = False,
    ) -> Exchange:
        header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        self.challenge = challenge(number, algorithm, header)._replace(**options)
        return self.respond(status, (header, aka.write_challenge(self.challenge)))

    def card(self, outcome: AkaResponse | SynchronisationFailure | MacFailure) -> Exchange:
        self.registration.card_answered(outcome, self.now)
        self.collect()
        return self

    def fail(self, error: Exception) -> Exchange:
        self.registration.request_failed(error, self.now)
        self.collect()
        return self

    def accepted(self, expires: int = 3600, *headers: tuple[str, str]) -> Exchange:
        return self.respond(200, ("Contact", f"<{CONTACT}>;expires={expires}"), *headers)

    def registered(self, expires: int = 3600) -> Exchange:
        self.start().challenged(0).card(RES).accepted(expires)
        self.event(Registered)
        return self

    def pass_time(self, seconds: float) -> Exchange:
        self.now += seconds
        self.registration.tick(self.now)
        self.collect()
        return self

    def pass_to_deadline(self) -> Exchange:
        deadline = self.registration.deadline()
        assert deadline is not None
        sent = len(self.requests)
        state = self.state
        self.pass_time(deadline - self.now - 0.001)
        assert (len(self.requests), self.state) == (sent, state), "it did not wait"
        self.now = deadline
        return self.pass_time(0)

    def event(self, kind: type[EventT]) -> EventT:
        """The last event, which must be of this kind."""
        events = self.registration.take_events()
        assert events, "no event"
        assert isinstance(events[-1], kind), events
        return events[-1]

    def ended(self, verdict: Verdict) -> Ended:
        assert self.state == State.ENDED
        assert self.registration.deadline() is None
        sent = len(self.requests)
        event = self.event(Ended)
        assert event.verdict is verdict, event
        assert event.reason[0].isupper()
        assert event.reason.endswith(".")
        self.pass_time(1e6)
        assert len(self.requests) == sent
        assert self.registration.binding is None
        return event

    def verify(self, nc: int = 1, expected: AkaResponse = RES) -> None:
        """The last request holds a right answer to the last challenge."""
        aka.verify(
            self.credentials,
            self.challenge,
            expected,
            username=IMPI,
            method="REGISTER",
            uri=self.request.uri,
            nc=nc,
        )


def challenge(
    number: int, algorithm: str = "AKAv1-MD5", header: str = "WWW-Authenticate"
) -> AkaChallenge:
    rand = bytes.fromhex(FLOW["RAND"])[:15] + bytes([number])
    return aka.make_challenge(DOMAIN, rand, bytes.fromhex(FLOW["AUTN"]), algorithm, header=header)


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
    event = Exchange().start().accepted().event(Registered)
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


# What the card says -------------------------------------------------------------------


def test_resynchronisation() -> None:
    exchange = Exchange().start().challenged(0).card(AUTS)
    assert exchange.state == State.RESYNCHRONISING
    assert exchange.credentials.auts == AUTS.auts
    exchange.verify()
    exchange.challenged(1).event(AuthenticationRequired)
    exchange.card(RES).verify()
    event = exchange.accepted().event(Registered)
    assert event.resynchronised
    assert "out of step" in event.hints[0]


def test_second_synchronisation_failure_ends_it() -> None:
    exchange = Exchange().start().challenged(0).card(AUTS).challenged(1).card(AUTS)
    assert len(exchange.requests) == 2
    assert "AUTS" in exchange.ended(Verdict.SYNC_FAILURE).reason


def test_auts_refused() -> None:
    exchange = Exchange().start().challenged(0).card(AUTS).respond(403)
    assert "403 Forbidden" in exchange.ended(Verdict.SYNC_FAILURE).reason


def test_auts_passed_over() -> None:
    """The same challenge again: the card is not asked, it would say the same."""
    exchange = Exchange().start().challenged(0).card(AUTS).challenged(0)
    exchange.ended(Verdict.SYNC_FAILURE)


def test_auts_accepted_as_if_it_were_res() -> None:
    """Odd, but the registrar's affair; what is renewed later starts afresh."""
    exchange = Exchange(SETTINGS._replace(stay=True)).start().challenged(0).card(AUTS).accepted()
    assert exchange.event(Registered).resynchronised
    assert exchange.pass_to_deadline().credentials.is_initial


def test_mac_failure_is_reported_and_ends_it() -> None:
    exchange = Exchange().start().challenged().card(MacFailure())
    assert exchange.state == State.REFUSING
    assert exchange.credentials.is_reject
    assert exchange.credentials.nonce == exchange.challenge.nonce
    end = exchange.respond(403).ended(Verdict.MAC_FAILURE)
    assert "OPc" in end.hints[0]


@pytest.mark.parametrize("status", [200, 302, 401, 403, 423, 500, 503, 606])
def test_after_mac_failure_every_answer_ends_it(status: int) -> None:
    exchange = Exchange().start().challenged().card(MacFailure())
    exchange.respond(
        status,
        ("WWW-Authenticate", aka.write_challenge(challenge(1))),
        ("Contact", f"<{CONTACT}>"),
        ("Retry-After", "1"),
        ("Min-Expires", "900000"),
    ).ended(Verdict.MAC_FAILURE)


def test_after_mac_failure_it_does_not_wait_for_ever() -> None:
    exchange = Exchange().start().challenged().card(MacFailure())
    assert exchange.registration.deadline() == exchange.now + SETTINGS.refusal_wait
    exchange.pass_to_deadline().ended(Verdict.MAC_FAILURE)


def test_after_mac_failure_a_lost_connection_ends_it_too() -> None:
    exchange = Exchange().start().challenged().card(MacFailure())
    exchange.fail(Unreachable("reset")).ended(Verdict.MAC_FAILURE)


def test_mac_failure_after_resynchronisation() -> None:
    exchange = Exchange().start().challenged(0).card(AUTS).challenged(1).card(MacFailure())
    assert exchange.credentials.is_reject
    exchange.respond(401).ended(Verdict.MAC_FAILURE)


def test_card_failure() -> None:
    exchange = Exchange().start().challenged()
    exchange.registration.card_failed(exchange.now)
    exchange.ended(Verdict.CARD_ERROR)


def test_card_failure_with_its_own_verdict() -> None:
    exchange = Exchange().start().challenged()
    exchange.registration.card_failed(exchange.now, "the card was pulled out", Verdict.NO_CARD)
    assert exchange.ended(Verdict.NO_CARD).reason == "The card was pulled out."


# Challenges that cannot, or need not, be put to the card ------------------------------


def test_password_only_is_not_answered() -> None:
    exchange = Exchange().start()
    exchange.respond(401, ("WWW-Authenticate", f'Digest realm="{DOMAIN}", nonce="a", qop="auth"'))
    end = exchange.ended(Verdict.NO_AKA_OFFERED)
    assert len(exchange.requests) == 1
    assert "Digest MD5" in end.reason
    assert "--algorithm" in end.hints[0]


def test_password_only_although_aka_was_asked_for() -> None:
    exchange = Exchange(SETTINGS._replace(algorithm="AKAv1-MD5")).start()
    exchange.respond(401, ("WWW-Authenticate", 'Digest realm="x", nonce="a"'))
    end = exchange.ended(Verdict.NO_AKA_OFFERED)
    assert not any("--algorithm" in hint for hint in end.hints)


def test_a_password_after_the_answer_is_not_given_either() -> None:
    """A13: no downgrade in the middle of an attempt."""
    downgrade = ("WWW-Authenticate", 'Digest realm="x", nonce="a", algorithm=MD5')
    for outcome in (RES, AUTS):
        exchange = Exchange().start().challenged().card(outcome).respond(401, downgrade)
        exchange.ended(Verdict.NO_AKA_OFFERED)
        assert len(exchange.requests) == 2


def test_bad_challenges() -> None:
    short = ("WWW-Authenticate", 'Digest realm="x", nonce="abcd", algorithm=AKAv1-MD5')
    exchange = Exchange().start().respond(401, short)
    assert "nonce" in exchange.ended(Verdict.BAD_CHALLENGE).reason
    for outcome in (RES, AUTS):
        Exchange().start().challenged().card(outcome).respond(401, short).ended(
            Verdict.BAD_CHALLENGE
        )


def test_401_without_a_challenge() -> None:
    assert "no challenge" in Exchange().start().respond(401).ended(Verdict.BAD_CHALLENGE).reason


def test_a_second_nonce_is_answered() -> None:
    """F2: the registrar's first challenge left before its vector was stored."""
    exchange = Exchange().start().challenged(0).card(RES).challenged(1)
    exchange.event(AuthenticationRequired)
    exchange.card(RES).verify()
    exchange.accepted().event(Registered)


def test_a_third_round_is_cut() -> None:
    exchange = Exchange().start().challenged(0).card(RES).challenged(1).card(RES).challenged(2)
    assert "2 challenges" in exchange.ended(Verdict.CHALLENGE_LOOP).reason
    assert len(exchange.requests) == 3


def test_a_third_round_is_cut_after_auts_and_after_another_way() -> None:
    exchange = Exchange().start().challenged(0).card(RES).challenged(1).card(AUTS)
    exchange.challenged(2).card(RES).challenged(3).ended(Verdict.CHALLENGE_LOOP)
    exchange = Exchange().start().challenged(0).card(RES).challenged(1).card(RES)
    exchange.respond(302, ("Contact", "<sip:other.example>"))
    assert exchange.state == State.TRYING
    exchange.challenged(2).ended(Verdict.CHALLENGE_LOOP)


def test_rounds_between_auts_are_cut() -> None:
    exchange = Exchange().start().challenged(0).card(RES).challenged(1).card(RES)
    exchange = Exchange().start()
    exchange.challenged(0, status=407).card(RES)
    exchange.challenged(1, status=407).card(RES)
    exchange.challenged(2).card(AUTS)
    exchange.challenged(3, status=407).ended(Verdict.CHALLENGE_LOOP)


def test_the_same_nonce_again_means_a_wrong_answer() -> None:
    """RFC 3261 §22.1: no second try with what was refused."""
    exchange = Exchange().start().challenged(0, algorithm="AKAv2-MD5").card(RES)
    end = exchange.challenged(0, algorithm="AKAv2-MD5").ended(Verdict.WRONG_RESPONSE)
    assert "RES itself" in end.hints[0]
    assert len(exchange.requests) == 2


def test_the_same_nonce_called_stale_is_counted_on_once() -> None:
    """A30: the card is not asked for one AUTN twice; A17: nc rises; A20: it ends."""
    exchange = Exchange().start().challenged(0).card(RES).challenged(0, stale=True)
    assert exchange.state == State.ANSWERED
    exchange.verify(nc=2)
    exchange.challenged(0, stale=True).ended(Verdict.CHALLENGE_LOOP)


def test_the_same_vector_in_another_nonce_is_answered_from_memory() -> None:
    exchange = Exchange().start().challenged(0).card(RES)
    again = aka.make_challenge(
        DOMAIN, exchange.challenge.rand, exchange.challenge.autn, server_data=b"2"
    )
    exchange.registration.take_events()
    exchange.respond(401, ("WWW-Authenticate", aka.write_challenge(again)))
    assert exchange.registration.take_events() == []
    exchange.challenge = again
    exchange.verify(nc=1)


def test_an_old_vector_after_auts_is_answered_from_memory() -> None:
    exchange = Exchange().start().challenged(0).card(RES).challenged(1).card(AUTS).challenged(0)
    exchange.verify(nc=1)
    assert exchange.state == State.ANSWERED


def test_memory_of_vectors_is_bounded() -> None:
    exchange = Exchange(SETTINGS._replace(stay=True)).registered()
    for number in range(1, 30):
        exchange.pass_to_deadline().challenged(number).card(RES).accepted()
    assert len(exchange.registration._dialog.outcomes) == 8


# Refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 305, 380, 400, 403, 404, 420, 423, 480, 600, 603])
def test_refused_before_a_challenge(status: int) -> None:
    end = Exchange().start().respond(status).ended(Verdict.REJECTED)
    assert str(status) in end.reason
    assert end.hints


@pytest.mark.parametrize("status", [400, 403, 404, 480, 600])
def test_refused_after_the_answer(status: int) -> None:
    exchange = Exchange().start().challenged().card(RES).respond(status)
    end = exchange.ended(Verdict.WRONG_RESPONSE)
    assert str(status) in end.reason
    assert IMPI in end.hints[0]


def refused_once(prepare: Callable[[Exchange], Exchange], status: int, verdict: Verdict) -> None:
    prepare(Exchange()).respond(status).ended(verdict)


OPEN: tuple[Callable[[Exchange], Exchange], ...] = (
    lambda exchange: exchange.start(),
    lambda exchange: exchange.start().challenged().card(RES),
    lambda exchange: exchange.start().challenged().card(AUTS),
)


def test_refused_anywhere() -> None:
    for prepare, verdict in zip(
        OPEN, (Verdict.REJECTED, Verdict.WRONG_RESPONSE, Verdict.SYNC_FAILURE), strict=True
    ):
        refused_once(prepare, 403, verdict)


def test_security_agreement_demanded_anywhere() -> None:
    for prepare in OPEN:
        refused_once(prepare, 421, Verdict.SECURITY_AGREEMENT)
        refused_once(prepare, 494, Verdict.SECURITY_AGREEMENT)


def test_server_failure_anywhere() -> None:
    for prepare in OPEN:
        refused_once(prepare, 500, Verdict.SERVER_ERROR)
        refused_once(prepare, 408, Verdict.TIMEOUT)


def test_network_failure_anywhere() -> None:
    for prepare in OPEN:
        for error, verdict in (
            (TimeoutError(), Verdict.TIMEOUT),
            (Unreachable("connection refused"), Verdict.UNREACHABLE),
            (TlsFailure("certificate expired"), Verdict.TLS_FAILURE),
            (DnsFailure("no such name"), Verdict.DNS_FAILURE),
        ):
            end = prepare(Exchange()).fail(error).ended(verdict)
            assert end.hints
            assert str(error).lower() in end.reason.lower()


def test_every_response_leads_somewhere_from_everywhere() -> None:
    """No status may leave the machine waiting for what has come already."""
    for prepare in OPEN:
        for status in range(200, 700):
            exchange = prepare(Exchange())
            cseq = exchange.request.headers.get("CSeq")
            exchange.registration.take_events()
            exchange.respond(status)
            progress = exchange.registration.take_events()
            assert progress or exchange.request.headers.get("CSeq") != cseq, status


# Interval, redirection, Retry-After ---------------------------------------------------


def test_interval_too_brief_is_lengthened_once() -> None:
    exchange = Exchange(SETTINGS._replace(expires=60)).start()
    exchange.respond(423, ("Min-Expires", "3600"))
    assert exchange.request.headers.get("Expires") == "3600"
    assert exchange.state == State.TRYING
    end = exchange.respond(423, ("Min-Expires", "7200")).ended(Verdict.REJECTED)
    assert "Min-Expires 7200" in end.reason
    assert "--expires" in end.hints[0]


def test_interval_too_brief_after_the_answer_counts_the_nonce_on() -> None:
    exchange = Exchange(SETTINGS._replace(expires=60)).start().challenged().card(RES)
    exchange.respond(423, ("Min-Expires", "3600"))
    assert exchange.state == State.ANSWERED
    exchange.verify(nc=2)
    exchange.accepted(3600).event(Registered)


@pytest.mark.parametrize("text", ["600000", "1", "", "soon", "99999999999999999999"])
def test_interval_that_asks_for_nothing_longer(text: str) -> None:
    Exchange().start().respond(423, ("Min-Expires", text)).ended(Verdict.REJECTED)


def test_interval_too_brief_after_auts() -> None:
    exchange = Exchange(SETTINGS._replace(expires=60)).start().challenged().card(AUTS)
    exchange.respond(423, ("Min-Expires", "3600")).ended(Verdict.SYNC_FAILURE)


def test_redirection_is_followed_once() -> None:
    exchange = Exchange().start()
    contact = ("Contact", "<tel:1>, <sip:a@scscf2.example;lr?Subject=x>;q=0.5, <sip:c.example>")
    exchange.respond(302, contact)
    assert exchange.event(Redirected).uri == "sip:a@scscf2.example;lr"
    assert exchange.request.uri == "sip:a@scscf2.example;lr"
    assert exchange.credentials.uri == exchange.request.uri
    assert exchange.credentials.is_initial
    end = exchange.respond(302, contact).ended(Verdict.REJECTED)
    assert "--pcscf" in end.hints[0]


def test_redirection_after_the_answer_starts_afresh() -> None:
    for outcome in (RES, AUTS):
        exchange = Exchange().start().challenged().card(outcome)
        exchange.respond(301, ("Contact", "sip:other.example"))
        assert exchange.credentials.is_initial
        exchange.challenged(1).card(RES).verify()
        exchange.accepted().event(Registered)


def test_redirection_without_a_sip_uri() -> None:
    for contact in ("<tel:1>", "<mailto:a@b>", "garbage", '"'):
        Exchange().start().respond(302, ("Contact", contact)).ended(Verdict.REJECTED)


def test_retry_after_is_waited_for() -> None:
    for prepare in OPEN:
        exchange = prepare(Exchange()).respond(503, ("Retry-After", "7 (soon);duration=60"))
        event = exchange.event(Retrying)
        assert event.at == exchange.now + 7
        assert "Retry-After 7 s" in event.why
        assert exchange.state == State.WAITING
        exchange.pass_to_deadline()
        assert exchange.credentials.is_initial
        exchange.challenged(1).card(RES).accepted().event(Registered)


def test_retry_after_is_bounded_in_number() -> None:
    exchange = Exchange().start()
    for _ in range(SETTINGS.retries):
        exchange.respond(503, ("Retry-After", "1")).pass_to_deadline()
    assert (
        "Retry-After 1 s"
        in exchange.respond(503, ("Retry-After", "1")).ended(Verdict.SERVER_ERROR).reason
    )


def test_retry_after_is_bounded_in_all() -> None:
    exchange = Exchange().start().respond(503, ("Retry-After", "40")).pass_to_deadline()
    exchange.respond(503, ("Retry-After", "21"))
    assert "60 s allowed" in exchange.ended(Verdict.SERVER_ERROR).reason


@pytest.mark.parametrize("text", ["", "soon", "-5", "99999999999999999999"])
def test_retry_after_that_says_nothing(text: str) -> None:
    Exchange().start().respond(503, ("Retry-After", text)).ended(Verdict.SERVER_ERROR)


def test_stopped_while_waiting() -> None:
    exchange = Exchange().start().respond(503, ("Retry-After", "7"))
    exchange.registration.deregister(exchange.now)
    exchange.ended(Verdict.INTERRUPTED)


# Renewal ------------------------------------------------------------------------------

STAY = SETTINGS._replace(stay=True)


@pytest.mark.parametrize(
    ("granted", "after"),
    [(3600, 3000), (1201, 601), (1200, 600), (60, 30), (600000, 599400), (1, 0.5)],
)
def test_renewal_at_the_time_of_ts_24_229(granted: int, after: float) -> None:
    exchange = Exchange(STAY).registered(granted)
    assert exchange.registration.deadline() == exchange.now + after


def test_no_renewal_unless_asked_to_stay() -> None:
    exchange = Exchange().registered()
    assert exchange.registration.deadline() is None
    assert len(exchange.pass_time(1e6).requests) == 2


def test_renewal_carries_the_last_answer_counted_on() -> None:
    exchange = Exchange(STAY).registered().pass_to_deadline()
    exchange.verify(nc=2)
    assert exchange.request.headers.get("CSeq") == "3 REGISTER"
    assert exchange.request.headers.get("Call-ID") == exchange.requests[0].headers.get("Call-ID")
    exchange.accepted().event(Registered)
    exchange.pass_to_deadline().verify(nc=3)


def test_renewal_is_challenged_anew() -> None:
    exchange = Exchange(STAY).registered().pass_to_deadline().challenged(1)
    exchange.event(AuthenticationRequired)
    exchange.card(RES).verify(nc=1)
    assert exchange.accepted().event(Registered).algorithm == "AKAv1-MD5"


def test_renewal_with_the_old_nonce_asks_no_card() -> None:
    exchange = Exchange(STAY).registered().pass_to_deadline().challenged(0)
    exchange.verify(nc=3)
    exchange.challenged(0).ended(Verdict.WRONG_RESPONSE)


def test_renewal_without_preemption() -> None:
    exchange = Exchange(STAY._replace(preemptive=False)).registered().pass_to_deadline()
    assert exchange.credentials.is_initial


def test_renewal_without_qop_starts_afresh() -> None:
    """A18: a nonce that nothing counts is not used twice."""
    exchange = Exchange(STAY).start()
    plain = challenge(0)._replace(qop_options=())
    exchange.respond(401, ("WWW-Authenticate", aka.write_challenge(plain))).card(RES).accepted()
    assert exchange.pass_to_deadline().credentials.is_initial


def test_renewal_on_demand() -> None:
    exchange = Exchange().registered()
    exchange.pass_time(5).start()
    assert exchange.request.headers.get("CSeq") == "3 REGISTER"
    exchange.challenged(1).card(RES).accepted().event(Registered)


def test_failed_renewal_is_tried_again_while_the_binding_lives() -> None:
    exchange = Exchange(STAY).registered(3600).pass_to_deadline()
    waits = []
    while True:
        exchange.fail(TimeoutError())
        event = exchange.registration.take_events()[-1]
        if isinstance(event, Ended):
            break
        assert isinstance(event, Retrying)
        assert exchange.state == State.REGISTERED
        waits.append(event.at - exchange.now)
        exchange.pass_to_deadline()
    assert event.verdict is Verdict.TIMEOUT
    assert sum(waits) < 600
    for number, wait in enumerate(waits):
        assert 15 * 2**number <= wait <= 30 * 2**number


def test_failed_renewal_waits_for_retry_after() -> None:
    for prepare in (
        lambda exchange: exchange,
        lambda exchange: exchange.challenged(1).card(RES),
        lambda exchange: exchange.challenged(1).card(AUTS),
    ):
        exchange = prepare(Exchange(STAY).registered(3600).pass_to_deadline())
        exchange.respond(503, ("Retry-After", "200"))
        assert exchange.event(Retrying).at == exchange.now + 200
        exchange.pass_to_deadline().challenged(2).card(RES).accepted().event(Registered)
        exchange.pass_to_deadline().fail(Unreachable("gone"))
        assert exchange.event(Retrying).at <= exchange.now + 30, "success starts it over"


def test_refused_renewal_ends_it() -> None:
    Exchange(STAY).registered().pass_to_deadline().respond(403).ended(Verdict.REJECTED)


# De-registration ----------------------------------------------------------------------


def test_deregistration_is_challenged_again() -> None:
    """A28."""
    exchange = Exchange().registered().deregister()
    assert exchange.request.headers.get("Expires") == "0"
    assert exchange.request.headers.get("Contact") == f"<{CONTACT}>"
    assert exchange.request.headers.get("CSeq") == "3 REGISTER"
    exchange.challenged(1).card(RES).verify()
    assert exchange.request.headers.get("Expires") == "0"
    exchange.respond(200).ended(Verdict.DEREGISTERED)


def test_deregistration_accepted_at_once() -> None:
    Exchange().registered().deregister().respond(200).ended(Verdict.DEREGISTERED)


def test_deregistration_resynchronises_too() -> None:
    exchange = Exchange().registered().deregister().challenged(1).card(AUTS)
    exchange.respond(200).ended(Verdict.DEREGISTERED)


def test_deregistration_without_a_registration_of_ours() -> None:
    exchange = Exchange().deregister()
    assert exchange.credentials.is_initial
    assert exchange.request.headers.get("Expires") == "0"
    exchange.challenged().card(RES).respond(200).ended(Verdict.DEREGISTERED)


def test_deregistration_waits_for_nothing() -> None:
    exchange = Exchange(STAY).registered().deregister()
    exchange.respond(503, ("Retry-After", "1")).ended(Verdict.SERVER_ERROR)
    exchange = Exchange(STAY).registered().deregister()
    exchange.respond(423, ("Min-Expires", "900000")).ended(Verdict.REJECTED)


def test_leaving_in_the_middle_finishes_first() -> None:
    """From every state in which something is under way."""
    stages: tuple[tuple[Callable[[Exchange], object], ...], ...] = (
        (lambda x: x.start(), lambda x: x.challenged(0), lambda x: x.card(RES)),
        (lambda x: x.start(), lambda x: x.challenged(0), lambda x: x.card(AUTS)),
        (lambda x: x.start(),),
    )
    for steps in stages:
        for leave_after in range(1, len(steps) + 1):
            exchange = Exchange()
            for number, step in enumerate(steps, 1):
                step(exchange)
                if number == leave_after:
                    sent = len(exchange.requests)
                    exchange.deregister()
                    assert len(exchange.requests) == sent
            exchange.accepted()
            assert exchange.request.headers.get("Expires") == "0"
            exchange.respond(200).ended(Verdict.DEREGISTERED)


def test_leaving_while_the_network_is_refused() -> None:
    exchange = Exchange().start().challenged().card(MacFailure()).deregister()
    exchange.respond(403).ended(Verdict.MAC_FAILURE)


def test_leaving_a_renewal_that_fails_does_not_wait() -> None:
    exchange = Exchange(STAY).registered().pass_to_deadline().deregister()
    exchange.fail(TimeoutError()).ended(Verdict.TIMEOUT)


def test_a_new_registration_after_the_end() -> None:
    exchange = Exchange().registered().deregister().respond(200)
    exchange.ended(Verdict.DEREGISTERED)
    exchange.start()
    assert exchange.request.headers.get("CSeq") == "1 REGISTER"
    assert exchange.request.headers.get("Call-ID") != exchange.requests[0].headers.get("Call-ID")
    assert exchange.credentials.is_initial
    exchange.challenged(5).card(RES).accepted().event(Registered)


# What does not fit --------------------------------------------------------------------


def test_other_responses_are_passed_over() -> None:
    exchange = Exchange().start()
    for response in (
        Response(100, "", [("CSeq", "1 REGISTER")]),
        Response(403, "", [("CSeq", "7 REGISTER")]),
        Response(403, "", [("CSeq", "1 INVITE")]),
        Response(403, "", [("CSeq", "garbage")]),
        Response(403),
    ):
        exchange.registration.response_received(response, exchange.now)
    assert exchange.state == State.TRYING
    exchange.registration.response_received(
        Response(403, "", [("CSeq", "01   REGISTER")]), exchange.now
    )
    exchange.ended(Verdict.REJECTED)


def test_late_news_is_passed_over() -> None:
    exchange = Exchange().registered()
    exchange.respond(403).fail(TimeoutError())
    assert exchange.state == State.REGISTERED
    exchange = Exchange().start().challenged()
    exchange.respond(200).fail(TimeoutError())
    assert exchange.state == State.ASKING


def test_calls_that_make_no_sense_are_refused() -> None:
    exchange = Exchange()
    with pytest.raises(LocalError, match="idle"):
        exchange.registration.card_answered(RES, 0)
    exchange.start()
    with pytest.raises(LocalError, match="trying"):
        exchange.registration.start(0)
    with pytest.raises(LocalError):
        exchange.registration.card_failed(0)
    exchange.respond(403)
    with pytest.raises(LocalError, match="ended"):
        exchange.registration.deregister(0)
    assert exchange.state == State.ENDED


def test_no_secret_in_events_or_requests() -> None:
    exchange = Exchange().start().challenged().card(RES)
    text = repr(exchange.registration.take_events()) + exchange.request.to_bytes().decode()
    for secret in (RES.res, RES.ck, RES.ik):
        assert secret.hex() not in text
        assert repr(secret) not in text


# The table ----------------------------------------------------------------------------


class Recorder(dict[tuple[str, str], Row]):
    """The table, which remembers the rows that were used."""

    def __init__(self) -> None:
        super().__init__(TRANSITIONS)
        self.used: set[tuple[str, str]] = set()

    def get(self, key: tuple[str, str], default: Row | None = None) -> Row | None:  # type: ignore[override]
        if key in self:
            self.used.add(key)
        return super().get(key, default)


def test_every_row_is_reached_by_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(machine, "TRANSITIONS", recorder)
    for name, test in list(globals().items()):
        if name.startswith("test_") and not test.__code__.co_argcount:
            test()
    assert sorted(set(TRANSITIONS) - recorder.used) == []


def test_every_row_names_its_rule_and_an_action() -> None:
    for row in TRANSITIONS.values():
        assert row.rule.startswith(("RFC ", "TS "))
        assert "§" in row.rule
        assert callable(getattr(Registration, f"_{row.action}"))
        assert (row.verdict is not None) == (row.next_state == State.ENDED)
