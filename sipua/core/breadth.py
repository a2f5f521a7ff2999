"""How far a request may fork: Max-Breadth (RFC 5393 §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import PeerError
from sipua.sip.grammar import parse_number

if TYPE_CHECKING:
    from sipua.core.routing import Way
    from sipua.sip.message import Request

MOST = 60
"""Branches at a time that one request may have, here and further on."""


def breadth_of(request: Request) -> int:
    """What a request allows, and no more than we do; raises ParseError."""
    value = request.headers.get("Max-Breadth")
    return MOST if value is None else min(MOST, parse_number(value, 2**31 - 1, "Max-Breadth"))


def divided(ways: list[Way], breadth: int) -> list[Way]:
    """The ways, each with its share. Raises PeerError (440) when there is too little for all."""
    if len(ways) > breadth:
        raise PeerError(f"{len(ways)} targets at a time", 440, "Max-Breadth Exceeded")
    share, more = divmod(breadth, len(ways))
    return [way._replace(breadth=share + (at < more)) for at, way in enumerate(ways)]
