"""One request and whoever challenges it, in virtual time; every row of its table is reached."""

from __future__ import annotations

import random
import time

import pytest
from registrar_by_hand import AUTS, DOMAIN, IMPI, RES, challenge
from test_registration_table import Recorder

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.schemes import aka
from sipua.errors import DnsFailure, LocalError, TlsFailure, Unreachable
from sipua.ims.events import Answered, AuthenticationRequired, Ended
from sipua.ims.request import OutgoingRequest, RequestSettings
from sipua.ims.request_table import TRANSITIONS
from sipua.ims.table import Input, State
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

BOB = "sip:bob@ims.example"
SETTINGS = RequestSettings(
    "MESSAGE",
    BOB,
    IMPI,
    f"sip:{IMPI}",
    DOMAIN,
    body=b"hello\r\nInjected: no",
    content_type="text/plain",
    route=("<sip:orig@192.0.2.1;lr>",),
)
PROXY, SERVER = "Proxy-Authenticate", "WWW-Authenticate"
ANSWER_TO = {PROXY: "Proxy-Authorization", SERVER: "Authorization"}


class Exchange:
    """A request and the network it goes to, played by the test."""

    def __init__(self, settings: RequestSettings = SETTINGS) -> None:
        self.machine = OutgoingRequest(settings, random.Random(1))
        self.now = 1000.0
        self.requests: list[Request] = []
        self.machine.start(self.now)
        self.collect()
        assert self.machine.state == State.TRYING

    @property
    def request(self) -> Request:
        return self.requests[-1]

    def collect(self) -> None:
        self.requests += self.machine.take_requests()

    def respond(self, status: int, *headers: tuple[str, str]) -> Exchange:
        cseq = ("CSeq", self.request.headers.get("CSeq") or "")
        self.machine.response_received(Response(status, "", [cseq, *headers]), self.now)
        self.collect()
        return self

    def challenged(
        self, number: int, header: str = PROXY, *, realm: str = DOMAIN, stale: bool = False
    ) -> Exchange:
        asked = challenge(number, header=header)._replace(realm=realm, stale=stale)
        status = 407 if header == PROXY else 401
        return self.respond(status, (header, aka.write_challenge(asked)))

    def card(self, outcome: AkaResponse | SynchronisationFailure | MacFailure) -> Exchange:
        assert isinstance(self.machine.take_events()[-1], AuthenticationRequired)
        self.machine.card_answered(outcome, self.now)
        self.collect()
        return self

    def fail(self, error: Exception) -> Exchange:
        self.machine.request_failed(error, self.now)
        return self

    def pass_time(self, seconds: float) -> Exchange:
        self.now += seconds
        self.machine.tick(self.now)
        self.collect()
        return self

    def ended(self, verdict: Verdict) -> Ended:
        (event,) = self.machine.take_events()
        assert isinstance(event, Ended)
        assert event.verdict is verdict, event
        assert event.reason.endswith(".")
        assert self.machine.state == State.ENDED
        assert self.machine.deadline() is None
        return event

    def answered(self) -> Answered:
        (event,) = self.respond(200).machine.take_events()
        assert isinstance(event, Answered)
        assert self.machine.state == State.ENDED
        return event

    def verify(self, number: int, header: str = PROXY, realm: str = DOMAIN, nc: int = 1) -> None:
        """The last request holds the right answer to this challenge."""
        asked = challenge(number, header=header)._replace(realm=realm)
        values = self.request.headers.all(ANSWER_TO[header])
        (found,) = [each for each in map(aka.read_credentials, values) if each.nonce == asked.nonce]
        aka.verify(
            found,
            asked,
            RES,
            username=IMPI,
            method="MESSAGE",
            uri=BOB,
            body=SETTINGS.body,
            nc=nc,
        )


def trying() -> Exchange:
    return Exchange()


def answered() -> Exchange:
    return Exchange().challenged(0).card(RES)


def resynchronising() -> Exchange:
    return Exchange().challenged(0).card(AUTS)


OPEN = (trying, answered, resynchronising)


def test_unchallenged() -> None:
    exchange = Exchange()
    headers = exchange.request.headers
    assert exchange.request.uri == BOB
    assert headers.get("Route") == "<sip:orig@192.0.2.1;lr>"
    assert headers.get("To") == f"<{BOB}>"
    assert headers.get("P-Preferred-Identity") == f"<sip:{IMPI}>"
    assert "Authorization" not in headers
    assert "Contact" not in headers  # RFC 3428 §4
    assert exchange.request.body == SETTINGS.body
    assert not exchange.answered().resynchronised


@pytest.mark.parametrize("header", [PROXY, SERVER])
def test_a_challenge_is_answered_by_the_same_request_with_the_next_cseq(header: str) -> None:
    exchange = Exchange().challenged(0, header)
    assert len(exchange.requests) == 1
    exchange.card(RES).verify(0, header)
    first, second = exchange.requests
    for name in ("Call-ID", "From", "To", "Route", "Content-Type"):
        assert first.headers.all(name) == second.headers.all(name)
    assert [each.headers.get("CSeq") for each in exchange.requests] == ["1 MESSAGE", "2 MESSAGE"]
    assert (first.uri, first.body) == (second.uri, second.body)
    exchange.answered()


