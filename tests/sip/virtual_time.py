"""An endpoint, a clock that only tests move, and a peer's hop."""

from __future__ import annotations

import random

from sipua.sip.endpoint import ClientTransaction, Endpoint, Event, ServerTransaction
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse
from sipua.sip.timers import TimerValues

US = ("192.0.2.10", 5060)
PEER = Hop("UDP", "192.0.2.1", 5060)
PEER_TCP = Hop("TCP", "192.0.2.1", 5060)


class World:
    """Runs one endpoint; ``sent`` holds (time, message, hop) of all it sent."""

    def __init__(self, timers: TimerValues | None = None, **options: int) -> None:
        self.endpoint = Endpoint(random.Random(7), timers, **options)
        self.now = 1000.0
        self.sent: list[tuple[float, Request | Response, Hop]] = []
        self.octets: list[bytes] = []
        self.events: list[Event] = []

    def collect(self) -> None:
        """Take what the endpoint has to send and to say."""
        for data, hop in self.endpoint.take_outgoing():
            self.octets.append(data)
            self.sent.append((round(self.now - 1000, 6), parse(data), hop))
        self.events += self.endpoint.take_events()

    def run(self, seconds: float) -> None:
        """Let time pass, ticking at each deadline exactly."""
        end = self.now + seconds
        while (deadline := self.endpoint.deadline()) is not None and deadline <= end:
            assert deadline >= self.now
            self.now = deadline
            self.endpoint.tick(self.now)
            self.collect()
        self.now = end
        self.endpoint.tick(self.now)
        self.collect()

    def request(
        self, method: str = "OPTIONS", hop: Hop = PEER, body: bytes = b""
    ) -> ClientTransaction:
        """Send a request of ours."""
        transaction = self.endpoint.send_request(
            Request(method, "sip:example.com", self.headers(method), body), hop, US, self.now
        )
        self.collect()
        return transaction

    @staticmethod
    def headers(method: str) -> list[tuple[str, str]]:
        """What every request needs but its Via."""
        return [
            ("Max-Forwards", "70"),
            ("From", "<sip:us@example.com>;tag=1"),
            ("To", "<sip:them@example.com>"),
            ("Call-ID", "abc@192.0.2.10"),
            ("CSeq", f"7 {method}"),
        ]

    def request_of(self, transaction: ClientTransaction) -> Request:
        """The request of a transaction as it was sent last."""
        return next(
            message
            for _, message, _ in reversed(self.sent)
            if isinstance(message, Request)
            and (message.top_via.branch, message.method) == transaction.key
        )

    def answer(
        self, transaction: ClientTransaction, status: int, source: Hop | None = None
    ) -> None:
        """Receive the peer's answer to a request of ours."""
        request = self.request_of(transaction)
        lines = [
            ("To", f"{value};tag=99") if name == "To" else (name, value)
            for name, value in request.headers
            if name != "Max-Forwards"
        ]
        response = Response(status, "", lines)
        self.endpoint.receive(response.to_bytes(), source or transaction.hop, self.now)
        self.collect()

    def receive(
        self,
        method: str = "OPTIONS",
        source: Hop = PEER,
        via: str = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKpeer",
        to_tag: str = "",
        number: int = 7,
    ) -> None:
        """Receive a request of the peer's."""
        headers = [
            (name, f"{value};tag={to_tag}" if name == "To" and to_tag else value)
            for name, value in self.headers(method)
            if name != "CSeq"
        ]
        headers += [("Via", via), ("CSeq", f"{number} {method}")]
        request = Request(method, "sip:us@192.0.2.10", headers)
        self.endpoint.receive(request.to_bytes(), source, self.now)
        self.collect()

    def respond(self, transaction: ServerTransaction, status: int, request: Request) -> None:
        """Answer a request of the peer's."""
        response = self.endpoint.create_response(request, status)
        self.endpoint.respond(transaction, response, self.now)
        self.collect()

    def times(self) -> list[float]:
        """When messages left, in seconds from the beginning."""
        return [time for time, _, _ in self.sent]

    def kinds(self) -> list[str]:
        """Names of the events so far."""
        return [type(event).__name__ for event in self.events]
