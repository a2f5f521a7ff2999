"""What a phone says to a card from time to time, and a card without a toolkit answers politely.

TS 102 221 §11.1.2, §11.1.16, §11.1.19 and §11.2; TS 102 223 §6.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from card.emulator.filesystem import fcp
from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

_CAPABILITY = 0xA9  # TS 102 221 §11.1.19.2
_CHALLENGE_OCTETS = 8


def status(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """STATUS (§11.1.2): the FCP or the AID of the current DF, or nothing."""
    df = card.channel.df
    if p1 > 2:
        raise Refused(0x6A86)
    if p2 == 0x00:
        answer = fcp(df, card.state.pin_status())
    elif p2 == 0x01 and df.aid:
        answer = bytes((0x84, len(df.aid))) + df.aid
    elif p2 == 0x0C:
        return OK
    else:
        raise Refused(0x6A86)
    if le not in (0, len(answer)):
        raise Refused(0x6C00 | len(answer))
    return answer + OK


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
