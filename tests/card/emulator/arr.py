"""What a terminal makes of EF_ARR: read from the card, and by no code of the card's."""

from __future__ import annotations

from raw_terminal import Terminal

from card.tlv import Tlv

READ, UPDATE = 0x01, 0x02  # bits of the access mode byte
ALWAYS, NEVER = "always", "never"

Condition = set[bytes | str]
"""Keys of which any one will do, or ALWAYS, or nothing for never."""


def rule_of(terminal: Terminal, fid: str) -> dict[str, Condition]:
    """The rule for a file of the current directory, by its FCP and the record it names."""
    fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch(f"00A4000402{fid}"))).value(0x62))
    reference = fcp.value(0x8B)
    assert terminal.send(f"00A4000C02{reference[:2].hex()}") == "9000"
    length = terminal.send("00B2010400")[2:]
    record = terminal.send(f"00B2{reference[2]:02X}04{length}")
    assert record.endswith("9000"), record
    return parse(bytes.fromhex(record[:-4]))


def parse(record: bytes) -> dict[str, Condition]:
    """Access modes, each with the security condition after it (TS 102 221 §9.2.4)."""
    rule: dict[str, Condition] = {"read": set(), "update": set()}
    objects = list(Tlv(record))
    for (tag, mode), (kind, value) in zip(objects[::2], objects[1::2], strict=True):
        assert tag == 0x80
        for name, bit in (("read", READ), ("update", UPDATE)):
            if mode[0] & bit:
                rule[name] = _condition(kind, value)
    return rule


def allowed(condition: Condition, keys: set[bytes]) -> bool:
    """Whether somebody who presented these keys meets the condition."""
    return ALWAYS in condition or bool(condition & keys)


def _condition(kind: int, value: bytes) -> Condition:
    if kind == 0x90:
        return {ALWAYS}
    if kind == 0x97:
        return set()
    if kind == 0xA0:
        return set().union(*(_condition(tag, inner) for tag, inner in Tlv(value)))
    assert kind == 0xA4
    key = Tlv(value)
    assert key.value(0x95) == b"\x08"
    return {key.value(0x83)}
