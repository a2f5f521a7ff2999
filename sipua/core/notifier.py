"""The notifier of the reg event: who may watch registrations, and how he is told.

RFC 3680, RFC 6665 §4.2, TS 24.229 §5.4.2. A subscriber may watch his own public
identities. Sans-I/O: it sends through the proxy's endpoint.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.core import watch
from sipua.core.gruu import is_gruu
from sipua.core.reginfo_writer import CONTENT_TYPE, write
from sipua.core.reply import Reply, own_uri, written
from sipua.core.routing import hop_of
from sipua.core.watch import Watch
from sipua.errors import LocalError, NetworkError, ParseError, PeerError
from sipua.sip import wellformed
from sipua.sip.dialog import Dialog, NoDialog, tag_of
from sipua.sip.endpoint import ResponseReceived
from sipua.sip.headers import NameAddr, parse_delta_seconds
from sipua.sip.inspection import Refused
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.bindings import Binding
    from sipua.core.contact_events import Changes
    from sipua.core.gate import Passed
    from sipua.core.reginfo_writer import Registrations
    from sipua.core.registrar import Registrar
    from sipua.core.routing import Routing
    from sipua.core.subscriber import Subscriber
    from sipua.sip.endpoint import (
        ClientTransaction,
        Endpoint,
        RequestReceived,
        TransactionTimeout,
        TransportFailed,
    )
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

PACKAGE = "reg"

DEFAULT_EXPIRES = 3761  # RFC 3680 §4.4
MOST_EXPIRES = 600_000  # TS 24.229 §5.1.1.3: what a user agent asks for

MAX_WATCHES = 16
"""Subscriptions of one subscriber; the oldest ends for a new one."""

ACCEPTED_TYPES = frozenset({CONTENT_TYPE, "application/*", "*/*"})


class Notifier:
    """All subscriptions to the reg event."""

    def __init__(
        self,
        endpoint: Endpoint,
        registrar: Registrar,
        routing: Routing,
        local_address: Callable[[Hop], tuple[str, int]],
        report: Callable[[float], None],
    ) -> None:
        """``report`` has the registrar's changes brought to whom they concern."""
        self._endpoint = endpoint
        self._registrar = registrar
        self._routing = routing
        self._local_address = local_address
        self._report = report
        self._watches: dict[str, list[Watch]] = {}
        self._unanswered: dict[ClientTransaction, Watch] = {}

    def watches(self, impi: str) -> list[Watch]:
        """The subscriptions of a subscriber, the oldest first."""
        return list(self._watches.get(impi, ()))

    # SUBSCRIBE ------------------------------------------------------------------------

    def take(self, event: RequestReceived, passed: Passed, now: float) -> None:
        """Answer a SUBSCRIBE of a subscriber who was let through.

        Raises PeerError for one that is not accepted.
        """
        request, caller = event.request, passed.caller
        _check(request)
        seconds = _asked_seconds(request)
        found = self._watch_of(request, caller)
        if found is None:
            owner = self._routing.subscriber_at(request.uri)
            if owner is None:
                raise PeerError(f"{request.uri} is not of this network", 404)
            if owner != caller:
                raise PeerError("registrations are for their owner to know", 403)
        else:
            found.dialog.check(request)
        contact = own_uri(event.source, PACKAGE)
        headers = [("Expires", str(seconds)), ("Contact", f"<{contact}>"), *passed.lines]
        headers += [("Record-Route", each) for each in request.headers.all("Record-Route")]
        headers.append(("Allow-Events", PACKAGE))  # RFC 6665 §4.4.4
        response = written(self._endpoint, request, Reply(200, headers))
        if found is None:
            dialog = Dialog.of_called(request, tag_of(response.headers.get("To") or ""))
            found = Watch(self._endpoint, self, caller, dialog, request, event.source)
            self._add(found, now)
        found.hop = event.source
        self._endpoint.respond(event.transaction, response, now)
        found.feed(watch.SUBSCRIBED if seconds else watch.UNSUBSCRIBED, now, seconds)

    def _watch_of(self, request: Request, caller: Subscriber) -> Watch | None:
        """The subscription that a SUBSCRIBE goes on with; raises NoDialog if it is gone."""
        if request.to.tag is None:
            return None
        for each in self._watches.get(caller.impi, ()):
            if each.dialog.owns(request) and not each.is_over:
                return each
        raise NoDialog("there is no such subscription any more")

    def _add(self, added: Watch, now: float) -> None:
        watches = self._watches.setdefault(added.subscriber.impi, [])
        watches.append(added)
        for each in watches[:-MAX_WATCHES]:
            each.feed(watch.OUSTED, now)
        for each in watches[:-MAX_WATCHES]:  # those whose last NOTIFY is not answered
            self.forget(each)

    # What there is to tell ------------------------------------------------------------

    def registrations_changed(self, changes: Changes, now: float) -> None:
        """Tell those who watch."""
        stimulus = watch.GONE if changes.is_gone else watch.CHANGED
        for each in self.watches(changes.subscriber.impi):
            each.feed(stimulus, now, changes)

    def answered(
        self, event: ResponseReceived | TransactionTimeout | TransportFailed, now: float
    ) -> None:
        """What became of a NOTIFY; other requests are passed over."""
        if not isinstance(event, ResponseReceived):
            stimulus = watch.LOST
        elif event.response.status < 200:
            return
        else:
            refused = event.response.status in watch.DESTROYS
            stimulus = watch.REFUSED if refused else watch.ANSWERED
        found = self._unanswered.pop(event.transaction, None)  # type: ignore[arg-type]
        if found is not None:
            found.feed(stimulus, now)

    # What a watch needs ---------------------------------------------------------------

    def bindings(self, subscriber: Subscriber, now: float) -> list[Binding]:
        """Where he is registered."""
        return self._registrar.bindings(subscriber.impi, now)

    def expire(self, subscriber: Subscriber, now: float) -> None:
        """Have contacts whose time has come be let go, and that told."""
        self._registrar.expire(subscriber, now)
        self._report(now)

    def send(self, sender: Watch, told: Registrations, version: int, now: float) -> None:
        """Send a NOTIFY; what cannot be sent is lost."""
        try:
            hop, uri = self._way(sender, now)
            sent_by = self._local_address(hop)
            headers = [
                ("Contact", f"<{own_uri(sender.hop, PACKAGE)}>"),
                ("Event", sender.event),
                ("Subscription-State", sender.state_line(now)),
                ("Content-Type", CONTENT_TYPE),
            ]
            request = sender.dialog.request("NOTIFY", headers, write(told, version, now))
            request.uri = uri
            client = self._endpoint.send_request(request, hop, sent_by, now)
        except (LocalError, NetworkError, PeerError):
            sender.feed(watch.LOST, now)
            return
        self._unanswered[client] = sender

    def forget(self, ended: Watch) -> None:
        """Let go of a subscription that has ended."""
        impi = ended.subscriber.impi
        left = [each for each in self._watches.get(impi, ()) if each is not ended]
        if left:
            self._watches[impi] = left
        else:
            self._watches.pop(impi, None)
        for client in [each for each, owner in self._unanswered.items() if owner is ended]:
            del self._unanswered[client]

    def _way(self, sender: Watch, now: float) -> tuple[Hop, str]:
        """Where a NOTIFY goes, and its Request-URI: in a GRUU's place, the contact (RFC 5627)."""
        dialog = sender.dialog
        uri = dialog.target
        if is_gruu(uri) and self._routing.subscriber_at(uri) == sender.subscriber:
            with suppress(PeerError):  # gone: where the SUBSCRIBE came from
                way = self._routing.ways(uri, now)[0]
                return way.hop, way.uri
            return sender.hop, uri
        first = NameAddr.parse(dialog.routes[0]).uri if dialog.routes else uri
        return hop_of(SipUri.parse(first), sender.hop), uri


def _check(request: Request) -> None:
    """RFC 3261 §8.2, for Request-URIs of any scheme; §4.3 and §4.5 of RFC 3680."""
    wellformed.check(request)
    if required := request.headers.values("Require"):
        listed = ", ".join(required)
        raise Refused(f"extensions not supported: {listed}", 420, ("Unsupported", listed))
    if request.body:
        raise Refused("filters are not supported", 415, ("Accept", ""))
    accepted = {
        each.partition(";")[0].replace(" ", "").lower() for each in request.headers.values("Accept")
    }
    if "Accept" in request.headers and not accepted & ACCEPTED_TYPES:
        raise PeerError(f"registrations are told as {CONTENT_TYPE}", 406)


def _asked_seconds(request: Request) -> int:
    try:
        asked = parse_delta_seconds(request.headers.get("Expires") or "")
    except ParseError:
        asked = DEFAULT_EXPIRES
    return min(asked, MOST_EXPIRES)
