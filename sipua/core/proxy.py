"""The proxy of the embedded network: the CSCF of the patent's figure 2.

Sans-I/O, stateful (RFC 3261 §16): takes what the endpoint reports, sends
through it. Requests that are for the network itself go to the registrar.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.core.gate import Passed
from sipua.core.reply import Reply, complaint
from sipua.core.routing import DIALOG_METHODS, record_routes
from sipua.errors import LocalError, NetworkError, PeerError
from sipua.sip.endpoint import (
    AckReceived,
    ClientTransaction,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.grammar import split
from sipua.sip.inspection import Refused
from sipua.sip.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.gate import Gate
    from sipua.core.registrar import Registrar
    from sipua.core.routing import Routing
    from sipua.core.subscriber import Subscriber
    from sipua.sip.endpoint import Endpoint, Event, ServerTransaction
    from sipua.sip.hop import Hop

MAX_FORWARDS = 70


class _Forwarded:
    """A request on its way: where its answers go, and what is added to them.

    ``rings`` tells that a provisional response has come, ``cancelled`` that its
    sender does not want it any more.
    """

    __slots__ = ("callee", "cancelled", "proof", "request", "rings", "transaction")

    def __init__(
        self, transaction: ServerTransaction, request: Request, passed: Passed, callee: Subscriber
    ) -> None:
        self.transaction = transaction
        self.request = request
        self.proof = passed.proof
        self.callee = callee
        self.rings = self.cancelled = False


class Proxy:
    """Answers or forwards every request of one endpoint, and brings the answers back."""

    def __init__(
        self,
        endpoint: Endpoint,
        registrar: Registrar,
        gate: Gate,
        routing: Routing,
        local_address: Callable[[Hop], tuple[str, int]],
    ) -> None:
        """``local_address`` gives our own address and port towards a hop."""
        self._endpoint = endpoint
        self._registrar = registrar
        self._gate = gate
        self._routing = routing
        self._local_address = local_address
        self._forwarded: dict[ClientTransaction, _Forwarded] = {}
        self._accepted: deque[tuple[float, ClientTransaction]] = deque()

    def handle(self, event: Event, now: float) -> None:
        """Do what follows from one event of the endpoint.

        Raises StateError (card.errors) when the AuC's counter cannot be kept.
        """
        while self._accepted and self._accepted[0][0] <= now:
            self._forwarded.pop(self._accepted.popleft()[1], None)
        if isinstance(event, RequestReceived):
            self._request(event, now)
        elif isinstance(event, ResponseReceived):
            self._response(event, now)
        elif isinstance(event, AckReceived):
            self._acknowledge(event, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            self._unanswered(event, now)

    # Requests --------------------------------------------------------------------------

    def _request(self, event: RequestReceived, now: float) -> None:
        try:
            reply = self._decide(event, now)
        except PeerError as error:
            reply = complaint(error)
        except NetworkError:
            reply = Reply(480)  # the connection by which the callee registered is gone
        if reply is not None:
            self._reply(event.transaction, event.request, reply, now)

    def _decide(self, event: RequestReceived, now: float) -> Reply | None:
        """What to answer; None for a request that is on its way."""
        request, source = event.request, event.source
        if request.method == "REGISTER":
            return self._registrar.answer(request, source, now)
        routing = self._routing
        for_us = routing.is_for_us(request.uri)
        if for_us and not self._gate.challenges(request):
            return self._registrar.answer(request, source, now)
        if request.method == "CANCEL":
            return self._cancel(request, now)
        if routing.has_been_here(request):
            return Reply(482)
        extensions = request.headers.values("Proxy-Require")
        if extensions:  # RFC 3261 §16.3 step 5
            unsupported = ("Unsupported", ", ".join(extensions))
            raise Refused("a proxy without extensions", 420, unsupported)
        left = int(request.headers.get("Max-Forwards") or MAX_FORWARDS)
        if not left:
            return Reply(483)
        passed = self._gate.pass_on(request, source, now)
        if isinstance(passed, Reply):
            return passed
        if for_us:
            return self._registrar.answer(request, source, now)
        self._forward(event, passed, left, now)
        return None

    def _forward(self, event: RequestReceived, passed: Passed, left: int, now: float) -> None:
        """Steps of RFC 3261 §16.6 for the one target there is."""
        request, source = event.request, event.source
        self._routing.take_routes(request)
        way = self._routing.way(request.uri, now)
        onward = Request(request.method, way.uri, request.headers.copy(), request.body)
        headers = onward.headers
        headers.set("Max-Forwards", str(left - 1))
        sent_by = self._local_address(way.hop)
        if request.method in DIALOG_METHODS:
            for value in reversed(record_routes(source, way.hop, sent_by)):
                headers.prepend("Record-Route", value)
        for value in way.path:
            headers.add("Route", value)
        _assert_identity(onward, passed.caller)
        transaction = self._endpoint.send_request(onward, way.hop, sent_by, now)
        self._forwarded[transaction] = _Forwarded(event.transaction, request, passed, way.callee)
        if request.method == "INVITE":
            self._reply(event.transaction, request, Reply(100), now)

    def _cancel(self, cancel: Request, now: float) -> Reply:
        """Cancel the INVITE of the same branch once it may be (RFC 3261 §9.1, §16.10)."""
        via = cancel.top_via
        for transaction, forwarded in self._forwarded.items():
            theirs = forwarded.request.top_via
            if (
                forwarded.request.method == "INVITE"
                and (theirs.branch, theirs.sent_by) == (via.branch, via.sent_by)
                and forwarded.request.call_id == cancel.call_id
            ):
                forwarded.cancelled = True
                if forwarded.rings:
                    self._endpoint.send_cancel(transaction, now)
                return Reply(200)
        return Reply(481)

    def _acknowledge(self, event: AckReceived, now: float) -> None:
        """The ACK for a 2xx goes its own way, in no transaction; errors have nobody to tell."""
        request = event.request
        with suppress(PeerError, LocalError, NetworkError):
            left = int(request.headers.get("Max-Forwards") or MAX_FORWARDS)
            if not left or self._routing.has_been_here(request):
                return
            self._routing.take_routes(request)
            way = self._routing.way(request.uri, now)
            onward = Request("ACK", way.uri, request.headers.copy(), request.body)
            onward.headers.set("Max-Forwards", str(left - 1))
            self._endpoint.send_ack(onward, way.hop, self._local_address(way.hop))

    # Responses -------------------------------------------------------------------------

    def _response(self, event: ResponseReceived, now: float) -> None:
        """RFC 3261 §16.7."""
        received = event.response
        final = received.status >= 200
        is_invite = event.transaction.request.method == "INVITE"
        forwarded = self._forwarded.get(event.transaction)
        if forwarded is None:
            return
        if is_invite and not forwarded.rings:
            forwarded.rings = True
            if forwarded.cancelled:
                self._endpoint.send_cancel(event.transaction, now)
        if received.status == 100:
            return
        if is_invite and final and received.status < 300:
            # It is repeated until there is an ACK, and each time forwarded (§16.7 step 5).
            self._accepted.append((now + self._endpoint.timers.transaction, event.transaction))
        elif final:
            del self._forwarded[event.transaction]
        response = Response(received.status, received.reason, received.headers.copy())
        response.body = received.body
        _remove_top_via(response)
        if final:
            response.headers.remove("P-Preferred-Identity")
            response.headers.set("P-Asserted-Identity", f"<{forwarded.callee.impus[0]}>")
            if forwarded.proof is not None:
                response.headers.add(*forwarded.proof)
        with suppress(LocalError):  # answered already, or not to be written
            self._endpoint.respond(forwarded.transaction, response, now)

    def _unanswered(self, event: TransactionTimeout | TransportFailed, now: float) -> None:
        """No answer is a 408 (RFC 3261 §16.8); who cannot be reached is not there."""
        transaction = event.transaction
        if isinstance(transaction, ClientTransaction):
            forwarded = self._forwarded.pop(transaction, None)
            if forwarded is not None:
                status = 408 if isinstance(event, TransactionTimeout) else 480
                self._reply(forwarded.transaction, forwarded.request, Reply(status), now)

    def _reply(
        self, transaction: ServerTransaction, request: Request, reply: Reply, now: float
    ) -> None:
        response = self._endpoint.create_response(request, reply.status, reply.reason)
        for name, value in reply.headers:
            response.headers.add(name, value)
        response.headers.add("Server", "sipua")
        with suppress(LocalError):  # what is copied from the request cannot be sent
            self._endpoint.respond(transaction, response, now)


def _assert_identity(request: Request, caller: Subscriber) -> None:
    """P-Asserted-Identity of who was let through (RFC 3325 §5): the identity preferred, or ours."""
    headers = request.headers
    preferred = (headers.get("P-Preferred-Identity") or "").strip("<> ")
    headers.remove("P-Preferred-Identity")
    chosen = preferred if preferred in caller.impus else caller.impus[0]
    headers.set("P-Asserted-Identity", f"<{chosen}>")


def _remove_top_via(response: Response) -> None:
    first, *lines = response.headers.all("Via")
    below = split(first, ",")[1:] if "," in first else []
    response.headers.replace("Via", [*below, *lines])
