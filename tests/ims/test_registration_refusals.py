"""Refusals, failures and detours of a registration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from registrar_by_hand import (
    AUTS,
    IMPI,
    OPEN,
    RES,
    SETTINGS,
    Exchange,
)

from sipua.errors import DnsFailure, TlsFailure, Unreachable
from sipua.ims.events import (
    Redirected,
    Registered,
    Retrying,
)
from sipua.ims.table import State
from sipua.verdict import Verdict

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


def test_refused_anywhere() -> None:
    for prepare, verdict in zip(
        OPEN, (Verdict.REJECTED, Verdict.WRONG_RESPONSE, Verdict.SYNC_FAILURE), strict=True
    ):
        refused_once(prepare, 403, verdict)


def test_security_agreement_demanded_anywhere() -> None:
    for prepare in OPEN:
        refused_once(prepare, 421, Verdict.SECURITY_AGREEMENT)
        refused_once(prepare, 494, Verdict.SECURITY_AGREEMENT)


REQUIRED = SETTINGS._replace(ipsec="require")

SECURITY, REJECTED = Verdict.SECURITY_AGREEMENT, Verdict.REJECTED


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "named", "advice"),
    [
        (420, [("Unsupported", "sec-agree")], SECURITY, "Unsupported: sec-agree", "--ipsec auto"),
        (420, [("Unsupported", "path, SEC-AGREE")], SECURITY, "SEC-AGREE", "--ipsec auto"),
        (420, [], SECURITY, "420", "--ipsec auto"),
        (420, [("Unsupported", "path")], REJECTED, "Unsupported: path", "Unsupported"),
        (421, [("Require", "sec-agree")], SECURITY, "Require: sec-agree", "misses sec-agree"),
        (421, [("Require", "outbound")], REJECTED, "Require: outbound", "the reason names it"),
        (421, [("Require", '"x, y')], REJECTED, 'Require: "x, y', "the reason names it"),
        (421, [], SECURITY, "421", "misses sec-agree"),
        (494, [("Security-Server", "tls;q=0.1")], SECURITY, "Server: tls;q=0.1", "--mechanisms"),
        (494, [], SECURITY, "494", "--mechanisms"),
    ],
)
def test_what_a_refused_agreement_is_about(
    status: int, headers: list[tuple[str, str]], verdict: Verdict, named: str, advice: str
) -> None:
    """RFC 3329 §2.3.1, RFC 3261 §21.4.5 and §21.4.15: the extension named decides."""
    end = Exchange(REQUIRED).start().respond(status, *headers).ended(verdict)
    assert named in end.reason
    assert advice in end.hints[0]


def test_the_answer_names_no_more_than_can_be_read() -> None:
    long = [("Security-Server", "tls;x=" + "y" * 60000)]
    assert len(Exchange(REQUIRED).start().respond(494, *long).ended(SECURITY).reason) < 300


@pytest.mark.parametrize("ipsec", ["off", "auto"])
def test_a_bad_extension_is_a_refusal_where_no_agreement_is_insisted_on(ipsec: str) -> None:
    exchange = Exchange(SETTINGS._replace(ipsec=ipsec)).start()
    exchange.respond(420, ("Unsupported", "sec-agree")).ended(REJECTED)


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
        assert exchange.state == State.TRYING
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
        assert exchange.state == State.TRYING
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
