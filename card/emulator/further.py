"""The instructions that a registration without a PIN does without (TS 102 221 §10.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator import channels, pin, records, terminal, update

if TYPE_CHECKING:
    from card.emulator.card import Handler

# INS: its class, whether it brings an answer and no data, and what does it
COMMANDS: dict[int, tuple[int, bool, Handler]] = {
    0x10: (0x80, False, terminal.profile),
    0x12: (0x80, True, terminal.fetch),
    0x14: (0x80, False, terminal.response),
    0x20: (0x00, False, pin.verify),
    0x24: (0x00, False, pin.change),
    0x26: (0x00, False, pin.disable),
    0x28: (0x00, False, pin.enable),
    0x2C: (0x00, False, pin.unblock),
    0x70: (0x00, True, channels.manage),
    0x84: (0x00, True, terminal.challenge),
    0xA2: (0x00, False, records.search),
    0xAA: (0x80, False, terminal.capability),
    0xC2: (0x80, False, terminal.envelope),
    0xD6: (0x00, False, update.update_binary),
    0xDC: (0x00, False, update.update_record),
    0xF2: (0x80, True, terminal.status),
}
