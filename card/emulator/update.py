"""UPDATE BINARY and UPDATE RECORD (TS 102 221 §11.1.4, §11.1.6): stored, then answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator.card import binary
from card.emulator.filesystem import LinearFixedEf, TransparentEf
from card.emulator.records import number_of
from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard


def update_binary(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """Write the data at an offset; all of it must fit."""
    ef, offset = binary(card, p1, p2)
    card.require(ef.rule.update)
    if not isinstance(ef, TransparentEf):
        raise Refused(0x6981)
    if not data:
        raise Refused(0x6700)
    if offset + len(data) > len(ef.content):
        raise Refused(0x6B00 if offset >= len(ef.content) else 0x6700)
    ef.content = ef.content[:offset] + data + ef.content[offset + len(data) :]
    store(card, ef)
    return OK


def update_record(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """Replace one record, whole."""
    ef = card.locate(p2 >> 3)
    card.require(ef.rule.update)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    if len(data) != ef.record_length:
        raise Refused(0x6700)
    ef.records[number_of(card, ef, p1, p2) - 1] = data
    store(card, ef)
    return OK


def store(card: EmulatedCard, ef: TransparentEf | LinearFixedEf) -> None:
    """Keep what the file holds now beyond the power."""
    if isinstance(ef, TransparentEf):
        card.state.files[ef.path] = ef.content.hex()
    else:
        card.state.files[ef.path] = [record.hex() for record in ef.records]
    card.state.save()
