"""Faults by which the network ends or shortens registrations, in virtual time."""

from __future__ import annotations

import pytest
from core_scene import subscriber
from core_watcher import Watcher, watcher

from sipua.core.measures import DEFAULT_RETRY_AFTER, FAULTS, SHORTENED_TO, TRANSITIONS


def under(*faults: str) -> Watcher:
    """Somebody who registers again under these faults, and watches."""
    alice = watcher()
    for fault in faults:
        alice.network.faults.add(fault)
    return alice.register().subscribe()


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ("deregister", "deactivated"),
        ("deregister-probation", "probation"),
        ("deregister-rejected", "rejected"),
    ],
)
def test_so_long_after_it_was_made(fault: str, event: str) -> None:
    alice = under(f"{fault}=40")
    alice.run(25)
    alice.register()  # which puts nothing off
    alice.run(14.9)
    assert event not in [each for each, _ in alice.changes]
    alice.run(0.2)
    assert alice.changes[-1][0] == event
    contact = alice.documents[-1].registrations[0].contacts[0]
    assert contact.retry_after == (DEFAULT_RETRY_AFTER if event == "probation" else -1)


def test_shortened_so_long_after_the_last_register() -> None:
    alice = under("shorten=40")
    alice.run(39)
    alice.register()
    alice.run(39.9)
    assert "shortened" not in [each for each, _ in alice.changes]
    alice.run(0.2)
    assert alice.changes[-1][0] == "shortened"
    assert alice.documents[-1].registrations[0].contacts[0].expires == SHORTENED_TO


def test_again_after_the_next_register() -> None:
    alice = under("shorten=40")
    for _ in range(3):
        alice.run(40.1)
        alice.register()
    events = [event for event, _ in alice.changes]
    assert events.count("shortened") == 3


def test_it_is_for_one_subscriber() -> None:
    alice = under(f"deregister=40@{subscriber(2).imsi}")
    alice.run(100)
    assert alice.changes[-1][0] == "refreshed"


def test_a_fault_that_holds_no_longer_does_not_strike() -> None:
    alice = under("deregister=40")
    alice.network.faults.clear()
    alice.run(100)
    assert alice.changes[-1][0] == "refreshed"


def test_who_has_gone_is_left_alone() -> None:
    alice = under("deregister=40")
    alice.run(30)
    alice.ue.register(expires=0)
    alice.run(5)
    alice.network.faults.clear()
    alice.register()
    alice.network.faults.add("deregister=40")
    alice.run(100)
    assert len(alice.network.registrar.bindings(alice.settings.impi, alice.network.now)) == 1


def test_the_table_names_its_rules() -> None:
    assert FAULTS == ("deregister", "deregister-probation", "deregister-rejected", "shorten")
    assert all(row.source.startswith(("24.229 §", "3680 §")) for row in TRANSITIONS.values())
