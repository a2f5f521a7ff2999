"""Access rules in words: the records of EF_ARR (TS 102 221 §9.2.4, §9.2.7; ISO/IEC 7816-4 §9.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from card.errors import AnswerError
from card.tlv import Tlv, write_tlv

ACCESS_MODE, COMMAND_HEADERS = 0x80, range(0x81, 0x90)
ALWAYS, NEVER, ANY_OF, ALL_OF, KEY = 0x90, 0x97, 0xA0, 0xAF, 0xA4
KEY_REFERENCE, USAGE = 0x83, 0x95
USER_PIN = b"\x08"  # usage qualifier: compare with the user's entry
MOST_DEPTH = 3  # of OR and AND templates in each other

# Access mode byte of an EF (ISO/IEC 7816-4 table 17)
MODES = {
    0x01: "read",
    0x02: "update",
    0x04: "write",
    0x08: "deactivate",
    0x10: "activate",
    0x20: "terminate",
    0x40: "delete",
}
# Key references (TS 102 221 table 9.3)
KEYS = {
    0x01: "PIN1",
    **{number: f"PIN1 of application {number}" for number in range(2, 9)},
    **{0x0A + number: f"ADM{number + 1}" for number in range(5)},
    0x11: "universal PIN",
    0x81: "PIN2",
    **{0x80 + number: f"PIN2 of application {number}" for number in range(2, 9)},
    **{0x8A + number: f"ADM{number + 6}" for number in range(5)},
}


class AccessRule(NamedTuple):
    """What may be done, and the condition for it."""

    may: tuple[str, ...]
    condition: str


def decode_rules(record: bytes) -> tuple[AccessRule, ...]:
    """A record of EF_ARR: access modes, each followed by its condition. Raises AnswerError."""
    rules: list[AccessRule] = []
    may: tuple[str, ...] = ()
    for tag, value in Tlv(record):
        if tag == ACCESS_MODE:
            bits = value[0] if value else 0
            may = tuple(name for bit, name in MODES.items() if bits & bit)
        elif tag in COMMAND_HEADERS:
            may = (f"command {value.hex().upper()}",)
        elif may:
            rules.append(AccessRule(may, _condition(tag, value, MOST_DEPTH)))
            may = ()
    if not rules:
        raise AnswerError("a record of EF_ARR holds no rule")
    return tuple(rules)


def encode_rules(rules: Iterable[AccessRule]) -> bytes:
    """A record of EF_ARR without filling, for conditions without AND."""
    bits = {name: bit for bit, name in MODES.items()}
    return b"".join(
        write_tlv(ACCESS_MODE, bytes((sum(bits[name] for name in rule.may),)))
        + _encode_condition(rule.condition)
        for rule in rules
    )


def _condition(tag: int, value: bytes, depth: int) -> str:
    if tag == ALWAYS:
        return "always"
    if tag == NEVER:
        return "never"
    if tag == KEY:
        references = Tlv(value).value(KEY_REFERENCE)
        return KEYS.get(references[0], f"key {references[0]:02X}") if references else "a key"
    if tag in (ANY_OF, ALL_OF) and depth:
        word = " or " if tag == ANY_OF else " and "
        return word.join(_condition(inner, each, depth - 1) for inner, each in Tlv(value))
    return f"condition {tag:02X} {value.hex().upper()}"


def _encode_condition(condition: str) -> bytes:
    if condition == "always":
        return write_tlv(ALWAYS, b"")
    if condition == "never":
        return write_tlv(NEVER, b"")
    references = {name: reference for reference, name in KEYS.items()}
    keys = [
        write_tlv(KEY, write_tlv(KEY_REFERENCE, bytes((references[name],)))
                  + write_tlv(USAGE, USER_PIN))
        for name in condition.split(" or ")
    ]  # fmt: skip
    return keys[0] if len(keys) == 1 else write_tlv(ANY_OF, b"".join(keys))
