"""What happens to a contact, in the words of the reg event package (RFC 3680 §4.7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.core.bindings import Binding
    from sipua.core.subscriber import Subscriber

# States
INIT = "init"
ACTIVE = "active"
TERMINATED = "terminated"

# Events
REGISTERED = "registered"
CREATED = "created"  # along with another public identity that was registered
REFRESHED = "refreshed"
SHORTENED = "shortened"
EXPIRED = "expired"
UNREGISTERED = "unregistered"
DEACTIVATED = "deactivated"
PROBATION = "probation"
REJECTED = "rejected"

TRANSITIONS = {
    (INIT, REGISTERED): ACTIVE,
    (INIT, CREATED): ACTIVE,
    (ACTIVE, REFRESHED): ACTIVE,
    (ACTIVE, SHORTENED): ACTIVE,
    (ACTIVE, EXPIRED): TERMINATED,
    (ACTIVE, UNREGISTERED): TERMINATED,
    (ACTIVE, DEACTIVATED): TERMINATED,
    (ACTIVE, PROBATION): TERMINATED,
    (ACTIVE, REJECTED): TERMINATED,
}
"""The contact state machine (figure 2)."""

STATE_AFTER = {event: state for (_, event), state in TRANSITIONS.items()}

BY_NETWORK = (DEACTIVATED, PROBATION, REJECTED)
"""How the network ends a registration."""


class Change(NamedTuple):
    """What happened to one contact. ``binding`` is as it is now, or was at its end;
    ``retry_after`` the seconds to wait after PROBATION."""

    binding: Binding
    event: str
    retry_after: int = 0

    @property
    def state(self) -> str:
        """Active or terminated."""
        return STATE_AFTER[self.event]


class Changes(NamedTuple):
    """What happened to a subscriber's contacts at one time; ``is_gone`` if none is left."""

    subscriber: Subscriber
    contacts: list[Change]
    is_gone: bool


def changes(before: Iterable[Binding], after: Iterable[Binding], now: float) -> list[Change]:
    """What a REGISTER or the time has changed."""
    before, after = list(before), list(after)
    known = {each.id: each for each in before}
    kept = {each.id for each in after}
    gone = [
        Change(each, EXPIRED if each.until <= now else UNREGISTERED)
        for each in before
        if each.id not in kept
    ]
    return gone + [Change(each, each.event) for each in after if known.get(each.id) != each]
