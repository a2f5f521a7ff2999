"""What a phone sends and a card without a toolkit application answers politely.

TS 102 221 §11.1.16, §11.1.19 and §11.2; TS 102 223 §6.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

_CAPABILITY = 0xA9  # TS 102 221 §11.1.19.2
_CHALLENGE_OCTETS = 8


def profile(_card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """TERMINAL PROFILE: taken note of, nothing is pending afterwards."""
    _check(p1, p2)
    if not data:
        raise Refused(0x6700)
    return OK


def capability(_card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """TERMINAL CAPABILITY."""
    _check(p1, p2)
    if len(data) < 2:
        raise Refused(0x6700)
    if data[0] != _CAPABILITY or data[1] != len(data) - 2:
        raise Refused(0x6A80)
    return OK


def envelope(_card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """ENVELOPE: accepted, as nothing on the card waits for it."""
    _check(p1, p2)
    if not data:
        raise Refused(0x6700)
    return OK


def fetch(_card: EmulatedCard, p1: int, p2: int, _data: bytes, _le: int) -> bytes:
    """FETCH: there is no proactive command to fetch."""
    _check(p1, p2)
    raise Refused(0x6985)


def response(_card: EmulatedCard, p1: int, p2: int, _data: bytes, _le: int) -> bytes:
    """TERMINAL RESPONSE: to no command of this card."""
    _check(p1, p2)
    raise Refused(0x6985)


def challenge(_card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """GET CHALLENGE: random octets."""
    _check(p1, p2)
    return os.urandom(le or _CHALLENGE_OCTETS) + OK


def _check(p1: int, p2: int) -> None:
    if p1 or p2:
        raise Refused(0x6A86)
