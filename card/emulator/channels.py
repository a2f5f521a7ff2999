"""MANAGE CHANNEL: logical channels, each with files of its own (TS 102 221 §8.7, §11.1.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator.card import CHANNELS, Channel
from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

_OPEN, _CLOSE = 0x00, 0x80  # P1


def manage(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """Open the next free channel, whose number is answered, or channel P2; or close P2."""
    if p1 == _OPEN:
        return _open(card, p2, le)
    if p1 != _CLOSE or not 1 <= p2 < CHANNELS:
        raise Refused(0x6A86)
    if p2 not in card.channels:
        raise Refused(0x6881)
    del card.channels[p2]
    return OK


def _open(card: EmulatedCard, wanted: int, le: int) -> bytes:
    if wanted >= CHANNELS:
        raise Refused(0x6A86)
    if le > 1:
        raise Refused(0x6C01)
    free = [number for number in range(1, CHANNELS) if number not in card.channels]
    if not free or (wanted and wanted not in free):
        raise Refused(0x6881)
    origin = card.channel
    basic = origin is card.channels[0]
    # opened from the basic channel it begins at the MF, else where its origin stands
    opened = Channel(card.tree.mf) if basic else Channel(origin.df, origin.adf)
    card.channels[wanted or free[0]] = opened
    return OK if wanted else bytes([free[0]]) + OK
