"""The proxy of the embedded network: the CSCF of the patent's figure 2.

Sans-I/O, stateful (RFC 3261 §16): takes what the endpoint reports, sends
through it. Requests that are for the network itself go to the registrar.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.core.breadth import breadth_of, divided
from sipua.core.context import Contexts
from sipua.core.credentials import remove_credentials
from sipua.core.gate import Passed
from sipua.core.identity import SERVED, privacy_of, remove_identity
from sipua.core.reply import Reply, complaint, written
from sipua.core.rewriting import onward_request
from sipua.errors import LocalError, NetworkError, PeerError
from sipua.sip.endpoint import (
    AckReceived,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.inspection import Refused
from sipua.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.contact_events import Changes
    from sipua.core.gate import Gate
    from sipua.core.notifier import Notifier
    from sipua.core.pcscf import Pcscf
    from sipua.core.registrar import Registrar
    from sipua.core.routing import Routing, Way
    from sipua.core.short_messages import ShortMessageCentre
    from sipua.sip.endpoint import Endpoint, Event, ServerTransaction
    from sipua.sip.hop import Hop

MAX_FORWARDS = 70
SHORT_MESSAGE = "application/vnd.3gpp.sms"
REG_EVENT = "reg"


class Proxy:
    """Answers or forwards every request of one endpoint, and brings the answers back."""

    def __init__(
        self,
        endpoint: Endpoint,
        registrar: Registrar,
        gate: Gate,
        routing: Routing,
        local_address: Callable[[Hop], tuple[str, int]],
        open_centre: Callable[[], ShortMessageCentre] | None = None,
        pcscf: Pcscf | None = None,
    ) -> None:
        """``local_address`` gives our own address and port towards a hop; ``open_centre`` what
        takes short messages, when the first of them comes; ``pcscf`` sees to what comes
        protected."""
        self._pcscf = pcscf
        self._endpoint = endpoint
        self._registrar = registrar
        self._gate = gate
        self._routing = routing
        self._contexts = Contexts(endpoint, local_address)
        self._open_centre = open_centre
        self._centre: ShortMessageCentre | None = None
        self._notifier: Notifier | None = None
        self.watchers: list[Callable[[Changes, float], None]] = []

    def handle(self, event: Event, now: float) -> None:
        """Do what follows from one event of the endpoint.

        Raises StateError (card.errors) when the AuC's counter cannot be kept.
        """
        if isinstance(event, RequestReceived):
            self._routing.note(event.source)
            self._request(event, now)
        elif isinstance(event, AckReceived):
            self._acknowledge(event, now)
        elif isinstance(event, ResponseReceived | TransactionTimeout | TransportFailed):
            self._contexts.take(event, now)
            if self._notifier is not None:
                self._notifier.answered(event, now)

    def report(self, now: float) -> None:
        """Bring what has become of registrations to the ``watchers``."""
        while changes := self._registrar.take_changes():
            for each in changes:
                for watcher in self.watchers:
                    watcher(each, now)

    @property
    def notifier(self) -> Notifier:
        """Who tells subscribers about their registrations."""
        if self._notifier is None:
            from sipua.core.notifier import Notifier  # seldom needed

            where = self._contexts.local_address
            self._notifier = Notifier(
                self._endpoint, self._registrar, self._routing, where, self.report
            )
            self.watchers.append(self._notifier.registrations_changed)
        return self._notifier

    @property
    def pending(self) -> int:
        """How many requests of ours are remembered, one for each target."""
        return len(self._contexts.by_client)

    # Requests --------------------------------------------------------------------------

    def _request(self, event: RequestReceived, now: float) -> None:
        try:
            reply = self._decide(event, now)
        except PeerError as error:
            reply = complaint(error)
        if reply is not None:
            self._reply(event.transaction, event.request, reply, now)
        self.report(now)

    def _decide(self, event: RequestReceived, now: float) -> Reply | None:
        """What to answer; None for a request that is on its way."""
        request, source = event.request, event.source
        pcscf = self._pcscf
        if request.method == "REGISTER":
            if pcscf is not None:
                return pcscf.register(request, source, now, self._registrar.answer)
            return self._registrar.answer(request, source, now)
        if pcscf is not None:
            pcscf.admit(request, source)
        if request.method == "CANCEL":
            return self._cancel(request, now)
        routing = self._routing
        for_us = routing.is_for_us(request.uri)
        if for_us and not self._gate.challenges(request):
            return self._registrar.answer(request, source, now)
        if routing.has_been_here(request):
            return Reply(482)
        _check_proxy_require(request)
        left = int(request.headers.get("Max-Forwards") or MAX_FORWARDS)
        if not left:
            return Reply(483)
        passed = self._gate.pass_on(request, source, now)
        if isinstance(passed, Reply):
            return passed
        if self._open_centre is not None and _is_short_message(request):
            if self._centre is None:
                self._centre = self._open_centre()
            self._centre.take(event, passed.caller, now)
            return None
        if _asks_for_registrations(request):
            self.notifier.take(event, passed, now)
            return None
        if for_us:
            return self._registrar.answer(request, source, now)
        self._forward(event, passed, left, now)
        return None

    def _forward(self, event: RequestReceived, passed: Passed, left: int, now: float) -> None:
        """RFC 3261 §16.6."""
        request, source = event.request, event.source
        self._routing.take_routes(request)
        remove_credentials(request, self._gate.realms)
        ways = divided(self._routing.ways(request.uri, now), breadth_of(request))
        if request.method == "INVITE":
            self._reply(event.transaction, request, Reply(100), now)

        def compose(way: Way, sent_by: tuple[str, int]) -> Request:
            return onward_request(request, way, left, passed.caller, source, sent_by)

        self._contexts.add(event.transaction, request, passed.lines).send(ways, compose, now)

    def _cancel(self, cancel: Request, now: float) -> Reply:
        """Cancel the INVITE of the same branch, if there is one (RFC 3261 §16.10)."""
        invite = self._endpoint.cancelled_by(cancel)
        if invite is None:
            return Reply(481)
        self._contexts.cancel(invite, cancel, now)
        return Reply(200)

    def _acknowledge(self, event: AckReceived, now: float) -> None:
        """The ACK for a 2xx goes its own way, in no transaction; errors have nobody to tell."""
        request = event.request
        with suppress(PeerError, LocalError, NetworkError):
            left = int(request.headers.get("Max-Forwards") or MAX_FORWARDS)
            if not left or self._routing.has_been_here(request):
                return
            self._gate.sender(request, event.source, now)
            self._routing.take_routes(request)
            remove_credentials(request, self._gate.realms)
            way = self._routing.ways(request.uri, now)[0]
            onward = Request("ACK", way.uri, request.headers.copy(), request.body)
            onward.headers.set("Max-Forwards", str(left - 1))
            remove_identity(onward)
            self._endpoint.send_ack(onward, way.hop, self._contexts.local_address(way.hop))

    def _reply(
        self, transaction: ServerTransaction, request: Request, reply: Reply, now: float
    ) -> None:
        response = written(self._endpoint, request, reply)
        with suppress(LocalError):  # what is copied from the request cannot be sent
            self._endpoint.respond(transaction, response, now)


def _is_short_message(request: Request) -> bool:
    """TS 24.341 §5.3.3: whether it is for the IP-SM-GW, whatever the Request-URI."""
    content_type = (request.headers.get("Content-Type") or "").partition(";")[0]
    return request.method == "MESSAGE" and content_type.strip().lower() == SHORT_MESSAGE


def _asks_for_registrations(request: Request) -> bool:
    """RFC 3680 §4.1: whether it is for our notifier, wherever it leads."""
    event = (request.headers.get("Event") or "").partition(";")[0]
    return request.method == "SUBSCRIBE" and event.strip().lower() == REG_EVENT


def _check_proxy_require(request: Request) -> None:
    """RFC 3261 §16.3 step 5; "privacy" is served as far as identities go (RFC 3325 §7)."""
    unsupported = [
        extension
        for extension in request.headers.values("Proxy-Require")
        if extension.lower() != "privacy" or privacy_of(request) - SERVED
    ]
    if unsupported:
        listed = ", ".join(unsupported)
        raise Refused(f"not supported by this proxy: {listed}", 420, ("Unsupported", listed))
