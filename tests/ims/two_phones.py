"""Two user agents on a network of the test's: their calls over endpoints, without sockets."""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

from sipua.auth.scheme import Outcome
from sipua.ims.call import Call
from sipua.ims.call_events import CallEnded, MediaChanged
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
from sipua.sip.offer_answer import LocalMedia, Stream

MAX_TURNS = 5000

EventT = TypeVar("EventT", bound=Event)
Challenger = Callable[[Request], Response | None]


class Phone:
    """One endpoint and the calls over it; ``peer`` is where all requests go."""

    def __init__(self, world: World, name: str, host: str, **settings: Any) -> None:
        self.world = world
        self.name = name
        self.hop = Hop(world.transport, host, 5060)
        self.endpoint = Endpoint(random.Random(ord(name[0])), udp_limit=65535)
        self.rng = random.Random(len(name) * 1000 + ord(name[0]))
        self.settings = CallSettings(
            impi=f"{name}@example.com",
            impu=f"sip:{name}@example.com",
            contact=f"sip:{name}@{host}",
            media=LocalMedia(host, 4000),
        )._replace(**settings)
        self.peer = self.hop
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.card: Callable[[AuthenticationRequired], Outcome] | None = None
        self.challenger: Challenger | None = None
        self._clients: dict[ClientTransaction, tuple[Call, Request]] = {}
        self._servers: dict[Request, ServerTransaction] = {}

    @property
    def call(self) -> Call:
        return self.calls[-1]

    @property
    def called(self) -> Called:
        assert isinstance(self.call, Called)
        return self.call

    def dial(self, peer: Phone | Hop, target: str = "sip:bob@example.com") -> Caller:
        self.peer = peer.hop if isinstance(peer, Phone) else peer
        call = Caller(self.settings, target, self.rng)
        self.calls.append(call)
        call.start(self.world.now)
        self.flush()
        return call

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ended(self) -> CallEnded:
        (ended,) = self.of(CallEnded)
        return ended

    @property
    def stream(self) -> Stream | None:
        return self.of(MediaChanged)[-1].stream

    def tick(self) -> None:
        self.endpoint.tick(self.world.now)
        self.collect()
        for call in self.calls:
            call.tick(self.world.now)
        self.flush()

    def deadline(self) -> float | None:
        times = [self.endpoint.deadline(), *[call.deadline() for call in self.calls]]
        return min((at for at in times if at is not None), default=None)

    def receive(self, data: bytes, source: Hop) -> None:
        self.endpoint.receive(data, source, self.world.now)
        self.collect()
        self.flush()

    def collect(self) -> None:
        now = self.world.now
        for event in self.endpoint.take_events():
            if isinstance(event, RequestReceived):
                self._servers[event.request] = event.transaction
                self._request(event.request)
            elif isinstance(event, AckReceived):
                for call in self.calls:
                    if call.owns(event.request):
                        call.request_received(event.request, now)
            elif isinstance(event, ResponseReceived):
                known = self._clients.get(event.transaction)
                if known:
                    known[0].response_received(event.response, now)
            elif isinstance(event, TransactionTimeout | TransportFailed) and isinstance(
                event.transaction, ClientTransaction
            ):
                error = getattr(event, "error", None) or TimeoutError()
                known = self._clients.get(event.transaction)
                if known:
                    known[0].request_failed(known[1], error, now)

    def _request(self, request: Request) -> None:
        refusal = self.challenger(request) if self.challenger else None
        if refusal is not None:
            self.endpoint.respond(self._servers[request], refusal, self.world.now)
            return
        for call in self.calls:
            if call.owns(request):
                call.request_received(request, self.world.now)
                return
        if request.method == "INVITE" and not request.to.tag:
            call = Called(self.settings, request, self.rng)
            self.calls.append(call)
            call.start(self.world.now)
            return
        response = self.endpoint.create_response(request, 481)
        self.endpoint.respond(self._servers[request], response, self.world.now)

    def flush(self) -> None:
        """Do what the calls want, until they want nothing more."""
        now = self.world.now
        again = True
        while again:
            again = False
            for call in self.calls:
                for ack in call.take_acks():
                    self.endpoint.send_ack(ack, self.peer, (self.hop.address, self.hop.port))
                for request in call.take_requests():
                    again = True
                    sent_by = (self.hop.address, self.hop.port)
                    transaction = self.endpoint.send_request(request, self.peer, sent_by, now)
                    self._clients[transaction] = call, request
                for invite in call.take_cancels():
                    for transaction, (_, sent) in list(self._clients.items()):
                        if sent is invite:
                            self.endpoint.send_cancel(transaction, now)
                for request, response in call.take_responses():
                    self.endpoint.respond(self._servers[request], response, now)
                for event in call.take_events():
                    self.events.append(event)
                    if isinstance(event, AuthenticationRequired) and self.card:
                        call.card_answered(self.card(event), now)
                        again = True
        for data, hop in self.endpoint.take_outgoing():
            self.world.send(data, self.hop, hop)


