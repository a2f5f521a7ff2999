"""What the card and its challenges do to a registration."""

from __future__ import annotations

import pytest
from registrar_by_hand import (
    AUTS,
    CONTACT,
    DOMAIN,
    RES,
    SETTINGS,
    Exchange,
    challenge,
)

from card.aka.result import MacFailure
from sipua.auth.schemes import aka
from sipua.errors import Unreachable
from sipua.ims.events import (
    AuthenticationRequired,
    Registered,
)
from sipua.ims.table import State
from sipua.verdict import Verdict

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
    exchange = Exchange().start().challenged(0).card(AUTS).accepted()
    assert exchange.event(Registered).resynchronised
    assert exchange.state == State.REGISTERED
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
    exchange = Exchange().registered()
    for number in range(1, 30):
        exchange.pass_to_deadline().challenged(number).card(RES).accepted()
    assert len(exchange.registration._dialog.answers.outcomes) == 8
