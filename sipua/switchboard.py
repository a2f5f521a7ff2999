"""Takes each thing that an endpoint reports to whoever it concerns.

Several conversations share one endpoint and its sockets: the answer to a
request goes to the one that sent it. Requests of the network are answered here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from sipua.sip.endpoint import (
    ClientTransaction,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)

if TYPE_CHECKING:
    from sipua.net.driver import Driver
    from sipua.sip.endpoint import Event
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

ALLOW = "OPTIONS"


class Sender(Protocol):
    """Who sends requests and is told what becomes of them."""

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A final response."""

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        """None will come: TimeoutError for silence, else a NetworkError."""


class Switchboard:
    """One endpoint and its sockets, shared by senders."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
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
        """Keep-alive OPTIONS are answered; there is nothing else that we do yet."""
        endpoint = self.driver.endpoint
        status = 200 if event.request.method == "OPTIONS" else 405
        response = endpoint.create_response(event.request, status)
        response.headers.add("Allow", ALLOW)
        endpoint.respond(event.transaction, response, now)
