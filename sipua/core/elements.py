"""The elements of the embedded network, joined on open sockets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from card.statefile import StateFile
from sipua.auth.redaction import redact_message
from sipua.core import wall_clock
from sipua.core.auc import Auc
from sipua.core.challenger import Challenger
from sipua.core.edge import Edge
from sipua.core.gate import Gate
from sipua.core.measures import Measures
from sipua.core.proxy import Proxy
from sipua.core.registrar import Registrar
from sipua.core.routing import Routing
from sipua.errors import LocalError
from sipua.net.driver import Driver
from sipua.sip.endpoint import Endpoint
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.plan import Plan
    from sipua.core.protection import Protection
    from sipua.core.short_messages import ShortMessageCentre
    from sipua.core.subscriber import Subscriber
    from sipua.net.driver import OnMessage
    from sipua.randomness import Randomness

STATE_NAME = "auc.json"

PROTECTION_TURN = 1.0
"""Seconds after which it is looked whether security associations have run out."""


class Elements:
    """AuC, registrar, proxy and, with IPsec, a P-CSCF, from opening to ``close``.

    ``hops`` tells where they listen. One thread takes the turns; ``wake`` and
    ``submit`` are for the others.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float], rng: Randomness) -> None:
        """Take the sockets and the state file; raises as CoreServer.open does."""
        self.protection: Protection | None = None
        self._clock = clock
        self._rng = rng
        self._plan = plan
        self._state: StateFile | None = None
        self._edge = Edge(plan.faults, plan.directory, clock, plan.tls)
        try:
            self._join(plan)
        except BaseException:
            self.close()
            raise

    def _join(self, plan: Plan) -> None:
        edge = self._edge
        if plan.state_dir is not None:
            self._state = StateFile(os.path.join(plan.state_dir, STATE_NAME))
        auc = Auc(plan.directory, plan.rand_source, self._state)
        self.registrar = registrar = self._make_registrar(auc)
        self.hops = tuple(
            Hop(transport, *edge.open(transport, address, port))
            for transport, address, port in plan.listen
        )
        if plan.ipsec != "off":
            self.protection = self._protect()
        self._endpoint = endpoint = Endpoint(self._rng)
        pcscf = self.protection.pcscf if self.protection is not None else None
        protected = (Hop("UDP", *pcscf.server),) if pcscf is not None else ()
        routing = Routing(plan.directory, registrar, (*self.hops, *protected))

        def open_centre() -> ShortMessageCentre:
            from sipua.core.short_messages import ShortMessageCentre  # seldom needed

            where = edge.local_address
            return ShortMessageCentre(
                endpoint, routing, plan.directory, where, wall_clock.timestamp
            )

        self.proxy = proxy = Proxy(
            endpoint,
            registrar,
            self._make_gate(auc),
            routing,
            edge.local_address,
            open_centre,
            pcscf,
        )
        measures = Measures(endpoint, registrar, plan.faults, proxy.report)
        proxy.watchers.append(measures.registrations_changed)
        if pcscf is not None:
            proxy.watchers.append(pcscf.registrations_changed)
        self._driver = Driver(edge, endpoint, self._clock, _masking(plan.on_message))

    def _make_registrar(self, auc: Auc) -> Registrar:
        plan = self._plan
        challenger = Challenger(
            auc,
            plan.rand_source,
            scheme=plan.scheme,
            algorithm=plan.algorithm,
            qop=plan.qop,
            tells_keys=plan.ipsec != "off",
        )
        return Registrar(
            plan.directory, challenger, plan.faults, expiry=plan.expiry, date=wall_clock.date
        )

    def _make_gate(self, auc: Auc) -> Gate:
        plan = self._plan

        def make(header: str, scheme: str) -> Challenger:
            scheme = scheme or plan.scheme
            algorithm = plan.algorithm if scheme == plan.scheme else None
            return Challenger(
                auc,
                plan.rand_source,
                header=header,
                scheme=scheme,
                algorithm=algorithm,
                qop=plan.qop,
            )

        return Gate(plan.directory, self.registrar, plan.faults, plan.challenge, make)

    def _protect(self) -> Protection:
        from sipua.core.protection import Protection  # seldom needed
        from sipua.ipsec.suite import CURRENT

        plan, address = self._plan, self.hops[0].address
        return Protection(self._edge, address, plan.ipsec, self._rng, plan.suites or CURRENT)

    @property
    def dead(self) -> bool:
        """Whether the fault "die" has struck."""
        return self._edge.dead

    def deadline(self) -> float | None:
        """When a timer runs out next, if one is running."""
        return self._endpoint.deadline()

    def turn(self, limit: float | None = None) -> None:
        """Wait for something to happen, no longer than ``limit`` seconds, and deal with it."""
        if self.protection is not None:
            self.protection.pcscf.tick(self._clock())
            limit = PROTECTION_TURN if limit is None else min(limit, PROTECTION_TURN)
        self._driver.turn(limit)
        for event in self._endpoint.take_events():
            self.proxy.handle(event, self._clock())
        self._driver.flush()

    def change(self, subscriber: Subscriber, act: Callable[[Registrar, float], None]) -> None:
        """Do something to a registration, and tell who watches it.

        Raises LocalError for who is not registered.
        """
        now = self._clock()
        if not self.registrar.bindings(subscriber.impi, now):
            raise LocalError(f"{subscriber.impi} is not registered")
        act(self.registrar, now)
        self.proxy.report(now)

    def submit(self, call: Callable[[], None]) -> None:
        """Have ``call`` run at the next turn."""
        self._driver.submit(call)

    def wake(self) -> None:
        """End a turn that waits."""
        self._edge.wake()

    def close(self) -> None:
        """Give everything back."""
        if self.protection is not None:
            self.protection.close(self._clock())
            self.protection = None
        self._edge.close()
        if self._state is not None:
            self._state.close()
            self._state = None


def _masking(tell: OnMessage | None) -> OnMessage | None:
    """``tell`` with the secrets taken out of what it is told."""
    if tell is None:
        return None
    told = tell
    return lambda direction, data, hop: told(direction, redact_message(data), hop)