def test_a_proxy_and_then_the_far_end_challenge() -> None:
    exchange = Exchange().challenged(0, PROXY).card(RES).challenged(1, SERVER).card(RES)
    exchange.verify(1, SERVER)
    exchange.verify(0, PROXY, nc=2)
    exchange.answered()


def test_two_proxies_each_keep_their_answer() -> None:
    exchange = Exchange().challenged(0, realm="one").card(RES).challenged(1, realm="two").card(RES)
    exchange.verify(0, realm="one", nc=2)
    exchange.verify(1, realm="two")
    exchange.answered()


def test_two_realms_in_one_response_cost_the_card_one_vector() -> None:
    one, two = (
        (PROXY, aka.write_challenge(challenge(number, header=PROXY)._replace(realm=realm)))
        for number, realm in ((0, "one"), (1, "two"))
    )
    exchange = Exchange().respond(407, one, two).card(RES)
    assert len(exchange.request.headers.all("Proxy-Authorization")) == 1
    exchange.answered()


def test_ever_new_challenges_are_answered_twice() -> None:
    exchange = Exchange().challenged(0).card(RES).challenged(1).card(RES).challenged(2)
    assert "2 challenges" in exchange.ended(Verdict.CHALLENGE_LOOP).reason
    assert len(exchange.requests) == 3


def test_ever_new_realms_are_answered_twice() -> None:
    exchange = Exchange()
    for number in range(2):
        exchange.challenged(number, realm=f"realm {number}").card(RES)
    exchange.challenged(3, realm="yet another").ended(Verdict.CHALLENGE_LOOP)


def test_ever_new_challenges_of_both_kinds_end() -> None:
    exchange = Exchange()
    for number in range(4):
        exchange.challenged(number, (PROXY, SERVER)[number % 2]).card(RES)
    exchange.challenged(4, PROXY).ended(Verdict.CHALLENGE_LOOP)
    exchange = Exchange()
    for number in range(3):
        exchange.challenged(number, (PROXY, SERVER)[number % 2]).card(RES)
    exchange.challenged(3, SERVER).card(AUTS)
    exchange.challenged(4, PROXY).ended(Verdict.CHALLENGE_LOOP)


def test_a_nonce_goes_to_the_card_once() -> None:
    answered().challenged(0).ended(Verdict.WRONG_RESPONSE)
    exchange = answered().challenged(0, stale=True)
    exchange.verify(0, nc=2)
    exchange.answered()
    exchange = answered().challenged(1, SERVER).card(AUTS).challenged(0)
    exchange.verify(0, nc=3)
    exchange.answered()


def test_resynchronisation() -> None:
    exchange = resynchronising()
    (value,) = exchange.request.headers.all("Proxy-Authorization")
    assert aka.read_credentials(value).auts == AUTS.auts
    exchange.challenged(1).card(RES).verify(1)
    assert exchange.answered().resynchronised


def test_out_of_step_for_good() -> None:
    resynchronising().challenged(0).ended(Verdict.SYNC_FAILURE)
    resynchronising().challenged(1).card(AUTS).ended(Verdict.SYNC_FAILURE)
    resynchronising().respond(403).ended(Verdict.SYNC_FAILURE)


def refusing() -> Exchange:
    exchange = Exchange().challenged(0).card(MacFailure())
    (value,) = exchange.request.headers.all("Proxy-Authorization")
    assert aka.read_credentials(value).is_reject
    return exchange


def test_a_wrong_mac_is_told_and_ends_it() -> None:
    for status in (200, 403, 407, 500):
        refusing().respond(status).ended(Verdict.MAC_FAILURE)
    refusing().fail(TimeoutError()).ended(Verdict.MAC_FAILURE)
    exchange = refusing().pass_time(3.9)
    assert exchange.machine.state == State.REFUSING
    exchange.pass_time(0.2).ended(Verdict.MAC_FAILURE)


def test_a_card_that_fails() -> None:
    exchange = Exchange().challenged(0)
    exchange.machine.card_failed(exchange.now, "gone", Verdict.NO_CARD)
    exchange.machine.take_events()
    exchange = Exchange().challenged(0)
    exchange.machine.take_events()
    exchange.machine.card_failed(exchange.now)
    exchange.ended(Verdict.CARD_ERROR)


def test_a_password_is_not_computed_from_the_card() -> None:
    md5 = (PROXY, f'Digest realm="{DOMAIN}", nonce="abc", algorithm=MD5')
    for start in OPEN:
        exchange = start()
        sent = len(exchange.requests)
        exchange.respond(407, md5).ended(Verdict.NO_AKA_OFFERED)
        assert len(exchange.requests) == sent


def test_what_cannot_be_read_is_not_answered() -> None:
    short = (PROXY, f'Digest realm="{DOMAIN}", nonce="QUJD", algorithm=AKAv1-MD5')
    for start in OPEN:
        start().respond(407, short).ended(Verdict.BAD_CHALLENGE)
    Exchange().respond(407).ended(Verdict.BAD_CHALLENGE)


