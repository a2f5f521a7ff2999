"""Whom a request is for: sip: and tel: URIs as people type them, and the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError
from sipua.sip.grammar import DIGITS, HEX_DIGITS, format_host, made_of
from sipua.sip.headers import NameAddr, default_port
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.sip.hop import Hop

_SEPARATORS = "-.()"  # visual separators, RFC 3966 §3
_LOCAL_DIGITS = HEX_DIGITS + "*#"


def read_target(text: str, domain: str) -> str:
    """The Request-URI for what somebody typed.

    A tel URI loses its visual separators, and one of a local number gets
    ``domain`` as its phone-context (TS 24.229 §5.1.2A.1.5, RFC 3966 §5.1.5).
    Raises LocalError, which tells what to write instead.
    """
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("sip", "sips", "tel"):
        raise LocalError(f"{text[:60]!r}: write sip:USER@DOMAIN or tel:+NUMBER")
    try:
        return _tel(rest, domain) if scheme == "tel" else _sip(text)
    except ParseError as error:
        raise LocalError(f"{text[:60]!r}: {error}") from error


def _sip(text: str) -> str:
    uri = SipUri.parse(text)
    if uri.headers:
        raise ParseError('no "?" in a target: add header fields as such')
    if uri.parameter("method") is not None:
        raise ParseError("no method in a target")  # RFC 3261 §19.1.1
    return str(uri)


def _tel(text: str, domain: str) -> str:
    number, semicolon, rest = text.partition(";")
    digits = "".join(each for each in number if each not in _SEPARATORS)
    is_global = digits.startswith("+")
    if not made_of(digits.removeprefix("+"), DIGITS if is_global else _LOCAL_DIGITS):
        raise ParseError("a number is +DIGITS, or local digits")
    params = Parameters.parse(rest) if semicolon else Parameters()
    if not is_global and params.get("phone-context") is None:
        params.set("phone-context", domain)
    return f"tel:{digits}{params}"


def preloaded_route(hop: Hop, service_route: Sequence[str]) -> tuple[str, ...]:
    """Route values for a new request: the P-CSCF, then the Service-Route (TS 24.229 §5.1.2A.1.1).

    A network whose P-CSCF is the first of its Service-Route is not visited twice.
    """
    if service_route and _leads_to(service_route[0], hop):
        return tuple(service_route)
    transport = "" if hop.transport == "UDP" else f";transport={hop.transport.lower()}"
    first = f"<sip:{format_host(hop.address)}:{hop.port}{transport};lr>"
    return (first, *service_route)


def _leads_to(route: str, hop: Hop) -> bool:
    try:
        uri = NameAddr.parse(route).sip_uri()
    except ParseError:
        return False
    return uri.host == hop.address and (uri.port or default_port(hop.transport)) == hop.port
