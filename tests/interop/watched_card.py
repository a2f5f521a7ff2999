"""An emulated card in a virtual reader that remembers what was said to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from card.emulator.card import EmulatedCard
from card.emulator.vpcd import VpcdCard
from card.profile import Profile
from interop.pcscd import Pcscd

SECONDS = 5.0
GSM_CLASS = 0xA0
CLASS_NOT_SUPPORTED = b"\x6e\x00"


class Spoken(NamedTuple):
    """One command APDU and the card's answer to it."""

    command: bytes
    answer: bytes

    def __repr__(self) -> str:
        return f"{self.command.hex(' ')} -> {self.answer.hex(' ')}"


class WatchedCard(EmulatedCard):
    """``spoken`` holds every exchange, ``resets`` how often power came or went."""

    def __init__(self, profile: Profile) -> None:
        self.spoken: list[Spoken] = []
        self.resets = 0
        super().__init__(profile)

    def reset(self) -> None:
        self.resets += 1
        super().reset()

    def transmit(self, command: bytes) -> bytes:
        answer = super().transmit(command)
        self.spoken.append(Spoken(command, answer))
        return answer

    def answers(self, instruction: int) -> list[bytes]:
        """The answers to commands with this INS, in order."""
        return [each.answer for each in self.spoken if each.command[1] == instruction]

    def commands(self, instruction: int) -> list[bytes]:
        """The commands sent with this INS, in order."""
        return [each.command for each in self.spoken if each.command[1] == instruction]


class WatchedSim(WatchedCard):
    """The same as a SIM of 2G times: the GSM class and no other."""

    def transmit(self, command: bytes) -> bytes:
        if command[0] == GSM_CLASS:
            return super().transmit(command)
        self.spoken.append(Spoken(command, CLASS_NOT_SUPPORTED))
        return CLASS_NOT_SUPPORTED


@contextmanager
def inserted(
    pcscd: Pcscd, profile: Profile, slot: int = 0, kind: type[WatchedCard] = WatchedCard
) -> Iterator[WatchedCard]:
    """A card for ``profile`` in a reader; what it remembers is lost with it."""
    card = kind(profile)
    reader = VpcdCard(card, port=pcscd.ports[slot])
    thread = threading.Thread(target=reader.run, name="card")
    thread.start()
    try:
        pcscd.wait_for_card(slot)
        yield card
    finally:
        reader.stop()
        thread.join(SECONDS)
        reader.close()
        pcscd.wait_for_card(slot, present=False)
