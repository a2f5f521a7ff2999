"""Where the proxy sends a request: Routes, targets and contacts (RFC 3261 §16.4 to §16.6)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sipua.core.gruu import bound_to, is_gruu
from sipua.errors import ParseError, PeerError
from sipua.sip.headers import NameAddr, default_port
from sipua.sip.hop import Hop
from sipua.sip.routing import is_numeric
from sipua.sip.uri import SipUri, scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.core.bindings import Binding
    from sipua.core.registrar import Registrar
    from sipua.core.subscriber import Directory, Subscriber
    from sipua.sip.message import Request

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104  compared with, and bound by the user's wish only


class Way(NamedTuple):
    """The next hop of a request, its Request-URI there, and the subscriber it leads to.

    ``breadth`` is how far it may fork from there on.
    """

    hop: Hop
    uri: str
    path: tuple[str, ...]
    callee: Subscriber
    breadth: int = 1


class Routing:
    """Knows which addresses are ours, and where the subscribers are."""

    def __init__(self, directory: Directory, registrar: Registrar, own: Iterable[Hop]) -> None:
        self._directory = directory
        self._registrar = registrar
        self._own = {(hop.address.lower(), hop.port) for hop in own}
        self._any_address = {port for address, port in self._own if address in WILDCARDS}

    def note(self, source: Hop) -> None:
        """Learn from where a message arrived which address is ours, where we listen on all."""
        if self._any_address and source.local and source.local[1] in self._any_address:
            self._own.add(source.local)

    def is_for_us(self, uri: str) -> bool:
        """Whether a Request-URI names this element itself, and nobody at it."""
        if scheme_of(uri) not in ("sip", "sips"):
            return False
        parsed = SipUri.parse(uri)
        return parsed.user is None and self._is_own(parsed)

    def has_been_here(self, request: Request) -> bool:
        """Whether a Via of ours tells that the request goes in circles (§16.3 step 4)."""
        from sipua.sip.headers import Via

        return any(Via.parse(value).sent_by in self._own for value in request.headers.values("Via"))

    def take_routes(self, request: Request) -> None:
        """Remove the Routes that lead here (§16.4). Raises PeerError for one that leads on."""
        routes = request.headers.values("Route")
        ours = 0
        for route in routes:
            if not self._is_own(NameAddr.parse(route).sip_uri()):
                raise PeerError(f"no way from here to {route[:60]}", 404, "Route Not Served")
            ours += 1
        if ours:
            request.headers.remove("Route")

    def ways(self, uri: str, now: float) -> list[Way]:
        """The ways to all targets (§16.5): of a public identity, or the contact in a dialog.

        The newest contact comes first, and is the only one of its instance; a GRUU
        leads to that of its instance alone (RFC 5627 §6.1).

        Raises PeerError: 404 for what is not of this network, 480 for a
        subscriber who is not registered, 416 for another scheme.
        """
        scheme = scheme_of(uri)
        if scheme not in ("sip", "sips", "tel"):
            raise PeerError(f"URIs of scheme {scheme} are not served", 416)
        callee = self.subscriber_at(uri)
        if callee is None:
            contact = self._contact(uri, now) if scheme != "tel" else None
            if contact is None:
                raise PeerError(f"{uri} is not of this network", 404)
            callee, binding = contact
            return [Way(_hop(binding), uri, (), callee)]
        bindings = [
            each
            for each in self._registrar.bindings(callee.impi, now)
            if scheme_of(each.uri) in ("sip", "sips")  # others are for people to know
            and SipUri.parse(each.uri).parameter("sos") is None  # for emergencies (24.229 §5.4.3.3)
        ]
        if is_gruu(uri):
            bindings = bound_to(uri, bindings)
        if not bindings:
            raise PeerError(f"{uri} is not registered", 480)
        return [
            Way(_hop(each), each.uri, self._beyond_us(each.path), callee)
            for each in _one_each(bindings)
        ]

    def subscriber_at(self, uri: str) -> Subscriber | None:
        """Whose public identity, or GRUU, a URI is; raises ParseError for what is no URI."""
        return self._directory.by_impu(uri)

    def _contact(self, uri: str, now: float) -> tuple[Subscriber, Binding] | None:
        """The binding that a Request-URI inside a dialog points at.

        By its text, else by its address, as the URI in a dialog's Contact need
        not be the one registered.
        """
        everybody = [
            (subscriber, binding)
            for subscriber in self._directory
            for binding in self._registrar.bindings(subscriber.impi, now)
        ]
        for each in everybody:
            if each[1].uri == uri:
                return each
        wanted = _place(SipUri.parse(uri))
        for each in everybody:
            with suppress(ParseError):
                if _place(SipUri.parse(each[1].uri)) == wanted:
                    return each
        return None

    def _beyond_us(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """What of a Path lies behind the P-CSCF that we are ourselves (§16.4)."""
        while path and self._is_own(NameAddr.parse(path[0]).sip_uri()):
            path = path[1:]
        return path

    def _is_own(self, uri: SipUri) -> bool:
        host = uri.host.lower()
        if host in self._directory.domains:
            return True
        transport = "TLS" if uri.scheme == "sips" else uri.parameter("transport") or "UDP"
        return (host, uri.port or default_port(transport)) in self._own


def _one_each(bindings: list[Binding]) -> list[Binding]:
    """The bindings, the newest first, and of one user agent that only (RFC 5626 §7)."""
    found: dict[str, Binding] = {}
    for binding in reversed(bindings):
        found.setdefault(binding.params.get("+sip.instance") or binding.uri, binding)
    return list(found.values())


def _place(uri: SipUri) -> tuple[str, int]:
    return uri.host.lower(), uri.port or default_port(uri.parameter("transport") or "UDP")


def _hop(binding: Binding) -> Hop:
    return hop_of(SipUri.parse(binding.uri), binding.source)


def hop_of(uri: SipUri, source: Hop) -> Hop:
    """Where a contact is reached: the way its request came where that fits, or its address."""
    transport = (uri.parameter("transport") or "UDP").upper()
    address, port = uri.host.lower(), uri.port or default_port(transport)
    if (address, port) == (source.address, source.port) or not is_numeric(address):
        return source
    local = source.local if transport == source.transport == "UDP" else None
    return Hop(transport, address, port, local)
