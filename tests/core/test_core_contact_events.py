"""What a registrar says has happened to contacts, REGISTER by REGISTER (RFC 3680 §4.7.1)."""

from __future__ import annotations

import pytest
from test_core_registrar import PROFILE, Attempt, network

from sipua.core.bindings import MAX_BINDINGS
from sipua.core.contact_events import (
    ACTIVE,
    BY_NETWORK,
    INIT,
    STATE_AFTER,
    TERMINATED,
    TRANSITIONS,
)
from sipua.core.registrar import Registrar
from sipua.core.subscriber import Directory

(SUBSCRIBER,) = Directory([PROFILE])

ONE, TWO = "<sip:me@127.0.0.1:5070>", "<sip:me@127.0.0.1:5071>"


def news(registrar: Registrar) -> list[tuple[str, str]]:
    """Port and event of each contact that something happened to."""
    return [
        (each.binding.uri[-4:], each.event)
        for changes in registrar.take_changes()
        for each in changes.contacts
    ]


def test_what_each_register_does() -> None:
    attempt = Attempt(network())
    registrar = attempt.registrar
    attempt.challenge()
    assert news(registrar) == []
    attempt.register(Contact=ONE)
    assert news(registrar) == [("5070", "registered")]
    attempt.register(Contact=f"{TWO}, {ONE}")
    assert news(registrar) == [("5071", "registered"), ("5070", "refreshed")]
    attempt.register(Contact="")
    assert news(registrar) == []  # a query
    attempt.register(Contact=f"{ONE};expires=0")
    assert news(registrar) == [("5070", "unregistered")]
    attempt.register(Contact=ONE)
    attempt.register(Contact="*", Expires="0")
    events = [("5070", "registered"), ("5071", "unregistered"), ("5070", "unregistered")]
    assert sorted(news(registrar)) == sorted(events)


def test_what_ran_out_is_told_with_the_next_register() -> None:
    attempt = Attempt(network())
    attempt.register(Contact=ONE, Expires="60")
    attempt.now += 61
    news(attempt.registrar)
    attempt.register(Contact=TWO)
    assert news(attempt.registrar) == [("5070", "expired"), ("5071", "registered")]


def test_a_contact_keeps_its_number_until_it_is_gone() -> None:
    attempt = Attempt(network())
    numbers = []
    for expires in ("600", "600", "0", "600"):
        attempt.register(Contact=ONE, Expires=expires)
        numbers += [each.id for each in attempt.registrar.bindings(SUBSCRIBER.impi, attempt.now)]
    first, again, after = numbers
    assert first == again != after


def test_contacts_that_had_to_make_room_are_gone() -> None:
    attempt = Attempt(network())
    for number in range(MAX_BINDINGS + 1):
        attempt.register(Contact=f"<sip:me@127.0.0.1:{6000 + number}>")
    assert news(attempt.registrar)[-2:] == [("6000", "unregistered"), ("6016", "registered")]


@pytest.mark.parametrize("event", BY_NETWORK)
def test_the_network_ends_all_contacts(event: str) -> None:
    attempt = Attempt(network())
    attempt.register(Contact=f"{ONE}, {TWO}")
    news(attempt.registrar)
    attempt.registrar.deregister(SUBSCRIBER, event, attempt.now, 9)
    (changes,) = attempt.registrar.take_changes()
    assert changes.is_gone
    assert [(each.event, each.state, each.retry_after) for each in changes.contacts] == [
        (event, TERMINATED, 9)
    ] * 2
    attempt.registrar.deregister(SUBSCRIBER, event, attempt.now)
    assert attempt.registrar.take_changes() == []


def test_the_network_shortens_what_lasts_longer() -> None:
    attempt = Attempt(network())
    attempt.register(Contact=ONE)
    attempt.register(Contact=f"{TWO};expires=100")
    attempt.registrar.shorten(SUBSCRIBER, 200, attempt.now)
    bindings = attempt.registrar.bindings(SUBSCRIBER.impi, attempt.now)
    left = [each.until - attempt.now for each in bindings]
    assert left == [200, 100]


def test_the_table() -> None:
    assert {state for state, _ in TRANSITIONS} == {INIT, ACTIVE}
    assert len(STATE_AFTER) == len(TRANSITIONS), "each event leads to one state"
    assert all(STATE_AFTER[event] == TERMINATED for event in BY_NETWORK)
