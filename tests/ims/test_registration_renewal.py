"""Renewal, de-registration, and starting anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from registrar_by_hand import (
    AUTS,
    CONTACT,
    RES,
    SETTINGS,
    Exchange,
    challenge,
)

from card.aka.result import MacFailure
from sipua.auth.schemes import aka
from sipua.errors import LocalError, Unreachable
from sipua.ims.events import (
    AuthenticationRequired,
    Ended,
    Registered,
    Retrying,
)
from sipua.ims.table import State
from sipua.verdict import Verdict

# Renewal ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "after"),
    [(3600, 3000), (1201, 601), (1200, 600), (60, 30), (600000, 599400), (1, 0.5)],
)
def test_renewal_at_the_time_of_ts_24_229(granted: int, after: float) -> None:
    exchange = Exchange().registered(granted)
    assert exchange.registration.deadline() == exchange.now + after


def test_renewal_carries_the_last_answer_counted_on() -> None:
    exchange = Exchange().registered().pass_to_deadline()
    exchange.verify(nc=2)
    assert exchange.request.headers.get("CSeq") == "3 REGISTER"
    assert exchange.request.headers.get("Call-ID") == exchange.requests[0].headers.get("Call-ID")
    exchange.accepted().event(Registered)
    exchange.pass_to_deadline().verify(nc=3)


def test_renewal_is_challenged_anew() -> None:
    exchange = Exchange().registered().pass_to_deadline().challenged(1)
    exchange.event(AuthenticationRequired)
    exchange.card(RES).verify(nc=1)
    assert exchange.accepted().event(Registered).algorithm == "AKAv1-MD5"


def test_renewal_with_the_old_nonce_asks_no_card() -> None:
    exchange = Exchange().registered().pass_to_deadline().challenged(0)
    exchange.verify(nc=3)
    exchange.challenged(0).ended(Verdict.WRONG_RESPONSE)


def test_renewal_without_preemption() -> None:
    exchange = Exchange(SETTINGS._replace(preemptive=False)).registered().pass_to_deadline()
    assert exchange.credentials.is_initial


def test_renewal_without_qop_starts_afresh() -> None:
    """A18: a nonce that nothing counts is not used twice."""
    exchange = Exchange().start()
    plain = challenge(0)._replace(qop_options=())
    exchange.respond(401, ("WWW-Authenticate", aka.write_challenge(plain))).card(RES).accepted()
    assert exchange.pass_to_deadline().credentials.is_initial


def test_renewal_on_demand() -> None:
    exchange = Exchange().registered()
    exchange.pass_time(5).start()
    assert exchange.request.headers.get("CSeq") == "3 REGISTER"
    exchange.challenged(1).card(RES).accepted().event(Registered)


def test_failed_renewal_is_tried_again_while_the_binding_lives() -> None:
    exchange = Exchange().registered(3600).pass_to_deadline()
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
    stages: tuple[Callable[[Exchange], Exchange], ...] = (
        lambda exchange: exchange,
        lambda exchange: exchange.challenged(1).card(RES),
        lambda exchange: exchange.challenged(1).card(AUTS),
    )
    for prepare in stages:
        exchange = prepare(Exchange().registered(3600).pass_to_deadline())
        exchange.respond(503, ("Retry-After", "200"))
        assert exchange.event(Retrying).at == exchange.now + 200
        assert exchange.state == State.REGISTERED
        exchange.pass_to_deadline().challenged(2).card(RES).accepted().event(Registered)
        exchange.pass_to_deadline().fail(Unreachable("gone"))
        assert exchange.event(Retrying).at <= exchange.now + 30, "success starts it over"


def test_refused_renewal_ends_it() -> None:
    Exchange().registered().pass_to_deadline().respond(403).ended(Verdict.REJECTED)


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
    assert exchange.state == State.TRYING
    assert exchange.credentials.is_initial
    assert exchange.request.headers.get("Expires") == "0"
    exchange.challenged().card(RES).respond(200).ended(Verdict.DEREGISTERED)


def test_deregistration_waits_for_nothing() -> None:
    exchange = Exchange().registered().deregister()
    exchange.respond(503, ("Retry-After", "1")).ended(Verdict.SERVER_ERROR)
    exchange = Exchange().registered().deregister()
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
                    before = len(exchange.requests), exchange.state
                    exchange.deregister()
                    assert (len(exchange.requests), exchange.state) == before
            exchange.accepted()
            assert exchange.state == State.TRYING
            assert exchange.request.headers.get("Expires") == "0"
            exchange.respond(200).ended(Verdict.DEREGISTERED)


def test_leaving_while_the_network_is_refused() -> None:
    exchange = Exchange().start().challenged().card(MacFailure()).deregister()
    exchange.respond(403).ended(Verdict.MAC_FAILURE)


def test_leaving_a_renewal_that_fails_does_not_wait() -> None:
    exchange = Exchange().registered().pass_to_deadline().deregister()
    exchange.fail(TimeoutError()).ended(Verdict.TIMEOUT)


def test_a_new_registration_after_the_end() -> None:
    exchange = Exchange().registered().deregister().respond(200)
    exchange.ended(Verdict.DEREGISTERED)
    exchange.start()
    assert exchange.request.headers.get("CSeq") == "1 REGISTER"
    assert exchange.request.headers.get("Call-ID") != exchange.requests[0].headers.get("Call-ID")
    assert exchange.credentials.is_initial
    exchange.challenged(5).card(RES).accepted().event(Registered)


def test_removal_of_every_binding() -> None:
    """RFC 3261 §10.2.2."""
    exchange = Exchange(SETTINGS._replace(contact="*", contact_params="+g.3gpp.smsip"))
    exchange.deregister()
    assert exchange.request.headers.get("Contact") == "*"
    assert exchange.request.headers.get("Expires") == "0"
    exchange.challenged().card(RES).respond(200).ended(Verdict.DEREGISTERED)
    with pytest.raises(LocalError, match="removal"):
        Exchange(SETTINGS._replace(contact="*")).start()
