"""A subscription to the reg event beside a registration, carried by the test's own hands.

The machine is sipua.ims.reg_event's; its messages go through the sockets of a user
agent which is registered, because a P-CSCF takes them from nowhere else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from sipua.agent.switchboard import Taker
from sipua.agent.user_agent import UserAgent
from sipua.ims.events import Event
from sipua.ims.reg_event import ContactChanged, RegEventSubscription
from sipua.ims.reginfo import CONTENT_TYPE
from sipua.ims.subscription_settings import SubscriptionSettings
from sipua.ims.target import preloaded_route
from sipua.sip.endpoint import ClientTransaction, RequestReceived
from sipua.sip.inspection import Abilities
from sipua.sip.message import Request, Response

PATIENCE = 20.0
EXPIRES = 3600


class Watcher(Taker):
    """Subscribes when made; ``events`` is what the machine told, ``notified`` each NOTIFY."""

    hears_all = False
    abilities = Abilities(frozenset({"NOTIFY"}), content_types=frozenset({CONTENT_TYPE}))

    def __init__(self, agent: UserAgent) -> None:
        registration = agent._conversation
        assert registration is not None
        binding = registration.machine.binding
        assert binding is not None
        settings = registration.machine.settings
        self.machine = RegEventSubscription(
            SubscriptionSettings(
                uri=settings.impu,
                impi=settings.impi,
                impu=settings.impu,
                contact=settings.contact,
                expires=EXPIRES,
                route=preloaded_route(registration.hop, binding.service_route),
            ),
            random.Random(1),
        )
        self.events: list[Event] = []
        self.notified: list[Request] = []
        self.statuses: list[int] = []
        self._hop = registration.hop
        self._sent_by = (registration.local.address, registration.local.port)
        self._switchboard = agent._equipment.switchboard()
        self._switchboard.add(self)
        self.machine.start(time.monotonic())
        self._carry_on(time.monotonic())

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Take turns until ``condition()`` holds; AssertionError names ``what`` was awaited."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {PATIENCE:g} s"
            now = self._switchboard.turn(time.monotonic() + 0.1)
            self.machine.tick(now)
            self._carry_on(now)

    def stop(self) -> None:
        """Unsubscribe."""
        self.machine.stop(time.monotonic())
        self._carry_on(time.monotonic())

    def wait_for_nothing(self, seconds: float) -> None:
        """Have the machine believe that so much time has passed."""
        self.machine.tick(time.monotonic() + seconds)
        self._carry_on(time.monotonic())

    def changes(self) -> list[tuple[str, str, str]]:
        """State, event and action of each contact of ours that was told of, in order."""
        return [
            (each.contact.state, each.contact.event, each.action)
            for each in self.events
            if isinstance(each, ContactChanged) and each.ours
        ]

    # As a sender and as a taker

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        self.statuses.append(response.status)
        self.machine.response_received(response, now)
        self._carry_on(now)

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        self.machine.request_failed(error, now)
        self._carry_on(now)

    def take(self, event: RequestReceived, now: float) -> bool:
        if not self.machine.owns(event.request):
            return False
        self.notified.append(event.request)
        self.machine.request_received(event.request, now)
        for reply in self.machine.take_responses():
            self._switchboard.driver.endpoint.respond(event.transaction, reply.response, now)
        self._carry_on(now)
        return True

    def _carry_on(self, now: float) -> None:
        self.events += self.machine.take_events()
        for request in self.machine.take_requests():
            self._switchboard.send(self, request, self._hop, self._sent_by, now)


def hops(request: Request) -> list[int]:
    """The ports in the Via fields, the last hop first, without the sender's own."""
    sent_by = [via.split(";")[0].rpartition(":")[2] for via in request.headers.values("Via")]
    return [int(port) for port in sent_by][:-1]
