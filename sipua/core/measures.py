"""What the network does to registrations by itself, when a fault wants it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.contact_events import (
    DEACTIVATED,
    PROBATION,
    REFRESHED,
    REGISTERED,
    REJECTED,
)
from sipua.sip.message import Request
from sipua.sip.transaction.machine import PROCEEDING, Row, Table, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.contact_events import Changes
    from sipua.core.faults import Faults
    from sipua.core.registrar import Registrar
    from sipua.core.subscriber import Subscriber
    from sipua.sip.endpoint import Endpoint
    from sipua.sip.hop import Hop

DEFAULT_RETRY_AFTER = 30
"""Seconds that a registration on probation has to wait."""

SHORTENED_TO = 60
"""Seconds that are left for authenticating again."""

# Faults, which are the timers as well
DEREGISTER = "deregister"
DEREGISTER_PROBATION = "deregister-probation"
DEREGISTER_REJECTED = "deregister-rejected"
SHORTEN = "shorten"


def deactivate(keeper: _Keeper, _: object, now: float) -> None:
    """Let go of him, who is to register anew."""
    keeper.deregister(DEACTIVATED, now)


def suspend(keeper: _Keeper, _: object, now: float) -> None:
    """Let go of him for a while."""
    keeper.deregister(PROBATION, now)


def reject(keeper: _Keeper, _: object, now: float) -> None:
    """Let go of him for good."""
    keeper.deregister(REJECTED, now)


def shorten(keeper: _Keeper, _: object, now: float) -> None:
    """Leave him little time."""
    measures = keeper.measures
    measures.registrar.shorten(keeper.subscriber, SHORTENED_TO, now)
    measures.report(now)


TRANSITIONS: Table = {
    (PROCEEDING, DEREGISTER): Row(PROCEEDING, (deactivate,), "24.229 §5.4.1.5"),
    (PROCEEDING, DEREGISTER_PROBATION): Row(PROCEEDING, (suspend,), "3680 §4.7.1"),
    (PROCEEDING, DEREGISTER_REJECTED): Row(PROCEEDING, (reject,), "24.229 §5.4.1.5"),
    (PROCEEDING, SHORTEN): Row(PROCEEDING, (shorten,), "24.229 §5.4.1.6"),
}
FAULTS = tuple(timer for _, timer in TRANSITIONS)


class _Keeper(Transaction):
    """The timers of one subscriber, in the schedule of the transactions."""

    __slots__ = ("measures", "subscriber")

    TRANSITIONS = TRANSITIONS
    INITIAL = PROCEEDING

    def __init__(
        self, endpoint: Endpoint, measures: Measures, subscriber: Subscriber, hop: Hop
    ) -> None:
        super().__init__(endpoint, Request("REGISTER", subscriber.impus[0]), hop)
        self.measures = measures
        self.subscriber = subscriber

    def deregister(self, event: str, now: float) -> None:
        measures = self.measures
        measures.registrar.deregister(self.subscriber, event, now, DEFAULT_RETRY_AFTER)
        measures.report(now)

    def fire(self, now: float) -> float:
        """As its base does, without the faults that hold no longer."""
        in_force = self.measures.in_force(self.subscriber)
        for timer in [timer for timer in self.running if timer not in in_force]:
            del self.running[timer]
        return super().fire(now)


class Measures:
    """Watches registrations, and ends or shortens those that a fault is meant for."""

    def __init__(
        self,
        endpoint: Endpoint,
        registrar: Registrar,
        faults: Faults,
        report: Callable[[float], None],
    ) -> None:
        """``report`` has what was done brought to whom it concerns."""
        self.registrar = registrar
        self.report = report
        self._endpoint = endpoint
        self._faults = faults
        self._keepers: dict[str, _Keeper] = {}

    def in_force(self, subscriber: Subscriber) -> dict[str, float]:
        """The faults of ours that meet this subscriber, and their seconds."""
        faults = self._faults.of(subscriber.identities)
        return {name: faults[name] for name in FAULTS if name in faults} if faults else {}

    def registrations_changed(self, changes: Changes, now: float) -> None:
        """Wait from the first REGISTER on, or with SHORTEN from the last; until all is gone."""
        subscriber = changes.subscriber
        if changes.is_gone:
            keeper = self._keepers.get(subscriber.impi)
            if keeper is not None:
                keeper.running.clear()
            return
        in_force = self.in_force(subscriber)
        told = [each for each in changes.contacts if each.event in (REGISTERED, REFRESHED)]
        if not in_force or not told:
            return
        keeper = self._keepers.get(subscriber.impi)
        if keeper is None:
            hop = told[0].binding.source
            keeper = _Keeper(self._endpoint, self, subscriber, hop)
            self._keepers[subscriber.impi] = keeper
        for name, seconds in in_force.items():
            if name == SHORTEN or name not in keeper.running:
                keeper.start_timer(name, seconds, now)
