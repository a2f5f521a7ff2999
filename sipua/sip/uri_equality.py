"""Whether two SIP URIs are the same (RFC 3261 §19.1.4).

The relation is not transitive, since a parameter that only one URI has is
mostly passed over; so there is a comparison, and no normal form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip.uri import unescape

if TYPE_CHECKING:
    from sipua.sip.uri import SipUri

NEVER_IGNORED = frozenset({"user", "ttl", "method", "maddr", "transport"})
"""Parameters that must stand in both URIs or in neither."""


def same_uri(one: SipUri, other: SipUri) -> bool:
    """Compare two SIP or SIPS URIs; a missing port is not the default port."""
    return (
        one.scheme == other.scheme
        and one.port == other.port
        and one.host.lower() == other.host.lower()
        and one.user_text == other.user_text
        and unescape(one.password or "") == unescape(other.password or "")
        and _same_parameters(one, other)
        and _headers(one) == _headers(other)
    )


def _same_parameters(one: SipUri, other: SipUri) -> bool:
    if not one.parameters and not other.parameters:
        return True
    first, second = _parameters(one), _parameters(other)
    return all(
        first.get(name) == second.get(name)
        if name in NEVER_IGNORED
        else name not in first or name not in second or first[name] == second[name]
        for name in first.keys() | second.keys()
    )


def _parameters(uri: SipUri) -> dict[str, str]:
    return {unescape(name).lower(): unescape(value or "").lower() for name, value in uri.parameters}


def _headers(uri: SipUri) -> list[tuple[str, str]]:
    if not uri.headers:
        return []
    parts = (part.partition("=") for part in uri.headers.split("&"))
    return sorted((unescape(name).lower(), unescape(value)) for name, _, value in parts)
