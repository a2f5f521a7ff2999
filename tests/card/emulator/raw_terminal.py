"""A terminal that sends hex to an emulated card and follows nothing by itself."""

from __future__ import annotations

from pathlib import Path

from card.emulator.card import EmulatedCard
from card.link import CardLink
from card.profile import Profile, load
from card.statefile import StateFile

CARDS = Path(__file__).parents[3] / "fixtures" / "cards"
USIM = "A0000000871002FFFFFFFF8907090000"
ISIM = "A0000000871004FFFFFFFF8907090000"


def fixture_card(name: str) -> Profile:
    """One of the profiles in fixtures/cards."""
    return load(str(CARDS / f"{name}.toml"))


class Terminal:
    """Hex in, hex out (upper case), on one card."""

    def __init__(self, profile: Profile, state: StateFile | None = None) -> None:
        self.card = EmulatedCard(profile, state)

    def send(self, command: str) -> str:
        """The raw answer to one command; spaces in the hex are for the reader."""
        return self.card.transmit(bytes.fromhex(command)).hex().upper()

    def fetch(self, command: str) -> str:
        """The data of a command which must be answered 61xx, without the 9000."""
        announced = self.send(command)
        assert announced[:2] == "61", announced
        answer = self.send("00C00000" + announced[2:])
        assert answer.endswith("9000"), answer
        assert len(answer) == 2 * int(announced[2:], 16) + 4
        return answer[:-4]

    def select(self, aid: str) -> None:
        """Select an application by its full AID, no data wanted."""
        assert self.send(f"00A4040C{len(aid) // 2:02X}{aid}") == "9000"

    def authenticate(self, rand: bytes, autn: bytes) -> str:
        """The first answer to AUTHENTICATE in the 3G context: 61xx or a refusal."""
        return self.send(f"0088008122 10{rand.hex()} 10{autn.hex()}")

    def held(self, announced: str) -> str:
        """What a 61xx announced."""
        answer = self.send("00C00000" + announced[2:])
        assert answer.endswith("9000"), answer
        return answer[:-4]


class PluggedCard(CardLink):
    """An emulated card as a link, for our own client."""

    reader = "plugged"
    waits = False

    def __init__(self, profile: Profile) -> None:
        self.card = EmulatedCard(profile)
        self.sent: list[tuple[bytes, bytes]] = []

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        self.sent.append((command, answer))
        return answer

    def reset(self) -> None:
        self.card.reset()

    def close(self) -> None:
        pass
