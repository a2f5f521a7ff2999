"""Who watches his registration: our subscription machine at the core, without sockets."""

from __future__ import annotations

import random
from typing import TypeVar

from core_scene import subscriber
from core_ue import ADDRESS, PORT, Network, Ue

from card.profile import Profile
from sipua.core.gate import Demand
from sipua.core.watch import Watch
from sipua.ims import reginfo
from sipua.ims.events import AuthenticationRequired, Event
from sipua.ims.reg_event import ContactChanged, RegEventSubscription
from sipua.ims.reginfo import Document
from sipua.ims.subscription_settings import SubscriptionSettings
from sipua.sip.endpoint import (
    ClientTransaction,
    Endpoint,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse

EventT = TypeVar("EventT", bound=Event)


class Watcher:
    """A registered user agent with a subscription. ``deaf`` loses what comes; ``answer``
    is the status of every NOTIFY, instead of what the machine says."""

    def __init__(
        self,
        network: Network,
        profile: Profile,
        address: str,
        transport: str = "UDP",
        *,
        contact_params: str = "",
        supported: str = "path",
    ) -> None:
        self.network = network
        self.ue = Ue(network, profile, address, transport).register(contact_params, supported)
        network.ues[self.ue.hop] = self
        identity = self.ue.identity
        self.settings = SubscriptionSettings(
            identity.impu[0],
            identity.impi,
            identity.impu[0],
            self.ue.contact,
            route=(f"<sip:orig@{ADDRESS}:{PORT};lr>",),
        )
        self.proxy = Hop(transport, ADDRESS, PORT)
        self.machine = RegEventSubscription(self.settings, random.Random(address))
        self.endpoint = Endpoint(random.Random(address), udp_limit=65535)
        self.events: list[Event] = []
        self.notifies: list[Request] = []
        self.responses: list[Response] = []
        self.octets: list[bytes] = []
        self.deaf = False
        self.answer = 0
        self._clients: set[ClientTransaction] = set()
        self._waiting: list[bytes] = []

    def with_settings(self, **changes: object) -> Watcher:
        self.settings = self.settings._replace(**changes)  # type: ignore[arg-type]
        self.machine = RegEventSubscription(self.settings, random.Random(7))
        return self

    def subscribe(self) -> Watcher:
        self.machine.start(self.network.now)
        return self.run()

    def stop(self) -> Watcher:
        self.machine.stop(self.network.now)
        return self.run()

    def register(self, expires: int = 600_000) -> Watcher:
        """Register again, by another registration, and hear what follows."""
        self.ue.register(expires=expires)
        return self.run()

    # What was seen

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def documents(self) -> list[Document]:
        return [reginfo.parse(each.body) for each in self.notifies]

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Event and action of each news about our own contact as the first identity."""
        return [
            (each.contact.event, each.action)
            for each in self.of(ContactChanged)
            if each.ours and each.aor == self.settings.impu
        ]

    @property
    def last(self) -> Request:
        return self.notifies[-1]

    @property
    def subscription_state(self) -> str:
        return self.last.headers.get("Subscription-State") or ""

    @property
    def watches(self) -> list[Watch]:
        return self.network.proxy.notifier.watches(self.settings.impi)

    # Messages and time

    def deliver(self, data: bytes) -> None:
        self.octets.append(data)
        of_ue = f"branch=z9hG4bK-{self.ue.hop.address}:".encode()
        if data.startswith(b"SIP/2.0 ") and of_ue in data:
            self.ue.deliver(data)
        elif not self.deaf:
            self._waiting.append(data)

    def run(self, seconds: float = 0.0) -> Watcher:
        """Let messages and time pass."""
        network = self.network
        end = network.now + seconds
        while True:
            while self._turn():
                pass
            times = (
                network.endpoint.deadline(),
                self.endpoint.deadline(),
                self.machine.deadline(),
            )
            due = min((at for at in times if at is not None), default=end + 1)
            if due > end:
                break
            network.now = max(network.now, due)
            network.endpoint.tick(network.now)
            network.settle()
        network.now = end
        return self

    def _turn(self) -> bool:
        now = self.network.now
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            message = parse(data)
            if isinstance(message, Response):
                self.responses.append(message)
            self.endpoint.receive(data, self.proxy, now)
        self.endpoint.tick(now)
        self.machine.tick(now)
        for event in self.endpoint.take_events():
            self._take(event, now)
        self._serve(now)
        outgoing = self.endpoint.take_outgoing()
        for data, _ in outgoing:
            self.network.receive(data, self.ue.hop._replace(local=(ADDRESS, PORT)))
        return bool(waiting or outgoing)

    def _take(self, event: object, now: float) -> None:
        machine = self.machine
        if isinstance(event, RequestReceived):
            self.notifies.append(event.request)
            if self.answer or not machine.owns(event.request):
                response = self.endpoint.create_response(event.request, self.answer or 481)
                self.endpoint.respond(event.transaction, response, now)
                return
            machine.request_received(event.request, now)
            for _, response in machine.take_responses():
                self.endpoint.respond(event.transaction, response, now)
        elif isinstance(event, ResponseReceived) and event.transaction in self._clients:
            machine.response_received(event.response, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            machine.request_failed(TimeoutError(), now)

    def _serve(self, now: float) -> None:
        again = True
        while again:
            again = False
            for request in self.machine.take_requests():
                place = self.ue.hop.address, self.ue.hop.port
                self._clients.add(self.endpoint.send_request(request, self.proxy, place, now))
            for event in self.machine.take_events():
                self.events.append(event)
                if isinstance(event, AuthenticationRequired):
                    self.machine.card_answered(self.ue.card(event), now)
                    again = True


def watcher(transport: str = "UDP", *demands: tuple[str, Demand], **more: str) -> Watcher:
    """One of two subscribers, registered and not subscribed yet."""
    network = Network([subscriber(1), subscriber(2)], None, **dict(demands))
    return Watcher(network, subscriber(1), "192.0.2.11", transport, **more)
