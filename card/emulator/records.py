"""Records other than by their number, and SEARCH RECORD (TS 102 221 §11.1.5, §11.1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator.filesystem import LinearFixedEf
from card.emulator.refused import Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

# low bits of P2
_NEXT, _PREVIOUS, _ABSOLUTE = 0x02, 0x03, 0x04
_FORWARD, _BACKWARD = 0x04, 0x05

_NOTHING_FOUND = 0x6282


def number_of(card: EmulatedCard, ef: LinearFixedEf, p1: int, p2: int) -> int:
    """The number of the record that P1 and P2 mean, from 1; next and previous move the pointer.

    Refuses with 6A83 when there is none.
    """
    channel = card.channel
    mode = p2 & 0x07
    if mode == _ABSOLUTE:
        found = p1 or channel.record
    elif mode not in (_NEXT, _PREVIOUS) or p1:
        raise Refused(0x6A86)
    elif mode == _NEXT:
        found = channel.record + 1
    else:
        found = channel.record - 1 if channel.record else len(ef.records)
    if not 1 <= found <= len(ef.records):
        raise Refused(0x6A83)
    if mode != _ABSOLUTE:
        channel.record = found
    return found


def search(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """Simple search from record P1 on: the numbers of the records which hold the data."""
    ef = card.locate(p2 >> 3)
    card.require(ef.rule.read)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    mode = p2 & 0x07
    if mode not in (_FORWARD, _BACKWARD):
        raise Refused(0x6A86)
    if not data or len(data) > ef.record_length:
        raise Refused(0x6700)
    start = p1 or card.channel.record
    if not 1 <= start <= len(ef.records):
        raise Refused(0x6A83)
    order = range(start, len(ef.records) + 1) if mode == _FORWARD else range(start, 0, -1)
    found = [each for each in order if data in ef.records[each - 1]]
    if not found:
        raise Refused(_NOTHING_FOUND)
    card.channel.record = found[0]
    return card.hold(bytes(found))
