"""Takes each thing that an endpoint reports to whoever it concerns.

Several conversations share one endpoint and its sockets: the answer to a
request goes to the one that sent it. Requests of the network are answered here.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sipua.errors import LocalError, PeerError
from sipua.sip.endpoint import (
    AckReceived,
    ClientTransaction,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.inspection import Abilities, Refused, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sipua.agent.protection import Protection
    from sipua.net.driver import Driver
    from sipua.sip.endpoint import Endpoint, Event
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

SERVER_TIMEOUT = 504

ABILITIES = Abilities(
    methods=frozenset({"MESSAGE", "OPTIONS"}),
    content_types=frozenset({"text/plain"}),  # RFC 3428 §8
)


class Sender(Protocol):
    """Who sends requests and is told what becomes of them."""

    hears_all: bool
    """Whether it wants provisional responses and repeated ones too, until ``forget``."""

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response: a final one, unless it wants all."""

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        """None will come: TimeoutError for silence, else a NetworkError."""


class Taker:
    """Who takes some of the requests that come. ``abilities`` are added to those of all."""

    abilities: Abilities

    def take(self, event: RequestReceived, now: float) -> bool:
        """Answer the request, now or later; False when it is none of his."""
        return False

    def acknowledged(self, ack: Request, now: float) -> None:
        """The ACK for a 2xx."""

    def message(self, request: Request) -> None:
        """A text was taken (RFC 3428)."""


class Switchboard:
    """One endpoint and its sockets, shared by senders and takers."""

    def __init__(self, driver: Driver, on_request: Callable[[Request], None] | None = None) -> None:
        """``on_request`` is given each MESSAGE that was taken, once; ``on_server_timeout`` each 504
        to a request that is no REGISTER, and the time, before its sender is."""
        self.driver = driver
        self.protection: Protection | None = None
        self.on_server_timeout: Callable[[Response, float], None] | None = None
        self._takers: list[Taker] = []
        self._abilities = ABILITIES
        self._on_request = on_request
        self._senders: dict[ClientTransaction, Sender] = {}

    def add(self, taker: Taker) -> None:
        """From now on offer requests to ``taker``, before those who came before."""
        self._takers.insert(0, taker)
        self._abilities = joined(each.abilities for each in self._takers)

    def remove(self, taker: Taker) -> None:
        """Offer nothing more; he need not be known."""
        self._takers = [each for each in self._takers if each is not taker]
        self._abilities = joined(each.abilities for each in self._takers)

    def send(
        self, sender: Sender, request: Request, hop: Hop, sent_by: tuple[str, int], now: float
    ) -> ClientTransaction:
        """Send a request in a transaction of its own; protected as was agreed on."""
        if self.protection is not None:
            hop, sent_by = self.protection.dress(request, hop, sent_by)
        transaction = self.driver.endpoint.send_request(request, hop, sent_by, now)
        self._senders[transaction] = sender
        return transaction

    def forget(self, transaction: ClientTransaction) -> None:
        """Its sender no longer waits."""
        self._senders.pop(transaction, None)

    def turn(self, deadline: float | None = None) -> float:
        """One turn of the loop, no longer than until ``deadline``; returns the time it ended."""
        driver, protection = self.driver, self.protection
        if protection is not None:
            deadline = protection.earlier(deadline)
        driver.turn(None if deadline is None else max(0.0, deadline - time.monotonic()))
        now = time.monotonic()
        if protection is not None:
            protection.tick(now)
        for event in driver.endpoint.take_events():
            self._deliver(event, now)
        return now

    def _deliver(self, event: Event, now: float) -> None:
        if isinstance(event, ResponseReceived):
            sender = self._senders.get(event.transaction)
            if sender is None:
                return
            if not sender.hears_all:
                if event.response.status < 200:
                    return
                del self._senders[event.transaction]
            self._note_timeout(event.transaction, event.response, now)
            sender.answered(event.transaction, event.response, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            error = event.error if isinstance(event, TransportFailed) else TimeoutError()
            if isinstance(event.transaction, ClientTransaction):
                sender = self._senders.pop(event.transaction, None)
                if sender is not None:
                    sender.unanswered(event.transaction, error, now)
        elif isinstance(event, RequestReceived):
            self._answer(event, now)
        elif isinstance(event, AckReceived):
            for taker in self._takers:
                taker.acknowledged(event.request, now)

    def _note_timeout(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        tell, failed = self.on_server_timeout, response.status == SERVER_TIMEOUT
        if tell is not None and failed and transaction.method != "REGISTER":
            tell(response, now)

    def _answer(self, event: RequestReceived, now: float) -> None:
        """Have a taker answer it, else do it here; a MESSAGE is told of (RFC 3428 §7)."""
        endpoint, request = self.driver.endpoint, event.request
        response = answer(
            request,
            self._abilities,
            endpoint,
            lambda: any(taker.take(event, now) for taker in self._takers),
        )
        if response is None:
            return
        with suppress(LocalError):  # what is copied from the request cannot be sent
            endpoint.respond(event.transaction, response, now)
        if response.status == 200 and request.method == "MESSAGE":
            if self._on_request is not None:
                self._on_request(request)
            for taker in self._takers:
                taker.message(request)


def answer(
    request: Request, abilities: Abilities, endpoint: Endpoint, take: Callable[[], bool]
) -> Response | None:
    """What a request of the network is answered, None when ``take`` takes it: what RFC 3261 §8.2
    has every one undergo comes before that."""
    try:
        inspect(request, abilities)
        if take():
            return None
        if request.to.tag or request.method not in ABILITIES.methods:
            raise PeerError("it belongs to no dialog here", 481)
        response = endpoint.create_response(request, 200)
        if request.method == "OPTIONS":
            response.headers.add("Allow", ", ".join(sorted(abilities.methods)))
            response.headers.add("Accept", ", ".join(sorted(abilities.content_types)))
            if abilities.extensions:
                response.headers.add("Supported", ", ".join(sorted(abilities.extensions)))
    except PeerError as error:
        response = endpoint.create_response(request, error.status)
        for name, value in error.headers if isinstance(error, Refused) else ():
            response.headers.add(name, value)
    return response


def joined(abilities: Iterable[Abilities]) -> Abilities:
    """What all of them can do, and we without them."""
    all_of_them = [ABILITIES, *abilities]
    return Abilities(
        methods=frozenset().union(*[each.methods for each in all_of_them]),
        extensions=frozenset().union(*[each.extensions for each in all_of_them]),
        content_types=frozenset().union(*[each.content_types for each in all_of_them]),
    )
