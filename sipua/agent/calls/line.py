"""The SIP side of one call: carries what its machine wants, brings it what comes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from card.aka.result import SynchronisationFailure
from card.errors import CardError
from sipua.agent.identity_module import verdict_of
from sipua.errors import LocalError, NetworkError, ParseError
from sipua.ims.events import AuthenticationRequired
from sipua.net.address import is_numeric
from sipua.result import SipExchange
from sipua.sip.headers import NameAddr, default_port
from sipua.sip.hop import Hop
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.agent.equipment import Equipment
    from sipua.auth.scheme import Outcome
    from sipua.ims.call import Call
    from sipua.ims.events import Event
    from sipua.sip.endpoint import ClientTransaction, ServerTransaction
    from sipua.sip.message import Request, Response


class CallLine:
    """``machine`` on the wire. ``hop`` is where requests go that are in no dialog yet.

    ``tell`` is given every event of the machine's but AuthenticationRequired;
    ``exchange`` collects our requests with their final answers. ``asked`` is what
    the card was asked last, ``is_out_of_step`` whether it has answered with AUTS.
    """

    hears_all = True

    def __init__(
        self,
        machine: Call,
        hop: Hop,
        equipment: Equipment,
        tell: Callable[[Event, float], None],
        exchange: list[SipExchange],
    ) -> None:
        self.machine = machine
        self.hop = hop
        self.asked: AuthenticationRequired | None = None
        self.is_out_of_step = False
        self._tell = tell
        self._exchange = exchange
        self._switchboard = equipment.switchboard()
        self._driver = self._switchboard.driver
        self._card = equipment.card_worker()
        self._narrator = equipment.observer.narrator()
        self._rounds = 0
        self._clients: dict[ClientTransaction, tuple[Request, float]] = {}
        self._servers: dict[Request, ServerTransaction] = {}

    @property
    def is_protected(self) -> bool:
        """Whether IPsec protects what is said by it."""
        protection = self._switchboard.protection
        return protection is not None and protection.told is not None

    # What comes ----------------------------------------------------------------------------

    def take(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request that the call owns."""
        self._servers[request] = transaction
        self.machine.request_received(request, now)
        self.carry_on(now)

    def opened_by(self, transaction: ServerTransaction, invite: Request) -> None:
        """The INVITE that the machine was made for."""
        self._servers[invite] = transaction

    def acknowledged(self, ack: Request, now: float) -> None:
        """An ACK for a 2xx of ours."""
        self.machine.request_received(ack, now)
        self.carry_on(now)

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Any response to a request of ours; a 2xx to INVITE may come more than once."""
        if response.status >= 200:
            self._note(transaction, response.status, response.reason, now)
        if self._narrator is not None:
            self._narrator.response_received(response, transaction.hop)
        self.machine.response_received(response, now)
        self.carry_on(now)

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        """A request of ours has no final response."""
        request, _ = self._clients[transaction]
        self._note(transaction, 0, str(error), now)
        if self._narrator is not None:
            self._narrator.no_answer(str(error), transaction.hop)
        self.machine.request_failed(request, error, now)
        self.carry_on(now)

    def tick(self, now: float) -> None:
        """Let time pass."""
        self.machine.tick(now)
        self.carry_on(now)

    def close(self) -> None:
        """Nobody waits for answers any more."""
        for transaction in self._clients:
            self._switchboard.forget(transaction)

    # What goes -----------------------------------------------------------------------------

    def carry_on(self, now: float) -> None:
        """Do what the machine wants, and what it wants next."""
        machine = self.machine
        busy = True
        while busy:
            busy = False
            for ack in machine.take_acks():
                self._acknowledge(ack)
            for request in machine.take_requests():
                busy = True
                self._send(request, now)
            for invite in machine.take_cancels():
                self._cancel(invite, now)
            for request, response in machine.take_responses():
                self._respond(request, response, now)
            for event in machine.take_events():
                busy = True
                if isinstance(event, AuthenticationRequired):
                    self._ask_card(event)
                else:
                    self._tell(event, now)

    def _send(self, request: Request, now: float) -> None:
        hop = self._next_hop(request)
        if self._narrator is not None:
            self._narrator.request_sent(request, hop)
        try:
            sent_by = self._driver.network.local_address(hop)
        except NetworkError as error:
            self._exchange.append(SipExchange(request.method, 0, str(error), 0.0, hop.transport))
            self.machine.request_failed(request, error, now)
            return
        transaction = self._switchboard.send(self, request, hop, sent_by, now)
        self._clients[transaction] = request, now

    def _acknowledge(self, ack: Request) -> None:
        hop, protection = self._next_hop(ack), self._switchboard.protection
        if protection is not None:
            hop = protection.way(hop)
        with suppress(NetworkError):  # the 2xx comes again, and so does the ACK
            sent_by = self._driver.network.local_address(hop)
            self._driver.endpoint.send_ack(ack, hop, sent_by)

    def _cancel(self, invite: Request, now: float) -> None:
        for transaction, (request, _) in list(self._clients.items()):
            if request is invite:
                self._driver.endpoint.send_cancel(transaction, now)

    def _respond(self, request: Request, response: Response, now: float) -> None:
        transaction = self._servers[request]
        if response.status >= 200 and request.method != "INVITE":
            del self._servers[request]
        with suppress(LocalError):  # answered before, or what it copies cannot be sent
            self._driver.endpoint.respond(transaction, response, now)

    def _next_hop(self, request: Request) -> Hop:
        """The first Route, else the Request-URI (RFC 3261 §8.1.2).

        A name leads to our P-CSCF as everything outside of a dialog does: looking
        it up would stall all other calls.
        """
        if not request.to.tag:
            return self.hop
        try:
            route = request.headers.get("Route")
            uri = NameAddr.parse(route).sip_uri() if route else SipUri.parse(request.uri)
        except ParseError:
            return self.hop
        secure = "TLS" if uri.scheme == "sips" else "UDP"
        transport = (uri.parameter("transport") or secure).upper()
        port = uri.port or default_port(transport)
        if not is_numeric(uri.host) or (uri.host, port) == (self.hop.address, self.hop.port):
            return self.hop
        return Hop(transport if transport in ("UDP", "TCP", "TLS") else "UDP", uri.host, port)

    def _note(self, transaction: ClientTransaction, status: int, reason: str, now: float) -> None:
        """Keep INVITEs in mind: a 2xx may come again, or from another branch."""
        request, sent = self._clients[transaction]
        if request.method != "INVITE":
            del self._clients[transaction]
        transport = transaction.hop.transport
        ms = round((now - sent) * 1000, 1)
        self._exchange.append(SipExchange(request.method, status, reason, ms, transport))

    # The card ------------------------------------------------------------------------------

    def _ask_card(self, asked: AuthenticationRequired) -> None:
        self.asked = asked
        self._rounds += 1
        if self._narrator is not None:
            self._narrator.card_asked(self._card.application, self._rounds)
        self._card.ask(asked, self._card_done)

    def _card_done(self, outcome: Outcome | CardError) -> None:
        now = self._driver.clock()
        if isinstance(outcome, CardError):
            if self._narrator is not None:
                self._narrator.card_failed(str(outcome))
            self.machine.card_failed(now, str(outcome), verdict_of(outcome))
        else:
            if self._narrator is not None:
                self._narrator.card_answered(outcome)
            self.is_out_of_step |= isinstance(outcome, SynchronisationFailure)
            self.machine.card_answered(outcome, now)
        self.carry_on(now)