def test_refusals() -> None:
    for status in (300, 302, 400, 404, 405, 413, 480, 482, 486, 600):
        for start in OPEN:
            event = start().respond(status).ended(Verdict.REJECTED)
            assert event.hints
    Exchange().respond(403).ended(Verdict.REJECTED)
    assert "may speak for" in answered().respond(403).ended(Verdict.WRONG_RESPONSE).hints[0]
    for start in OPEN:
        for status in (421, 494):
            start().respond(status).ended(Verdict.SECURITY_AGREEMENT)
        failed = start().respond(503, ("Retry-After", "7")).ended(Verdict.SERVER_ERROR)
        assert "Retry-After 7 s" in failed.reason
        start().respond(500).ended(Verdict.SERVER_ERROR)
        start().respond(408).ended(Verdict.TIMEOUT)


def test_no_answer() -> None:
    for start in OPEN:
        start().fail(TimeoutError()).ended(Verdict.TIMEOUT)
        start().fail(Unreachable("no route")).ended(Verdict.UNREACHABLE)
        start().fail(DnsFailure("no name")).ended(Verdict.DNS_FAILURE)
        start().fail(TlsFailure("no trust")).ended(Verdict.TLS_FAILURE)


def test_any_2xx_is_a_success_and_a_challenge_in_it_is_not_looked_at() -> None:
    for start in OPEN:
        exchange = start()
        asked = aka.write_challenge(challenge(7, header=PROXY))
        exchange.respond(202, (PROXY, asked), (SERVER, asked))
        (event,) = exchange.machine.take_events()
        assert isinstance(event, Answered)
        assert event.response.status == 202


def test_a_proof_that_is_wrong_is_told() -> None:
    exchange = answered().respond(200, ("Proxy-Authentication-Info", 'rspauth="00"'))
    (event,) = exchange.machine.take_events()
    assert isinstance(event, Answered)
    assert "did not prove itself by Proxy-Authentication-Info" in event.hints[0]


def test_late_and_foreign_responses_are_passed_over() -> None:
    exchange = answered()
    for cseq in ("1 MESSAGE", "2 OPTIONS", "nonsense", ""):
        exchange.machine.response_received(Response(403, "", [("CSeq", cseq)]), exchange.now)
    exchange.machine.response_received(Response(180, "", [("CSeq", "2 MESSAGE")]), exchange.now)
    exchange.answered()
    exchange.respond(403).fail(TimeoutError())
    assert exchange.machine.take_events() == []
    with pytest.raises(LocalError):
        exchange.machine.start(exchange.now)


def test_ten_thousand_parameters() -> None:
    """They are read in linear time, and nothing but what is known goes into the answer."""
    many = ", ".join(f'p{number}="{number}"' for number in range(10_000))
    asked = aka.write_challenge(challenge(0, header=PROXY))
    started = time.perf_counter()
    exchange = Exchange().respond(407, (PROXY, f"{asked}, {many}")).card(RES)
    assert time.perf_counter() - started < 8.0
    exchange.verify(0)
    (value,) = exchange.request.headers.all("Proxy-Authorization")
    assert len(value) < 500
    challenges = ", ".join(asked for _ in range(1000))
    started = time.perf_counter()
    Exchange().respond(407, (PROXY, challenges)).card(RES).verify(0)
    assert time.perf_counter() - started < 8.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nFrom: <sip:mallory@evil>"),
        ("X", "a\nb"),
        ("X", "a\0b"),
        ("X\r\nFrom", "<sip:mallory@evil>"),
        ("X: y", "z"),
        ("", "z"),
        ("From", "<sip:mallory@evil>"),
        ("f", "<sip:mallory@evil>"),
        ("VIA", "SIP/2.0/UDP evil"),
        ("Content-Length", "0"),
        ("Proxy-Authorization", "Digest"),
    ],
)
def test_header_fields_that_would_make_it_another_request(name: str, value: str) -> None:
    with pytest.raises(LocalError):
        OutgoingRequest(SETTINGS._replace(headers=((name, value),)), random.Random(1))


def test_every_row_is_reached_by_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(TRANSITIONS)
    monkeypatch.setattr(OutgoingRequest, "TRANSITIONS", recorder)
    for name, test in list(globals().items()):
        if name.startswith("test_") and not test.__code__.co_argcount:
            test()
    # Nothing has been answered before the first response; a registration may have been redirected.
    never = {(State.TRYING, Input.CHALLENGED_KNOWN), (State.TRYING, Input.CHALLENGED_TOO_OFTEN)}
    assert set(TRANSITIONS) - recorder.used == never


def test_every_row_names_its_rule_and_an_action() -> None:
    for row in TRANSITIONS.values():
        assert row.rule.startswith(("RFC ", "TS "))
        assert callable(getattr(OutgoingRequest, f"_{row.action}"))
        assert (row.verdict is not None) == (row.next_state == State.ENDED)
