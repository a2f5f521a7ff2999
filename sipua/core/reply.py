"""What an element of the embedded network answers, apart from what every answer copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.sip.grammar import format_host, quote
from sipua.sip.inspection import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sipua.errors import PeerError
    from sipua.sip.endpoint import Endpoint
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

MAX_WARNING = 200
"""Characters of a sentence that are sent to the peer."""


class Reply(NamedTuple):
    """What is answered. An empty ``reason`` is the standard phrase; Via, From, To,
    Call-ID and CSeq are added by who sends it. Content-Type of a ``body`` is among the headers."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    reason: str = ""
    body: bytes = b""


def written(endpoint: Endpoint, request: Request, reply: Reply) -> Response:
    """The reply as a response to this request."""
    response = endpoint.create_response(request, reply.status, reply.reason)
    for name, value in reply.headers:
        response.headers.add(name, value)
    response.headers.add("Server", "sipua")
    response.body = reply.body
    return response


def complaint(error: PeerError) -> Reply:
    """The answer to a request with this fault."""
    if isinstance(error, Refused):
        return Reply(error.status, [*error.headers, _warning(error)])
    return Reply(error.status, [_warning(error)], error.reason)


def refusal(faults: Mapping[str, float], source: Hop) -> Reply | None:
    """What a fault has us answer before any challenge; None without such a fault."""
    for name in ("302", "403", "404", "421", "494", "500", "503"):
        if name in faults:
            return Reply(int(name), _refusal_headers(name, int(faults[name]), source))
    return None


def own_uri(source: Hop, user: str) -> str:
    """The SIP URI at which a request from ``source`` reached us."""
    address, port = source.local or (source.address, source.port)
    transport = "" if source.transport == "UDP" else f";transport={source.transport.lower()}"
    at = f"{user}@" if user else ""
    return f"sip:{at}{format_host(address)}:{port}{transport}"


def _warning(error: PeerError) -> tuple[str, str]:
    """What was wrong with the request, for people (RFC 3261 §20.43)."""
    text = "".join(each if each.isprintable() else "?" for each in str(error)[:MAX_WARNING])
    return "Warning", f"399 sipua {quote(text)}"


def _refusal_headers(name: str, value: int, source: Hop) -> list[tuple[str, str]]:
    if name == "302":
        address, _ = source.local or (source.address, 0)
        return [("Contact", f"<{own_uri(source._replace(local=(address, value)), 'registrar')}>")]
    if name == "421":
        return [("Require", "sec-agree")]  # RFC 3261 §21.4.15
    if name == "494":
        return [("Security-Server", "ipsec-3gpp;alg=hmac-sha-1-96;ealg=null")]  # RFC 3329 §2.3.1
    if name == "503":
        return [("Retry-After", str(value))]
    return []
