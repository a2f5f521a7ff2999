"""User agents that call each other through the proxy: our call machines, without sockets."""

from __future__ import annotations

import random
from typing import TypeVar

from core_scene import subscriber
from core_ue import ADDRESS, PORT, Network, Ue

from card.profile import Profile
from sipua.core.gate import Demand
from sipua.ims.call import Call
from sipua.ims.call_settings import CallSettings
from sipua.ims.called import Called
from sipua.ims.caller import Caller
from sipua.ims.events import AuthenticationRequired, Event
from sipua.sip.endpoint import (
    AckReceived,
    ClientTransaction,
    Endpoint,
    RequestReceived,
    ResponseReceived,
    ServerTransaction,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse
from sipua.sip.offer_answer import LocalMedia

EventT = TypeVar("EventT", bound=Event)


class Phone:
    """A registered user agent. ``wire`` is every message that has come to it."""

    def __init__(
        self, network: Network, profile: Profile, address: str, transport: str = "UDP"
    ) -> None:
        self.network = network
        self.ue = Ue(network, profile, address, transport).register()
        network.ues[self.ue.hop] = self
        self.endpoint = Endpoint(random.Random(address), udp_limit=65535)
        self.rng = random.Random(address)
        self.settings = CallSettings(
            impi=self.ue.identity.impi,
            impu=self.ue.identity.impu[0],
            contact=self.ue.contact,
            media=LocalMedia(address, 4000),
            routes=(f"<sip:orig@{ADDRESS}:{PORT};lr>",),
        )
        self.proxy = Hop(transport, ADDRESS, PORT)
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.wire: list[Request | Response] = []
        self._waiting: list[bytes] = []
        self._clients: dict[ClientTransaction, tuple[Call, Request]] = {}
        self._servers: dict[Request, ServerTransaction] = {}

    @property
    def call(self) -> Call:
        return self.calls[-1]

    @property
    def caller(self) -> Caller:
        assert isinstance(self.call, Caller)
        return self.call

    @property
    def called(self) -> Called:
        assert isinstance(self.call, Called)
        return self.call

    def of(self, kind: type[EventT]) -> list[EventT]:
        """The events of this kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def dial(self, target: str) -> None:
        """Begin a call."""
        call = Caller(self.settings, target, self.rng)
        self.calls.append(call)
        call.start(self.network.now)

    def deliver(self, data: bytes) -> None:
        """A message from the proxy, looked at in the next turn."""
        self.wire.append(parse(data))
        self._waiting.append(data)

    def deadline(self) -> float | None:
        """When something is to be done."""
        times = [self.endpoint.deadline(), *[call.deadline() for call in self.calls]]
        return min((at for at in times if at is not None), default=None)

    def turn(self) -> bool:
        """Do all there is to do; whether there was something."""
        now = self.network.now
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.endpoint.receive(data, self.proxy, now)
        self.endpoint.tick(now)
        for event in self.endpoint.take_events():
            self._take(event, now)
        for call in self.calls:
            call.tick(now)
            self._serve(call, now)
        outgoing = self.endpoint.take_outgoing()
        for data, _ in outgoing:
            self.network.receive(data, self.ue.hop._replace(local=(ADDRESS, PORT)))
        return bool(waiting or outgoing)

    def _take(self, event: object, now: float) -> None:
        if isinstance(event, RequestReceived):
            self._servers[event.request] = event.transaction
            owner = next((call for call in self.calls if call.owns(event.request)), None)
            if owner is not None:
                owner.request_received(event.request, now)
            elif event.request.method == "INVITE":
                called = Called(self.settings, event.request, self.rng)
                self.calls.append(called)
                called.start(now)
            else:
                response = self.endpoint.create_response(event.request, 481)
                self.endpoint.respond(event.transaction, response, now)
        elif isinstance(event, AckReceived):
            for call in self.calls:
                if call.owns(event.request):
                    call.request_received(event.request, now)
        elif isinstance(event, ResponseReceived) and event.transaction in self._clients:
            self._clients[event.transaction][0].response_received(event.response, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            transaction = event.transaction
            if isinstance(transaction, ClientTransaction) and transaction in self._clients:
                owner, request = self._clients[transaction]
                owner.request_failed(request, TimeoutError(), now)

    def _serve(self, call: Call, now: float) -> None:
        place = self.ue.hop.address, self.ue.hop.port
        again = True
        while again:
            again = False
            for ack in call.take_acks():
                self.endpoint.send_ack(ack, self.proxy, place)
            for request in call.take_requests():
                again = True
                transaction = self.endpoint.send_request(request, self.proxy, place, now)
                self._clients[transaction] = call, request
            for invite in call.take_cancels():
                for transaction, (_, sent) in list(self._clients.items()):
                    if sent is invite:
                        self.endpoint.send_cancel(transaction, now)
            for request, response in call.take_responses():
                self.endpoint.respond(self._servers[request], response, now)
            for event in call.take_events():
                self.events.append(event)
                if isinstance(event, AuthenticationRequired):
                    call.card_answered(self.ue.card(event), now)
                    again = True


class World:
    """Two subscribers' phones and the proxy between them; ``phones`` are all of bob's."""

    def __init__(
        self, *demands: tuple[str, Demand], transport: str = "UDP", phones: int = 1
    ) -> None:
        profiles = [subscriber(1), subscriber(2)]
        self.network = Network(profiles, None, **dict(demands))
        self.alice = Phone(self.network, profiles[0], "192.0.2.11", transport)
        self.phones = [
            Phone(self.network, profiles[1], f"192.0.2.{20 + number}", transport)
            for number in range(phones)
        ]
        self.bob = self.phones[0]

    def run(self, seconds: float = 0.0) -> World:
        """Let messages and time pass."""
        everybody = [self.alice, *self.phones]
        end = self.network.now + seconds
        while True:
            while sum(phone.turn() for phone in everybody):
                pass
            times = [self.network.endpoint.deadline(), *[each.deadline() for each in everybody]]
            due = min((at for at in times if at is not None), default=end + 1)
            if due > end:
                break
            self.network.now = max(self.network.now, due)
            self.network.endpoint.tick(self.network.now)
            self.network.settle()
        self.network.now = end
        return self

    def established(self) -> World:
        """A call of alice's that bob has answered."""
        self.alice.dial(self.bob.settings.impu)
        self.run(0.5)
        self.bob.called.ring(self.network.now)
        self.run(1)
        self.bob.called.answer(self.network.now)
        self.run(1)
        assert self.alice.call.state == self.bob.call.state == "active"
        return self
