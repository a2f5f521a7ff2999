"""Cards for tests: one that follows a script, and the emulated one with a real card's manners."""

from __future__ import annotations

from collections.abc import Callable

from card import profile
from card.aka.milenage import Milenage
from card.aka.vector import Vector, make_vector
from card.emulator.card import EmulatedCard
from card.exchange import Exchange
from card.link import CardLink
from card.masking import TracedApdu
from card.profile import Profile
from card.uicc import Uicc

Transmit = Callable[[bytes], bytes]
Manners = Callable[[bytes, Transmit], bytes]


class ScriptedLink(CardLink):
    """Answers exactly the commands of its script, in order; hexadecimal on both sides."""

    reader = "script"

    def __init__(self, *script: tuple[str, str]) -> None:
        self.script = list(script)
        self.journal: list[str] = []

    @property
    def atr(self) -> bytes:
        return b"\x3b\x00"

    def transmit(self, command: bytes) -> bytes:
        assert self.script, f"the script has no line for {command.hex().upper()}"
        expected, answer = self.script.pop(0)
        assert command.hex().upper() == expected.replace(" ", "")
        return bytes.fromhex(answer)

    def reset(self) -> None:
        self.journal.append("reset")

    def close(self) -> None:
        self.journal.append("close")

    def begin_transaction(self) -> None:
        self.journal.append("begin")

    def end_transaction(self) -> None:
        self.journal.append("end")


def plain(command: bytes, transmit: Transmit) -> bytes:
    """The emulated card as it is: T=0."""
    return transmit(command)


class ManneredLink(CardLink):
    """The emulated card behind a function that sees, and may change, each APDU."""

    reader = "manners"
    waits = False

    def __init__(self, card: EmulatedCard, manners: Manners = plain) -> None:
        self.card = card
        self.manners = manners

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, command: bytes) -> bytes:
        return self.manners(command, self.card.transmit)

    def reset(self) -> None:
        self.card.reset()

    def close(self) -> None:
        pass


class Bench:
    """An emulated card with its AuC, and a UICC client on it."""

    def __init__(self, manners: Manners = plain, described: Profile | None = None) -> None:
        self.profile = described or profile.shipped()
        self.card = EmulatedCard(self.profile)
        self.traced: list[TracedApdu] = []
        self.exchange = Exchange(ManneredLink(self.card, manners), self.traced.append)
        self.uicc = Uicc(self.exchange)
        secrets = self.profile.authentication
        self.functions = Milenage(secrets.k, secrets.opc)

    def vector(self, sqn: int, rand: bytes = bytes(range(16))) -> Vector:
        return make_vector(self.functions, rand, sqn, b"\x80\x00")
