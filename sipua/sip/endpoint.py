"""The transaction layer of one element: messages in, messages and events out.

Sans-I/O: bytes and the time come in as arguments, bytes to be sent are taken
with ``take_outgoing``. One endpoint may use several transports at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError
from sipua.sip import wellformed
from sipua.sip.events import (
    AckReceived,
    Discarded,
    Event,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.headers import MAGIC_COOKIE
from sipua.sip.hop import Hop
from sipua.sip.limits import MAX_SERVER_OCTETS, MAX_SERVER_TRANSACTIONS
from sipua.sip.matching import answered_key, server_key
from sipua.sip.message import MalformedMessage, Request, Response, parse
from sipua.sip.response import create_response
from sipua.sip.routing import fallback_hop, own_branch, own_via, response_hop, stamp
from sipua.sip.schedule import Schedule
from sipua.sip.timers import TimerValues
from sipua.sip.transaction.client import ClientTransaction
from sipua.sip.transaction.invite_client import InviteClient
from sipua.sip.transaction.invite_server import InviteServer
from sipua.sip.transaction.machine import (
    ACK,
    REQUEST,
    START,
    TERMINATED,
    TRANSPORT_ERROR,
    Transaction,
)
from sipua.sip.transaction.non_invite_client import NonInviteClient
from sipua.sip.transaction.non_invite_server import NonInviteServer
from sipua.sip.transaction.server import ServerTransaction, status_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.randomness import Randomness
    from sipua.sip.matching import ServerKey

__all__ = [
    "AckReceived",
    "ClientTransaction",
    "Discarded",
    "Endpoint",
    "Event",
    "RequestReceived",
    "ResponseReceived",
    "ServerTransaction",
    "TransactionTimeout",
    "TransportFailed",
]

RETRY_AFTER = 10  # seconds a peer is asked to wait when too many requests are at hand
UDP_LIMIT = 1300  # octets of a request when the path MTU is not known; RFC 3261 §18.1.1

# Why a message was discarded
MALFORMED = "malformed"
STRAY = "no transaction waits for it"
NOT_OURS = "its Via is not ours"
SEVERAL_VIAS = "a response with more than one Via"
KEEP_ALIVE = "keep-alive"
OVERLOAD = "too many requests at one time"


class Endpoint:
    """One element's transactions.

    ``discarded`` counts what was dropped, by reason.
    """

    def __init__(
        self,
        rng: Randomness,
        timers: TimerValues | None = None,
        udp_limit: int = UDP_LIMIT,
        max_server_transactions: int = MAX_SERVER_TRANSACTIONS,
    ) -> None:
        self.timers = timers if timers is not None else TimerValues()
        self.udp_limit = udp_limit
        self.max_server_transactions = max_server_transactions
        self.discarded: dict[str, int] = {}
        self._rng = rng
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._lingering: dict[tuple[str, str], float] = {}  # answered, until when; in that order
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._schedule = Schedule()
        self.wake = self._schedule.wake
        self._outgoing: list[tuple[bytes, Hop]] = []
        self._events: list[Event] = []
        self._octets = 0  # of requests that are being answered
        self._secret = rng.getrandbits(32)

    # Requests of ours

    def send_request(
        self, request: Request, hop: Hop, sent_by: tuple[str, int], now: float
    ) -> ClientTransaction:
        """Send a request in a transaction of its own.

        ``request`` has no Via, or those of who sent it to us (RFC 3261 §16.6
        step 8); it is left as it is. ``sent_by`` is our host
        (without brackets) and port for that header. A request too large for
        UDP goes by TCP, and by UDP after all if TCP is refused.
        """
        machine = InviteClient if request.method == "INVITE" else NonInviteClient
        transaction = machine(self, request, hop, self._new_branch(), sent_by)
        if hop.transport == "UDP" and len(transaction.data) > self.udp_limit:
            transaction.oversize = True
            transaction.write(hop._replace(transport="TCP", local=None))
        self._clients[transaction.key] = transaction
        transaction.feed(START, now)
        return transaction

    def send_cancel(
        self, transaction: ClientTransaction, now: float, reasons: Iterable[str] = ()
    ) -> None:
        """CANCEL an INVITE of ours, by its own branch (RFC 3261 §9.1).

        Nothing is sent when its final response has come. ``reasons`` are values
        of Reason (RFC 3326).
        """
        if isinstance(transaction, InviteClient) and transaction.is_open:
            request = transaction.cancel()
            for reason in reasons:
                request.headers.add("Reason", reason)
            cancel = NonInviteClient(
                self,
                request,
                transaction.hop,
                transaction.branch,
                transaction.host_port,
            )
            self._clients[cancel.key] = cancel
            cancel.feed(START, now)

    def abandon(self, transaction: ClientTransaction | ServerTransaction) -> None:
        """Forget a request that nobody waits for: an INVITE of ours which was cancelled and
        stays unanswered (RFC 3261 §9.1), or a peer's which must stay so (RFC 4320 §4.2)."""
        transaction.state = TERMINATED
        self.ended(transaction)

    def send_ack(self, request: Request, hop: Hop, sent_by: tuple[str, int]) -> None:
        """Send the ACK for a 2xx, which is no transaction (RFC 3261 §13.2.2.4)."""
        self.transmit(request.to_bytes(own_via(hop.transport, sent_by, self._new_branch())), hop)

    def _new_branch(self) -> str:
        return f"{MAGIC_COOKIE}-{self._rng.getrandbits(80):020x}"

    # Requests of the peer

    def create_response(
        self, request: Request, status: int, reason: str = "", to_tag: str | None = None
    ) -> Response:
        """A response to this request; from 101 on its To has a tag, always the same one."""
        if to_tag is None and status > 100:
            if not request.to_tag:
                request.to_tag = f"{self._rng.getrandbits(64):016x}"
            to_tag = request.to_tag
        return create_response(request, status, reason, to_tag)

    def cancelled_by(self, cancel: Request) -> ServerTransaction | None:
        """The transaction of the INVITE that a CANCEL is for (RFC 3261 §9.2)."""
        invite = Request("INVITE", cancel.uri, cancel.headers)
        return self._servers.get(server_key(invite, cancel.top_via))

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Answer; raises LocalError when the request has its final answer already."""
        transaction.respond(response, now)
        key = answered_key(transaction.keys[0], response)
        if key not in transaction.keys:
            transaction.keys.append(key)
            self._servers[key] = transaction

    # What the network brings

    def receive(self, data: bytes, source: Hop, now: float) -> None:
        """Take one message. Whatever it holds, nothing is raised."""
        if not data.strip(b"\r\n\0 "):
            self._count(KEEP_ALIVE)
            return
        message: Request | Response | None = None
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._receive_response(message, source, now)
            else:
                self._receive_request(message, source, now)
        except MalformedMessage as error:
            self._refuse(error.message, error, data, source)
        except ParseError as error:
            self._refuse(message, error, data, source)

    def _receive_response(self, response: Response, source: Hop, now: float) -> None:
        vias = response.headers.all("Via")
        method = response.cseq.method
        transaction = self._clients.get((own_branch(vias[0]), method)) if vias else None
        if transaction is None or len(vias) > 1 or not transaction.wrote(vias[0]):
            # Spelled in another way than we wrote it, or not for us
            via = response.top_via
            transaction = self._clients.get((via.branch, method))
            if transaction is None and self._lingering.get((via.branch, method), 0) > now:
                return
            below = transaction.request.headers.values("Via") if transaction else []
            if len(response.headers.values("Via")) > 1 + len(below):
                self._discard(SEVERAL_VIAS, response.raw, source)  # RFC 3261 §8.1.3.3
                return
            if transaction is None:
                self._discard(STRAY, response.raw, source)
                return
            if via.sent_by != transaction.sent_by:
                self._discard(NOT_OURS, response.raw, source, str(via))  # RFC 3261 §18.1.2
                return
        transaction.feed(status_class(response.status), now, response)

    def _receive_request(self, request: Request, source: Hop, now: float) -> None:
        via = stamp(request, source)
        key = server_key(request, via)
        known = self._servers.get(key)
        if known is not None:
            known.feed(ACK if request.method == "ACK" else REQUEST, now, request)
            return
        wellformed.check(request)
        if request.method == "ACK":
            self._events.append(AckReceived(None, request, source))
        elif (
            len(self._servers) >= self.max_server_transactions
            or self._octets + len(request.raw) > MAX_SERVER_OCTETS
        ):
            self._answer(request, 503, source, [("Retry-After", str(RETRY_AFTER))])
            self._discard(OVERLOAD, request.raw, source)
        else:
            machine = InviteServer if request.method == "INVITE" else NonInviteServer
            transaction = machine(self, request, response_hop(via, source), key)
            transaction.second_hop = fallback_hop(via, source)
            self._servers[key] = transaction
            self._octets += transaction.octets
            self._events.append(RequestReceived(transaction, request, source))
            transaction.feed(START, now)

    def _refuse(
        self, message: Request | Response | None, error: ParseError, data: bytes, source: Hop
    ) -> None:
        """Answer a malformed request if it says enough to be answered; drop it."""
        if (
            isinstance(message, Request)
            and message.method != "ACK"
            and message.headers.get("Via")
            and message.headers.get("CSeq")
        ):
            self._answer(message, error.status, source, [], error.reason)
        self._discard(MALFORMED, data, source, str(error))

    def _answer(
        self,
        request: Request,
        status: int,
        source: Hop,
        headers: list[tuple[str, str]],
        reason: str = "",
    ) -> None:
        """Answer without a transaction; the same request gets the same To tag again."""
        from zlib import crc32

        try:
            hop = response_hop(stamp(request, source), source)
        except ParseError:
            hop = source
        tag = f"{crc32(request.raw, self._secret):08x}"
        response = create_response(request, status, reason, tag)
        for name, value in headers:
            response.headers.add(name, value)
        try:
            self.transmit(response.to_bytes(), hop)
        except LocalError:
            return  # what would be copied cannot stand in a message

    def transport_failed(self, hop: Hop, error: Exception, now: float) -> None:
        """Take note that what was sent to this hop is lost."""
        for client in [each for each in self._clients.values() if each.hop[:3] == hop[:3]]:
            if client.oversize and client.is_waiting:
                client.oversize = False  # by UDP after all (RFC 3261 §18.1.1)
                client.write(client.hop._replace(transport="UDP"))
                client.running.clear()
                client.feed(START, now)
            else:
                client.feed(TRANSPORT_ERROR, now, error)
        for server in {each for each in self._servers.values() if each.hop[:3] == hop[:3]}:
            if server.second_hop:
                server.hop, server.second_hop = server.second_hop, None
                server.repeat()
            else:
                server.feed(TRANSPORT_ERROR, now, error)

    # The driver's side

    def take_outgoing(self) -> list[tuple[bytes, Hop]]:
        """Messages to be sent, each once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def take_events(self) -> list[Event]:
        """What happened, each once."""
        events, self._events = self._events, []
        return events

    def deadline(self) -> float | None:
        """When ``tick`` has to be called, None when no timer runs."""
        return self._schedule.deadline()

    def tick(self, now: float) -> None:
        """Fire the timers that are due."""
        self._schedule.fire(now)

    # What transactions need (transaction.machine.Layer)

    def transmit(self, data: bytes, hop: Hop) -> None:
        """Queue a message for ``take_outgoing``."""
        self._outgoing.append((data, hop))

    def report(self, event: Event) -> None:
        """Queue an event for ``take_events``."""
        self._events.append(event)

    def linger(self, transaction: ClientTransaction, until: float) -> None:
        """Keep nothing but the name of an answered request: thousands may linger at a time."""
        del self._clients[transaction.key]
        lingering = self._lingering
        lingering[transaction.key] = until
        oldest = next(iter(lingering))
        while lingering[oldest] <= until - self.timers.t4:
            del lingering[oldest]
            oldest = next(iter(lingering))

    def release(self, octets: int) -> None:
        """Count these octets of a request as held no longer."""
        self._octets -= octets

    def ended(self, transaction: Transaction) -> None:
        """Forget a terminated transaction."""
        self._schedule.ended(transaction)
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
        elif isinstance(transaction, ServerTransaction):
            for key in transaction.keys:
                self._servers.pop(key, None)
            self.release(transaction.octets)

    def _discard(self, reason: str, data: bytes, source: Hop, detail: str = "") -> None:
        self._count(reason)
        self._events.append(Discarded(reason, data, source, detail))

    def _count(self, reason: str) -> None:
        self.discarded[reason] = self.discarded.get(reason, 0) + 1
