"""The notifier of the reg event, asked by our own subscription machine in virtual time."""

from __future__ import annotations

import pytest
from core_watcher import watcher

from sipua.ims.reg_event import Action


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_the_full_state_at_once(transport: str) -> None:
    alice = watcher(transport).subscribe()
    assert [each.status for each in alice.responses] == [200]
    accepted = alice.responses[0].headers
    assert accepted.get("Expires") == "600000"
    assert accepted.get("Allow-Events") == "reg"
    assert alice.subscription_state == "active;expires=600000"
    assert alice.last.headers.get("Event") == "reg"
    assert alice.last.uri == alice.ue.contact
    (document,) = alice.documents
    assert (document.version, document.full) == (0, True)
    assert [each.aor for each in document.registrations] == list(alice.ue.identity.impu)
    named, created = (each.contacts[0] for each in document.registrations)
    assert (named.state, named.event, named.uri) == ("active", "registered", alice.ue.contact)
    assert (created.state, created.event, created.uri) == ("active", "created", alice.ue.contact)
    assert named.id != created.id
    assert named.expires == 600000
    assert named.registered_for == 0
    assert named.call_id
    assert named.cseq == 2
    assert alice.machine.state == "active"


def test_deactivated() -> None:
    alice = watcher().subscribe()
    alice.network.deregister("deactivated")
    alice.run()
    assert alice.changes[1:] == [("deactivated", Action.REGISTER_ANEW)]
    assert alice.subscription_state == "terminated;reason=noresource"
    assert not alice.documents[-1].full
    assert {each.state for each in alice.documents[-1].registrations} == {"terminated"}
    assert alice.watches == []
