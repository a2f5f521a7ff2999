"""Responses with what every one copies from its request (RFC 3261 §8.2.6)."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.headers import NameAddr
from sipua.sip.message import Request, Response


def create_response(
    request: Request, status: int, reason: str = "", to_tag: str | None = None
) -> Response:
    """Via, From, To, Call-ID and CSeq as the request has them, so far as it has them.

    ``to_tag`` goes to a To that has none yet; a To that cannot be read is
    copied as it is.
    """
    headers = request.headers
    lines = [("Via", via) for via in headers.all("Via")]
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = headers.get(name)
        if value is None:
            continue
        if name == "To" and to_tag:
            value = _with_tag(value, to_tag)
        lines.append((name, value))
    if status == 100 and "Timestamp" in headers:
        lines.append(("Timestamp", headers.get("Timestamp") or ""))
    return Response(status, reason, lines)


def _with_tag(to: str, tag: str) -> str:
    try:
        tagged = NameAddr.parse(to).tag is not None
    except ParseError:
        return to
    return to if tagged else f"{to};tag={tag}"
