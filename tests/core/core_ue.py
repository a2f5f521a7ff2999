"""A proxy and its subscribers without sockets: each step is a call, time stands still."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any, Protocol

from card.aka.milenage import Milenage
from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from card.aka.sequence import SequenceArray
from card.aka.vector import make_auts, open_autn
from card.profile import Profile
from sipua.auth.scheme import Outcome
from sipua.core.auc import Auc
from sipua.core.challenger import Challenger
from sipua.core.faults import Faults
from sipua.core.gate import Demand, Gate
from sipua.core.measures import Measures
from sipua.core.proxy import Proxy
from sipua.core.registrar import Registrar
from sipua.core.routing import Routing
from sipua.core.subscriber import Directory
from sipua.errors import ParseError, Unreachable
from sipua.ims.events import AuthenticationRequired, Event
from sipua.ims.machine import Machine
from sipua.ims.register_request import RegistrationSettings
from sipua.ims.registration import Registration
from sipua.ims.request import OutgoingRequest, RequestSettings
from sipua.sip.endpoint import Endpoint
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse
from sipua.sip.response import create_response
from sipua.sip.timers import TimerValues

ADDRESS, PORT = "192.0.2.1", 5060


class Receiver(Protocol):
    """Who gets what the proxy sends to a hop."""

    def deliver(self, data: bytes, /) -> None:
        """Take one message."""


class Network:
    """Proxy, registrar and AuC at 192.0.2.1:5060, UDP and TCP."""

    def __init__(
        self, profiles: list[Profile], timers: TimerValues | None = None, **demands: Demand
    ) -> None:
        self.now = 1000.0
        self.ues: dict[Hop, Receiver] = {}
        self.lost: list[tuple[bytes, Hop]] = []
        self.directory = directory = Directory(profiles)
        self.faults = Faults()
        auc = Auc(directory, random.Random(5))

        def make(header: str, scheme: str) -> Challenger:
            return Challenger(auc, random.Random(6), header=header, scheme=scheme or "aka")

        self.registrar = Registrar(directory, make("WWW-Authenticate", ""), self.faults)
        gate = Gate(directory, self.registrar, self.faults, demands, make)
        own = [Hop(transport, ADDRESS, PORT) for transport in ("UDP", "TCP")]
        self.endpoint = Endpoint(random.Random(7), timers)
        routing = Routing(directory, self.registrar, own)
        self.proxy = Proxy(self.endpoint, self.registrar, gate, routing, lambda _: (ADDRESS, PORT))
        report = self.proxy.report
        measures = Measures(self.endpoint, self.registrar, self.faults, report)
        self.proxy.watchers.append(measures.registrations_changed)

    def receive(self, data: bytes, source: Hop) -> None:
        """A message from this hop, and all that follows from it."""
        self.endpoint.receive(data, source, self.now)
        self.settle()

    def settle(self) -> None:
        """Let the proxy do what it has to, and bring its messages to the subscribers."""
        for event in self.endpoint.take_events():
            self.proxy.handle(event, self.now)
        while outgoing := self.endpoint.take_outgoing():
            for data, hop in outgoing:
                ue = self.ues.get(hop._replace(local=None))
                if ue is not None:
                    ue.deliver(data)
                elif Hop("UDP", hop.address, hop.port) in self.ues:
                    # a large request, and nobody listens by TCP there
                    self.endpoint.transport_failed(hop, Unreachable("refused"), self.now)
                else:
                    self.lost.append((data, hop))

    def deregister(self, event: str, retry_after: int = 0) -> None:
        """The network ends the registration of its first subscriber."""
        self.registrar.deregister(next(iter(self.directory)), event, self.now, retry_after)
        self.report()

    def shorten(self, seconds: float) -> None:
        """The network shortens the registration of its first subscriber."""
        self.registrar.shorten(next(iter(self.directory)), seconds, self.now)
        self.report()

    def report(self) -> None:
        """Let what the network did come to whom it concerns."""
        self.proxy.report(self.now)
        self.settle()

    def pass_time(self, seconds: float) -> None:
        """Run the timers up to then."""
        end = self.now + seconds
        while (due := self.endpoint.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.endpoint.tick(self.now)
            self.settle()
        self.now = end


class Ue:
    """One subscriber's user agent at an address of its own; ``inbox`` is what has come."""

    def __init__(
        self, network: Network, profile: Profile, address: str, transport: str = "UDP"
    ) -> None:
        assert profile.isim is not None
        self.network = network
        self.identity = profile.isim
        self.hop = Hop(transport, address, 5070)
        self.inbox: list[Request | Response] = []
        self.octets: list[bytes] = []
        self.sent: list[Request] = []
        self.contact = f"sip:me@{address}:5070"
        if transport != "UDP":
            self.contact += f";transport={transport.lower()}"
        self._functions = Milenage(profile.authentication.k, profile.authentication.opc)
        self._sequence = SequenceArray()
        self._branch = 0
        self.rng = random.Random(address)
        network.ues[self.hop] = self

    def card(self, asked: AuthenticationRequired) -> Outcome:
        try:
            sqn = open_autn(self._functions, asked.rand, asked.autn)
        except MacFailure as failure:
            return failure
        if not self._sequence.accept(sqn):
            auts = make_auts(self._functions, asked.rand, self._sequence.sqn_ms)
            return SynchronisationFailure(auts)
        return AkaResponse(*self._functions.f2345(asked.rand)[:3])

    def first_branch(self, number: int) -> None:
        """Tell the branches from those of another one at the same address."""
        self._branch = number

    def register(
        self, contact_params: str = "", supported: str = "path", expires: int = 600_000
    ) -> Ue:
        """Register once, or with ``expires`` 0 remove what was registered."""
        identity = self.identity
        settings = RegistrationSettings(
            identity.impi,
            identity.impu[0],
            identity.domain,
            self.contact,
            contact_params=contact_params,
            supported=supported,
            expires=expires,
        )
        registration = Registration(settings, self.rng)
        begin = registration.start if expires else registration.deregister
        begin(self.network.now)
        self.drive(registration)
        assert (registration.binding is not None) == bool(expires)
        return self

    def settings(self, uri: str, method: str = "MESSAGE", **more: Any) -> RequestSettings:
        identity = self.identity
        settings = RequestSettings(
            method,
            uri,
            identity.impi,
            identity.impu[0],
            identity.domain,
            route=(f"<sip:orig@{ADDRESS}:{PORT};lr>",),
        )
        return settings._replace(**more)

    def request(self, uri: str, method: str = "MESSAGE", **more: Any) -> OutgoingRequest:
        """Send a request and answer its challenges; what follows is in ``inbox``."""
        machine = OutgoingRequest(self.settings(uri, method, **more), self.rng)
        machine.start(self.network.now)
        self.drive(machine)
        return machine

    def drive(self, machine: Machine) -> list[Event]:
        """Carry the machine's requests and the card's answers to and fro."""
        events: list[Event] = []
        while True:
            requests, news = machine.take_requests(), machine.take_events()
            if not requests and not news:
                return events
            events += news
            for event in news:
                if isinstance(event, AuthenticationRequired):
                    machine.card_answered(self.card(event), self.network.now)
            for request in requests:
                for response in self.send(request):
                    machine.response_received(response, self.network.now)

    def send(self, request: Request) -> list[Response]:
        """Send one request in a new transaction; the responses that came at once."""
        self._branch += 1
        self.sent.append(request)
        return self.cancel(request)

    def cancel(self, request: Request) -> list[Response]:
        """Send a request by the branch of the last one, as CANCEL is."""
        place = f"{self.hop.address}:5070"
        via = f"SIP/2.0/{self.hop.transport} {place};branch=z9hG4bK-{place}-{self._branch};rport"
        return self.emit(request.to_bytes(via))

    def deliver(self, data: bytes) -> None:
        """A message from the proxy; what is too large for us is kept as octets only."""
        self.octets.append(data)
        with suppress(ParseError):
            self.inbox.append(parse(data))

    def emit(self, data: bytes) -> list[Response]:
        """Send octets; the responses that came at once."""
        known = len(self.inbox)
        self.network.receive(data, self.hop._replace(local=(ADDRESS, PORT)))
        return [each for each in self.inbox[known:] if isinstance(each, Response)]

    @property
    def asked(self) -> Request:
        """The last request that has come."""
        return [each for each in self.inbox if isinstance(each, Request)][-1]

    @property
    def invited(self) -> Request:
        """The last INVITE that has come."""
        return self.got("INVITE")[-1]

    def got(self, method: str) -> list[Request]:
        """The requests of this method that have come."""
        return [each for each in self.inbox if isinstance(each, Request) and each.method == method]

    def reply(self, status: int, *headers: tuple[str, str], body: bytes = b"") -> None:
        """Answer the last INVITE."""
        self.answer(status, *headers, body=body, to=self.invited)

    @property
    def told(self) -> Response:
        """The last response that has come."""
        return [each for each in self.inbox if isinstance(each, Response)][-1]

    def answer(
        self, status: int, *headers: tuple[str, str], body: bytes = b"", to: Request | None = None
    ) -> None:
        """Answer the last request, or ``to`` an earlier one."""
        response = create_response(to or self.asked, status, to_tag=f"t{self.hop.address}")
        for name, value in headers:
            response.headers.add(name, value)
        response.body = body
        self.emit(response.to_bytes())
