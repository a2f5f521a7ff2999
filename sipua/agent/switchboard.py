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
    ClientTransaction,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.inspection import Abilities, Refused, inspect

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.net.driver import Driver
    from sipua.sip.endpoint import Event
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

ABILITIES = Abilities(
    methods=frozenset({"MESSAGE", "OPTIONS"}),
    content_types=frozenset({"text/plain"}),  # RFC 3428 §8
)


class Sender(Protocol):
    """Who sends requests and is told what becomes of them."""

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A final response."""

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        """None will come: TimeoutError for silence, else a NetworkError."""


class Switchboard:
    """One endpoint and its sockets, shared by senders."""

    def __init__(self, driver: Driver, on_request: Callable[[Request], None] | None = None) -> None:
        """``on_request`` is given each MESSAGE that was taken, once."""
        self.driver = driver
        self._on_request = on_request
        self._senders: dict[ClientTransaction, Sender] = {}

    def send(
        self, sender: Sender, request: Request, hop: Hop, sent_by: tuple[str, int], now: float
    ) -> ClientTransaction:
        """Send a request in a transaction of its own."""
        transaction = self.driver.endpoint.send_request(request, hop, sent_by, now)
        self._senders[transaction] = sender
        return transaction

    def forget(self, transaction: ClientTransaction) -> None:
        """Its sender no longer waits."""
        self._senders.pop(transaction, None)

    def turn(self, deadline: float | None = None) -> float:
        """One turn of the loop, no longer than until ``deadline``; returns the time it ended."""
        driver = self.driver
        driver.turn(None if deadline is None else max(0.0, deadline - time.monotonic()))
        now = time.monotonic()
        for event in driver.endpoint.take_events():
            self._deliver(event, now)
        return now

    def _deliver(self, event: Event, now: float) -> None:
        if isinstance(event, ResponseReceived):
            if event.response.status >= 200:
                sender = self._senders.pop(event.transaction, None)
                if sender is not None:
                    sender.answered(event.transaction, event.response, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            error = event.error if isinstance(event, TransportFailed) else TimeoutError()
            if isinstance(event.transaction, ClientTransaction):
                sender = self._senders.pop(event.transaction, None)
                if sender is not None:
                    sender.unanswered(event.transaction, error, now)
        elif isinstance(event, RequestReceived):
            self._answer(event, now)

    def _answer(self, event: RequestReceived, now: float) -> None:
        """Do what RFC 3261 §8.2 has every request undergo; take a MESSAGE (RFC 3428 §7)."""
        endpoint, request = self.driver.endpoint, event.request
        try:
            inspect(request, ABILITIES)
            response = endpoint.create_response(request, 200)
            if request.method == "OPTIONS":
                response.headers.add("Allow", ", ".join(sorted(ABILITIES.methods)))
                response.headers.add("Accept", ", ".join(sorted(ABILITIES.content_types)))
        except PeerError as error:
            response = endpoint.create_response(request, error.status)
            for name, value in error.headers if isinstance(error, Refused) else ():
                response.headers.add(name, value)
        with suppress(LocalError):  # what is copied from the request cannot be sent
            endpoint.respond(event.transaction, response, now)
        if response.status == 200 and request.method == "MESSAGE" and self._on_request:
            self._on_request(request)
