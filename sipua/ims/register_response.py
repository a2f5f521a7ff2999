"""What the answer to a REGISTER says: the binding granted, or what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.sip.grammar import DIGITS, parse_number
from sipua.sip.headers import NameAddr, parse_delta_seconds
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from sipua.sip.message import Response

MAX_RETRY_AFTER = 2**32 - 1
REDIRECTIONS = (300, 301, 302)
"""Statuses whose Contact is another target; 305 names a proxy instead (RFC 3261 §21.3.4)."""


class Binding:
    """What the registrar keeps for us (RFC 3261 §10.2.4).

    ``expires`` is in seconds from the answer. ``service_route`` are Route values
    for later requests (RFC 3608), ``path`` what was recorded on the way (RFC
    3327); ``associated_uris`` the identities registered along, the default one
    first (RFC 7315 §4.1). ``listed`` tells whether the registrar named our Contact,
    ``gruu`` is the URI of this device alone that it gave us (RFC 5627), "" for none.
    """

    __slots__ = ("associated_uris", "expires", "gruu", "listed", "path", "service_route")

    def __init__(
        self,
        expires: int,
        service_route: tuple[str, ...],
        path: tuple[str, ...],
        associated_uris: tuple[str, ...],
        *,
        listed: bool,
        gruu: str = "",
    ) -> None:
        self.expires = expires
        self.service_route = service_route
        self.path = path
        self.associated_uris = associated_uris
        self.listed = listed
        self.gruu = gruu


def read_binding(response: Response, contact: str, asked: int) -> Binding:
    """The binding of ``contact`` as a 2xx gives it; what cannot be read is passed over.

    The time is the expires of our Contact, else the Expires header, else what
    was ``asked`` for (RFC 3261 §10.2.4).
    """
    ours = _our_contact(response, contact)
    expires = _seconds(ours.get("expires")) if ours is not None else None
    if expires is None:
        expires = _seconds(response.headers.get("Expires"))
    return Binding(
        asked if expires is None else expires,
        _values(response, "Service-Route"),
        _values(response, "Path"),
        _uris(response, "P-Associated-URI"),
        listed=ours is not None,
        gruu=_gruu(ours) if ours is not None else "",
    )


def retry_after(response: Response) -> int | None:
    """Retry-After in seconds without its comment (RFC 3261 §20.33); None when not given."""
    text = (response.headers.get("Retry-After") or "").lstrip()
    digits = text[: len(text) - len(text.lstrip(DIGITS))]
    try:
        return parse_number(digits, MAX_RETRY_AFTER, "Retry-After")
    except ParseError:
        return None


def min_expires(response: Response) -> int | None:
    """Min-Expires of a 423 in seconds (RFC 3261 §20.23); None when not given."""
    return _seconds(response.headers.get("Min-Expires"))


def redirect_target(response: Response) -> str | None:
    """The first SIP URI among the Contacts of a redirection; None when there is none."""
    for address in _addresses(response, "Contact"):
        try:
            uri = address.sip_uri()
        except ParseError:
            continue
        # a Request-URI carries neither headers nor a method (RFC 3261 §19.1.1)
        uri.headers = ""
        uri.parameters = [item for item in uri.parameters if item[0].lower() != "method"]
        return str(uri)
    return None


def _our_contact(response: Response, contact: str) -> Parameters | None:
    """What is said of our Contact; None when it is not among them.

    It is found as text, else by RFC 3261 §19.1.4, else as the only one there is.
    The last is for registrars that write the address they saw instead of ours.
    """
    bracketed = f"<{contact}>"
    for value in _values(response, "Contact"):
        if value.startswith(bracketed):
            params = value[len(bracketed) :].lstrip(" \t;")
            try:
                return Parameters.parse(params) if params else Parameters()
            except ParseError:
                break
    from sipua.sip.uri_equality import same_uri  # registrars seldom spell it another way

    addresses = _addresses(response, "Contact")
    for address in addresses:
        try:
            if same_uri(address.sip_uri(), SipUri.parse(contact)):
                return address.params
        except ParseError:
            continue
    return addresses[0].params if len(addresses) == 1 else None


def _gruu(ours: Parameters) -> str:
    """The public one; "" for none, and for one that cannot be read."""
    text = ours.get("pub-gruu")
    if not text:
        return ""
    try:
        return str(SipUri.parse(text))
    except ParseError:
        return ""


def _uris(response: Response, name: str) -> tuple[str, ...]:
    """The URIs of a list of addresses; one that stands alone between <> needs no parsing."""
    uris: list[str] = []
    for value in _values(response, name):
        if value.startswith("<") and value.find(">") == len(value) - 1:
            uris.append(value[1:-1])
            continue
        try:
            uris.append(NameAddr.parse(value).uri)
        except ParseError:
            continue
    return tuple(uris)


def _addresses(response: Response, name: str) -> list[NameAddr]:
    addresses: list[NameAddr] = []
    for value in _values(response, name):
        try:
            addresses.append(NameAddr.parse(value))
        except ParseError:
            continue
    return addresses


def _values(response: Response, name: str) -> tuple[str, ...]:
    try:
        return tuple(response.headers.values(name))
    except ParseError:
        return ()


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_delta_seconds(text)
    except ParseError:
        return None
