"""Two emulated cards from one ``sipua card emulate``, in both readers of the real pcscd."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.emulator.quirks import ATR_T1
from card.profile import Profile, load
from card.readers.locate import list_readers
from card.session import CardSession
from interop.command import start_sipua
from interop.pcscd import Pcscd
from interop.program import Program, wait_until

CARDS = Path(__file__).parents[2] / "fixtures" / "cards"
RAND = bytes(range(16))


class TwoCards:
    """The profiles of the cards in the two readers, and the process that is both."""

    def __init__(self, pcscd: Pcscd, folder: Path) -> None:
        for name in ("isim", "usim"):
            shutil.copy(CARDS / f"{name}.toml", folder)
        with_t1 = (folder / "usim.toml").read_text()
        (folder / "usim.toml").write_text(f'quirks = ["t1"]\n{with_t1}')
        paths = [str(folder / "isim.toml"), str(folder / "usim.toml")]
        self.profiles = [load(path) for path in paths]
        self.program: Program = start_sipua(
            folder, "cards", "card", "emulate", *paths, "--vpcd", f"127.0.0.1:{pcscd.ports[0]}"
        )
        self.program.wait_ready(lambda: self.program.log.count("ready ") == 2)
        for slot in range(2):
            pcscd.wait_for_card(slot)


@pytest.fixture
def two_cards(pcscd: Pcscd, tmp_path: Path) -> Iterator[TwoCards]:
    two = TwoCards(pcscd, tmp_path)
    yield two
    two.program.stop()
    for slot in range(2):
        pcscd.wait_for_card(slot, present=False)


def run_aka(session: CardSession, profile: Profile, sqn: int) -> bytes:
    made = make_vector(functions_of(profile.authentication), RAND, sqn, b"\x80\x00")
    res = session.application.authenticate(RAND, made.autn).res
    assert res == made.xres
    return res


def test_both_are_used_at_once(pcscd: Pcscd, two_cards: TwoCards) -> None:
    with ExitStack() as opened:
        sessions = [opened.enter_context(CardSession(f"pcsc:{reader}")) for reader in pcscd.readers]
        assert [each.uicc.iccid() for each in sessions] == [
            profile.iccid for profile in two_cards.profiles
        ]
        assert [each.application.name for each in sessions] == ["isim", "usim"]
        for sqn in (32, 64, 96):
            answers = [
                run_aka(session, profile, sqn)
                for session, profile in zip(sessions, two_cards.profiles, strict=True)
            ]
            assert len(set(answers)) == 2, "they have different keys"


def test_each_has_its_atr_and_protocol(two_cards: TwoCards) -> None:
    first, second = list_readers()
    assert first.present
    assert second.atr == ATR_T1


def test_bursts_of_power_on_both(pcscd: Pcscd, two_cards: TwoCards) -> None:
    for turn in range(8):
        reader = pcscd.readers[turn % 2]
        with CardSession(f"pcsc:{reader}") as session:
            session.exchange.reset()
            run_aka(session, two_cards.profiles[turn % 2], 32 * (turn + 1))
    assert two_cards.program.running


def test_one_signal_ends_both(pcscd: Pcscd, two_cards: TwoCards) -> None:
    two_cards.program.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not two_cards.program.running, 5, "the cards are out")
    assert two_cards.program.process.returncode == 0


def test_without_a_second_reader_neither_stays(pcscd: Pcscd, tmp_path: Path) -> None:
    shutil.copy(CARDS / "isim.toml", tmp_path)
    shutil.copy(CARDS / "usim.toml", tmp_path)
    place = f"127.0.0.1:{pcscd.ports[1]}"  # the last one
    program = start_sipua(
        tmp_path, "cards", "card", "emulate", "isim.toml", "usim.toml", "--vpcd", place
    )
    wait_until(lambda: not program.running, 5, "it gives up")
    assert program.process.returncode == 10
    assert f"no virtual reader at 127.0.0.1:{pcscd.ports[1] + 1}" in program.log
    pcscd.wait_for_card(1, present=False)
