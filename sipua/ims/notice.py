"""What a NOTIFY says of its subscription (RFC 6665 §8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError
from sipua.sip.headers import parse_delta_seconds
from sipua.sip.inspection import Refused
from sipua.sip.parameters import Parameters

if TYPE_CHECKING:
    from sipua.sip.message import Request

TERMINATED = "terminated"

UNTOLD = -1
"""Seconds that a NOTIFY does not tell."""


class Notice(NamedTuple):
    """Subscription-State: ``state`` is active, pending or terminated; ``expires`` and
    ``retry_after`` are seconds, or UNTOLD."""

    state: str
    reason: str
    expires: int
    retry_after: int


def check_event(request: Request, event: str) -> None:
    """Raise Refused for the NOTIFY of another event package."""
    told, _, _ = (request.headers.get("Event") or "").partition(";")
    if told.strip().lower() != event:
        raise Refused(f"nobody subscribed to {told[:40]!r}", 489, ("Allow-Events", event))


def read_notice(request: Request) -> Notice:
    """Read Subscription-State; raises ParseError for none."""
    state, _, rest = (request.headers.get("Subscription-State") or "").partition(";")
    state = state.strip().lower()
    if not state:
        raise ParseError("a NOTIFY without Subscription-State")
    parameters = Parameters.parse(rest) if rest.strip() else Parameters()
    reason = (parameters.get("reason") or "").lower()
    expires, retry_after = (_seconds(parameters, each) for each in ("expires", "retry-after"))
    return Notice(state, reason, expires, retry_after)


def _seconds(parameters: Parameters, name: str) -> int:
    try:
        return parse_delta_seconds(parameters.get(name) or "")
    except ParseError:
        return UNTOLD
