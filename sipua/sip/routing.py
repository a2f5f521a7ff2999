"""What a Via says: where responses go (RFC 3261 §18.2, RFC 3581), and our own."""

from __future__ import annotations

from sipua.sip.grammar import DIGITS, HEX_DIGITS, format_host, made_of, split
from sipua.sip.headers import Via
from sipua.sip.hop import Hop
from sipua.sip.message import Request


def own_via(transport: str, sent_by: tuple[str, int], branch: str) -> str:
    """The Via of a request of ours (RFC 3261 §8.1.1.7, RFC 3581 §3)."""
    host, port = sent_by
    return f"SIP/2.0/{transport} {format_host(host)}:{port};branch={branch};rport"


def own_branch(via: str) -> str:
    """The branch of a Via spelled as ``own_via`` spells it; anything for another one."""
    return via.partition(";branch=")[2].partition(";")[0]


def stamp(request: Request, source: Hop) -> Via:
    """Write into the topmost Via where the request came from; that Via.

    Raises ParseError when it cannot be read.
    """
    lines = request.headers.all("Via")
    via = request.top_via
    rport = via.params.get("rport") == ""
    if rport:
        via.params.set("rport", str(source.port))
    if rport or via.host.lower() != source.address.lower():
        via.params.set("received", source.address)
        _, *others = split(lines[0], ",")
        lines[0] = ", ".join([str(via), *others])
        request.headers.replace("Via", lines)
    return via


def response_hop(via: Via, source: Hop) -> Hop:
    """Where the response to a request with this Via goes, having come from ``source``.

    Over a stream it is the same connection. Over UDP it is the address the
    request came from, at the port it came from if ``rport`` asks so, else at
    the one in sent-by; or a numeric ``maddr``.
    """
    if source.transport != "UDP":
        return source
    if "rport" in via.params:
        return source
    address = source.address
    maddr = (via.params.get("maddr") or "").strip("[]")
    if maddr and is_numeric(maddr):
        address = maddr
    return Hop("UDP", address, via.sent_by[1], source.local)


def fallback_hop(via: Via, source: Hop) -> Hop | None:
    """Where to connect to when the request's connection is gone (RFC 3261 §18.2.2)."""
    if source.transport == "UDP":
        return None
    return Hop(source.transport, source.address, via.sent_by[1])


def is_numeric(host: str) -> bool:
    """Whether a host is an IPv4 or IPv6 address and not a name."""
    if ":" in host:
        return made_of(host, HEX_DIGITS + ":.")
    parts = host.split(".")
    return len(parts) == 4 and all(
        made_of(part, DIGITS) and len(part) <= 3 and int(part) < 256 for part in parts
    )