class World:
    """The clock and the wire. ``lost`` decides what does not arrive."""

    def __init__(self, transport: str = "UDP", delay: float = 0.01, **settings: Any) -> None:
        self.transport = transport
        self.now = 1000.0
        self.delay: Callable[[], float] = lambda: delay
        self.lost: Callable[[Request | Response, str], bool] = lambda _message, _to: False
        self.log: list[tuple[float, str, Request | Response]] = []
        self._wire: list[tuple[float, int, bytes, Hop, Hop]] = []
        self._count = 0
        self.alice = Phone(self, "alice", "192.0.2.1", **settings)
        self.bob = Phone(self, "bob", "192.0.2.2", **settings)
        self.alice.peer, self.bob.peer = self.bob.hop, self.alice.hop
        self.by_hand: list[Request | Response] = []

    def send(self, data: bytes, source: Hop, target: Hop) -> None:
        message = parse(data)
        to = {"192.0.2.1": "alice", "192.0.2.2": "bob"}.get(target.address, "hand")
        self.log.append((round(self.now - 1000, 3), to, message))
        if not self.lost(message, to):
            self._count += 1
            at = self.now + self.delay()
            heappush(self._wire, (at, self._count, data, source, target))

    def run(self, seconds: float) -> World:
        """Let time pass, delivering and ticking at each moment exactly."""
        end = self.now + seconds
        for turn in count():
            assert turn < MAX_TURNS, "time stands still"
            times = [at for phone in (self.alice, self.bob) if (at := phone.deadline()) is not None]
            if self._wire:
                times.append(self._wire[0][0])
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            while self._wire and self._wire[0][0] <= self.now:
                _, _, data, source, target = heappop(self._wire)
                if target.address == self.alice.hop.address:
                    self.alice.receive(data, source)
                elif target.address == self.bob.hop.address:
                    self.bob.receive(data, source)
                else:
                    self.by_hand.append(parse(data))
            self.alice.tick()
            self.bob.tick()
        self.now = end
        return self

    def sent(self, to: str = "") -> list[str]:
        """Methods and statuses on the wire, in order."""
        return [
            message.method if isinstance(message, Request) else str(message.status)
            for _, target, message in self.log
            if not to or target == to
        ]

    def messages(self, what: str) -> list[Request | Response]:
        """All messages of this method or status."""
        return [
            message
            for _, _, message in self.log
            if what == (message.method if isinstance(message, Request) else str(message.status))
        ]

    def times(self, what: str) -> list[float]:
        """When these messages were sent, from the beginning."""
        wanted = self.messages(what)
        return [at for at, _, message in self.log if any(message is each for each in wanted)]

    def established(self) -> World:
        """A call of Alice's that Bob has answered."""
        self.alice.dial(self.bob)
        self.run(1)
        self.bob.called.ring(self.now)
        self.bob.flush()
        self.run(1)
        self.bob.called.answer(self.now)
        self.bob.flush()
        self.run(1)
        assert self.alice.call.state == self.bob.call.state == "active", (
            self.alice.call.state,
            self.bob.call.state,
        )
        self.log.clear()
        return self
