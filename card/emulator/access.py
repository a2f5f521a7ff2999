"""Who may do what to a file (TS 102 221 §9): declared once, enforced and told from here.

``Rule`` is what a command handler asks; ``encode`` writes the same rules into
EF_ARR, where a terminal reads them. A file's FCP names the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.tlv import write_tlv as tlv

if TYPE_CHECKING:
    from collections.abc import Mapping

# Conditions. Those that are keys are the specification's key references (§9.5.1).
ALWAYS = 0x00
PIN1 = 0x01
ADM1 = 0x0A
UNIVERSAL_PIN = 0x11
PIN2 = 0x81
NEVER = 0xFF

# Access mode byte of an EF (ISO/IEC 7816-4 table 17)
_READ, _UPDATE, _DEACTIVATE, _ACTIVATE = 0x01, 0x02, 0x08, 0x10

_ACCESS_MODE, _CONTROL_REFERENCE, _ANY_OF = 0x80, 0xA4, 0xA0
_USER_PIN = b"\x95\x01\x08"  # usage qualifier: compare with the user's entry


class Rule:
    """One record of EF_ARR: the conditions for reading and for updating.

    ``record`` counts from 1. Everything else that can be done to an EF takes ADM.
    """

    __slots__ = ("read", "record", "update")

    def __init__(self, record: int, read: int, update: int) -> None:
        self.record = record
        self.read = read
        self.update = update


OPEN = Rule(1, ALWAYS, ADM1)
USER = Rule(2, PIN1, ADM1)
USER_WRITES = Rule(3, PIN1, PIN1)
OPEN_USER_WRITES = Rule(4, ALWAYS, PIN1)
USER_WRITES_WITH_PIN2 = Rule(5, PIN1, PIN2)
FIXED = Rule(6, ALWAYS, NEVER)
RULES = (OPEN, USER, USER_WRITES, OPEN_USER_WRITES, USER_WRITES_WITH_PIN2, FIXED)


def encode(rule: Rule, keys: Mapping[int, tuple[int, ...]]) -> bytes:
    """The record of EF_ARR, expanded format (§9.2.4).

    ``keys`` gives the key references of which any one meets a condition, where
    that is not the condition's own.
    """
    modes = {
        ALWAYS: 0,
        rule.read: 0,
        rule.update: 0,
        ADM1: _ACTIVATE | _DEACTIVATE,
    }
    modes[rule.read] |= _READ
    modes[rule.update] |= _UPDATE
    return b"".join(
        tlv(_ACCESS_MODE, bytes([mode])) + _condition(condition, keys.get(condition, (condition,)))
        for condition, mode in modes.items()
        if mode
    )


def _condition(condition: int, references: tuple[int, ...]) -> bytes:
    if condition == ALWAYS:
        return b"\x90\x00"
    if condition == NEVER:
        return b"\x97\x00"
    keys = b"".join(
        tlv(_CONTROL_REFERENCE, tlv(0x83, bytes([reference])) + _USER_PIN)
        for reference in references
    )
    return keys if len(references) == 1 else tlv(_ANY_OF, keys)
