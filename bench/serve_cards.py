"""Two cards in two virtual readers from one process: the emulated one, and one that nods.

Arguments: card profile, and the TCP port of the first reader; the other is one
higher. The second card answers 9000 to everything: what remains is the way there
and back. Prints "ready" when both are in.
"""

from __future__ import annotations

import sys

from card.emulator.card import EmulatedCard
from card.emulator.refused import OK
from card.emulator.vpcd import VpcdCard, show
from card.profile import load


class NoddingCard(EmulatedCard):
    """Answers 9000 to every command."""

    def transmit(self, command: bytes) -> bytes:
        """Whatever the command."""
        return OK


def main(path: str, port: str) -> None:
    """Until somebody ends the process."""
    profile = load(path)
    cards = [
        VpcdCard(EmulatedCard(profile), port=int(port)),
        VpcdCard(NoddingCard(profile), port=int(port) + 1),
    ]
    seen: list[VpcdCard] = []

    def ready(card: VpcdCard) -> None:
        seen.append(card)
        if len(seen) == len(cards):
            print("ready", flush=True)

    show(cards, ready)


if __name__ == "__main__":
    main(*sys.argv[1:])
