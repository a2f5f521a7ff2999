"""DTMF in INFO: application/dtmf-relay, which no RFC names and every gateway knows."""

from __future__ import annotations

CONTENT_TYPE = "application/dtmf-relay"
BARE = "application/dtmf"
"""The digit and nothing else, as some send it."""

DURATION = 160
"""Milliseconds."""

_DIGITS = frozenset("0123456789*#ABCD")
_EVENTS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
_MAX_DURATION = 60_000


def write(digit: str) -> bytes:
    """The body for one digit."""
    return f"Signal={digit}\r\nDuration={DURATION}\r\n".encode()


def read(content_type: str, body: bytes) -> tuple[str, float] | None:
    """The digit and its milliseconds (0: not told); None when it is none of ours."""
    kind = content_type.partition(";")[0].strip().lower()
    text = body[:200].decode("ascii", "replace")
    if kind == BARE:
        bare = _digit(text)
        return (bare, 0.0) if bare else None
    if kind != CONTENT_TYPE:
        return None
    pairs = [line.partition("=") for line in text.splitlines()]
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    digit = _digit(fields.get("signal", ""))
    duration = fields.get("duration", "")
    ms = min(int(duration), _MAX_DURATION) if duration.isdecimal() and len(duration) < 7 else 0
    return (digit, float(ms)) if digit else None


def _digit(text: str) -> str:
    text = text.strip().upper()
    text = _EVENTS.get(text, text)
    return text if text in _DIGITS else ""
