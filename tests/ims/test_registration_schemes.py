"""The registration machine with the patent's modes, time and network by hand."""

from __future__ import annotations

import pytest
from registrar_by_hand import AUTS, RES, Exchange

from card.aka.result import MacFailure
from sipua.auth.scheme import AkaChallenge
from sipua.auth.selection import scheme_named
from sipua.ims.events import AuthenticationRequired, Registered
from sipua.ims.table import State
from sipua.verdict import Verdict

IN_CLEAR = ("umts", "digest-umts", "pgp-umts")
in_clear = pytest.mark.parametrize("scheme", IN_CLEAR)
statuses = pytest.mark.parametrize("status", [401, 407])
HEADERS = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}


def challenge(scheme: str, number: int, status: int = 401) -> AkaChallenge:
    return scheme_named(scheme).make_challenge(
        "ims.example", bytes(15) + bytes([number]), bytes(16), header=HEADERS[status]
    )


def challenged(exchange: Exchange, scheme: str, number: int = 0, status: int = 401) -> Exchange:
    asked = challenge(scheme, number, status)
    return exchange.respond(status, (asked.header, scheme_named(scheme).write_challenge(asked)))


def told(exchange: Exchange, scheme: str, status: int = 401) -> str:
    """The credentials of the last request."""
    name = "Authorization" if status == 401 else "Proxy-Authorization"
    (value,) = exchange.request.headers.all(name)
    assert value.lower().startswith(scheme_named(scheme).AUTH_SCHEME)
    return value


@in_clear
@statuses
def test_res(scheme: str, status: int) -> None:
    exchange = challenged(Exchange().start(), scheme, status=status)
    event = exchange.event(AuthenticationRequired)
    assert (event.scheme, event.rand) == (scheme, bytes(16))
    exchange.card(RES)
    assert RES.res.hex() in told(exchange, scheme, status)
    if status == 407:  # the empty credentials stay (TS 24.229 §5.1.1.2.2)
        assert 'nonce=""' in (exchange.request.headers.get("Authorization") or "")
    registered = exchange.accepted().event(Registered)
    assert registered.scheme == scheme
    assert registered.algorithm == ("" if scheme == "umts" else "UMTS-AKA")


@in_clear
@statuses
def test_auts_then_res(scheme: str, status: int) -> None:
    exchange = challenged(Exchange().start(), scheme, 0, status).card(AUTS)
    assert AUTS.auts.hex() in told(exchange, scheme, status)
    challenged(exchange, scheme, 1, status).card(RES)
    assert RES.res.hex() in told(exchange, scheme, status)
    assert exchange.accepted().event(Registered).resynchronised


@in_clear
@statuses
def test_mac_failure(scheme: str, status: int) -> None:
    exchange = challenged(Exchange().start(), scheme, 0, status).card(MacFailure())
    assert told(exchange, scheme, status).rstrip('"').endswith("=20" if scheme == "umts" else "14")
    exchange.respond(403).ended(Verdict.MAC_FAILURE)


@in_clear
def test_the_same_challenge_again_means_a_wrong_answer(scheme: str) -> None:
    """Nothing is put to the card twice, although umts has no nonce to tell by."""
    exchange = challenged(Exchange().start(), scheme).card(RES)
    challenged(exchange, scheme).ended(Verdict.WRONG_RESPONSE)


@in_clear
def test_another_challenge_is_put_to_the_card(scheme: str) -> None:
    exchange = challenged(Exchange().start(), scheme, 0).card(RES)
    challenged(exchange, scheme, 1)
    assert exchange.event(AuthenticationRequired).rand[-1] == 1
    exchange.card(RES._replace(res=bytes(range(16)))).accepted()
    assert bytes(range(16)).hex() in told(exchange, scheme)


@in_clear
def test_a_third_round_is_cut(scheme: str) -> None:
    exchange = Exchange().start()
    for number in (0, 1):
        challenged(exchange, scheme, number).card(RES)
    challenged(exchange, scheme, 2).ended(Verdict.CHALLENGE_LOOP)


@in_clear
def test_the_challenge_after_auts_may_not_be_the_old_one(scheme: str) -> None:
    exchange = challenged(Exchange().start(), scheme).card(AUTS)
    challenged(exchange, scheme).ended(Verdict.SYNC_FAILURE)


@in_clear
def test_a_renewal_does_not_repeat_res(scheme: str) -> None:
    exchange = challenged(Exchange().start(), scheme).card(RES).accepted(600)
    exchange.pass_to_deadline()
    assert exchange.state == State.TRYING
    assert exchange.request.headers.all("Authorization")[0].startswith("Digest username=")
    assert RES.res.hex() not in str(list(exchange.request.headers))


def test_registrar_and_proxy_may_ask_in_different_ways() -> None:
    exchange = challenged(Exchange().start(), "pgp-umts", 0, 407).card(RES)
    challenged(exchange, "umts", 1, 401).card(RES)
    assert told(exchange, "umts", 401).startswith("UMTS RES=")
    assert ";signature=" in told(exchange, "pgp-umts", 407)
    assert exchange.accepted().event(Registered).scheme == "umts"


def test_a_nonce_which_is_cut_short_does_not_hide_a_new_challenge() -> None:
    """digest-umts: the nonce is the same, the rest in opaque is not."""
    values = [
        f'Digest realm="r", algorithm=UMTS-AKA, nonce="{"00" * 8}", opaque="{f"{number:02x}" * 24}"'
        for number in (1, 2)
    ]
    exchange = Exchange().start().respond(401, ("WWW-Authenticate", values[0])).card(RES)
    exchange.respond(401, ("WWW-Authenticate", values[1]))
    assert exchange.event(AuthenticationRequired).autn == bytes([2] * 16)
