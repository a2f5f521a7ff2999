"""PIN1 of an emulated card: point 12 of the facts, and its whole life."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.statefile import StateFile

PIN = "32343638FFFFFFFF"  # "2468", as in fixtures/cards/pin.toml
NEW = "3133353739FFFFFF"  # "13579"
WRONG = "30303030FFFFFFFF"
PUK = "3837363534333231"
WRONG_PUK = "3030303030303030"


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(fixture_card("pin"))


def readable(terminal: Terminal) -> bool:
    """Whether EF_IMSI opens now."""
    terminal.select(USIM)
    answer = terminal.send("00B0870009")
    assert answer == "6982" or answer.endswith("9000")
    return answer != "6982"


class TestPoint12Verify:
    def test_files_are_closed_until_the_pin_is_given(self, terminal: Terminal) -> None:
        assert terminal.send("00B082000A").endswith("9000"), "EF_ICCID is open to all"
        terminal.select(USIM)
        assert terminal.send("00B0830004").endswith("9000"), "EF_AD is open to all"
        assert terminal.send("00A4000C026F07") == "9000"
        assert terminal.send("00B0000009") == "6982"
        assert terminal.send("0020000108" + PIN) == "9000"
        assert terminal.send("00B0000009").endswith("9000")
        terminal.select(ISIM)
        assert terminal.send("00B0820000").endswith("9000"), "one PIN1 for both applications"
        assert terminal.send("00B2012400")[:2] == "6C"

    def test_records_are_closed_too(self, terminal: Terminal) -> None:
        terminal.select(ISIM)
        assert terminal.send("00B2012400") == "6982"

    def test_the_query_spends_nothing(self, terminal: Terminal) -> None:
        for _ in range(5):
            assert terminal.send("0020000100") == "63C3"
            assert terminal.send("00200001") == "63C3"

    def test_three_wrong_pins_block(self, terminal: Terminal) -> None:
        wrong = "0020000108" + WRONG
        assert [terminal.send(wrong) for _ in range(5)] == ["63C2", "63C1", "63C0", "6983", "6983"]
        assert terminal.send("0020000108" + PIN) == "6983"
        assert terminal.send("0020000100") == "63C0"
        assert not readable(terminal)

    def test_a_right_pin_gives_the_tries_back(self, terminal: Terminal) -> None:
        assert terminal.send("0020000108" + WRONG) == "63C2"
        assert terminal.send("0020000108" + PIN) == "9000"
        assert terminal.send("0020000100") == "63C3"

    def test_a_wrong_pin_closes_the_files_again(self, terminal: Terminal) -> None:
        terminal.send("0020000108" + PIN)
        assert readable(terminal)
        assert terminal.send("0020000108" + WRONG) == "63C2"
        assert not readable(terminal)

    def test_a_disabled_pin_is_not_compared(self) -> None:
        terminal = Terminal(fixture_card("isim"))
        assert terminal.send("0020000108" + WRONG) == "9000"
        assert terminal.send("0020000100") == "63C3"
        assert readable(terminal)

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("0020000104 32343638", "6700"),
            ("0020010108" + PIN, "6A86"),
            ("0020001108" + PIN, "6A88"),
            ("0020000208" + PIN, "6A88"),
            ("0020001100", "6A88"),
            ("0020000A08" + PIN, "6983"),
            ("0020000A00", "63C0"),
            ("0024000108" + PIN, "6700"),
            ("0028000108" + PIN, "6985"),
        ],
    )
    def test_what_is_refused(self, terminal: Terminal, command: str, answer: str) -> None:
        assert terminal.send(command) == answer
        assert terminal.send("0020000100") == "63C3"


def test_change(terminal: Terminal) -> None:
    assert terminal.send(f"0024000110{WRONG}{NEW}") == "63C2"
    assert terminal.send(f"0024000110{PIN}{NEW}") == "9000"
    assert readable(terminal)
    terminal.card.reset()
    assert terminal.send("0020000108" + PIN) == "63C2"
    assert terminal.send("0020000108" + NEW) == "9000"


@pytest.mark.parametrize("bad", ["313233FFFFFFFFFF", "FFFFFFFFFFFFFFFF", "31FF3233343536FF"])
def test_change_to_what_is_no_pin(terminal: Terminal, bad: str) -> None:
    assert terminal.send(f"0024000110{PIN}{bad}") == "6A80"
    terminal.card.reset()
    assert terminal.send("0020000108" + PIN) == "9000"


def test_disable_and_enable(terminal: Terminal) -> None:
    assert terminal.send("0026000108" + WRONG) == "63C2"
    assert terminal.send("0026000108" + PIN) == "9000"
    terminal.card.reset()
    assert readable(terminal)
    assert terminal.send("0026000108" + PIN) == "6985"
    assert terminal.send(f"0024000110{PIN}{NEW}") == "6985"
    assert terminal.send("0028000108" + WRONG) == "63C2"
    assert terminal.send("0028000108" + PIN) == "9000"
    assert readable(terminal), "the PIN was just given"
    terminal.card.reset()
    assert not readable(terminal)


def test_unblock(terminal: Terminal) -> None:
    for _ in range(3):
        terminal.send("0020000108" + WRONG)
    assert terminal.send("002C000100") == "63CA"
    assert terminal.send(f"002C000110{WRONG_PUK}{NEW}") == "63C9"
    assert terminal.send(f"002C000110{PUK}{NEW}") == "9000"
    assert terminal.send("0020000100") == "63C3"
    assert terminal.send("002C000100") == "63CA"
    assert readable(terminal)
    terminal.card.reset()
    assert not readable(terminal)
    assert terminal.send("0020000108" + NEW) == "9000"


def test_unblock_enables_a_disabled_pin() -> None:
    """TS 102 221 §11.1.13.1.1."""
    terminal = Terminal(fixture_card("isim"))
    assert terminal.send(f"002C000110 3132333435363738 {NEW}") == "9000"
    terminal.card.reset()
    assert not readable(terminal)


def test_ten_wrong_puks_end_the_card(terminal: Terminal) -> None:
    answers = [terminal.send(f"002C000110{WRONG_PUK}{NEW}") for _ in range(11)]
    assert answers == [f"63C{left:X}" for left in range(9, -1, -1)] + ["6983"]
    assert terminal.send(f"002C000110{PUK}{NEW}") == "6983"
    assert terminal.send("0020000108" + PIN) == "9000", "the PIN itself was not blocked"


def test_tries_and_pin_outlast_the_process(tmp_path: Path) -> None:
    path = str(tmp_path / "pin.state.json")
    profile = fixture_card("pin")
    with StateFile(path) as state:
        terminal = Terminal(profile, state)
        assert terminal.send("0020000108" + WRONG) == "63C2"
    with StateFile(path) as state:
        terminal = Terminal(profile, state)
        assert terminal.send("0020000100") == "63C2"
        assert terminal.send(f"0024000110{PIN}{NEW}") == "9000"
        assert terminal.send("0026000108" + NEW) == "9000"
    with StateFile(path) as state:
        terminal = Terminal(profile, state)
        assert readable(terminal)
        assert terminal.send("0028000108" + NEW) == "9000"


def test_a_try_is_spent_before_the_pin_is_compared(tmp_path: Path) -> None:
    """Cutting the power at the right moment must not give free tries."""
    path = str(tmp_path / "pin.state.json")
    saved: list[int] = []

    class Recorder(StateFile):
        def save(self, state: dict[str, object]) -> None:
            assert isinstance(state["pin1_tries"], int)
            saved.append(state["pin1_tries"])
            super().save(state)

    with Recorder(path) as state:
        terminal = Terminal(fixture_card("pin"), state)
        assert terminal.send("0020000108" + PIN) == "9000"
        assert saved == [2, 3]
        assert terminal.send("0020000108" + WRONG) == "63C2"
        assert saved == [2, 3, 2]


PIN2, NEW_PIN2, PUK2 = "31333537FFFFFFFF", "39393939FFFFFFFF", "3132333434333231"
UNIVERSAL, UNIVERSAL_PUK = "313132323333FFFF", "3333323231313030"
KEYS = "8301018301819501{}83011183010A"


class TestPin2:
    """Of fixtures/cards/gba.toml: key reference 81, never disabled."""

    @pytest.fixture
    def terminal(self) -> Terminal:
        return Terminal(fixture_card("gba"))

    def test_its_life(self, terminal: Terminal) -> None:
        assert terminal.send("0020008100") == "63C3"
        assert terminal.send("0020008108" + PIN2) == "9000"
        assert terminal.send(f"0024008110{PIN2}{NEW_PIN2}") == "9000"
        assert [terminal.send("0020008108" + PIN2) for _ in range(4)] == [
            "63C2",
            "63C1",
            "63C0",
            "6983",
        ]
        assert terminal.send("0020000100") == "63C3", "PIN1 has tries of its own"
        assert terminal.send("002C008100") == "63CA"
        assert terminal.send(f"002C008110{WRONG_PUK}{PIN2}") == "63C9"
        assert terminal.send(f"002C008110{PUK2}{PIN2}") == "9000"
        assert terminal.send("0020008108" + PIN2) == "9000"

    def test_it_opens_nothing_of_pin1s(self, terminal: Terminal) -> None:
        assert terminal.send("0020008108" + PIN2) == "9000"
        assert not readable(terminal)

    def test_it_cannot_be_disabled(self, terminal: Terminal) -> None:
        assert terminal.send("0026008108" + PIN2) == "6985"
        assert terminal.send("0026918108" + PIN2) == "6A86"
        assert terminal.send("0028008108" + PIN2) == "6985"


def pin_status(terminal: Terminal) -> str:
    """The content of C6 in the MF's FCP."""
    fcp = terminal.fetch("00A40004023F00")
    at = fcp.index("C6")
    return fcp[at + 4 : at + 4 + 2 * int(fcp[at + 2 : at + 4], 16)]


class TestUniversalPin:
    """Key reference 11, which can stand in for PIN1 (TS 102 221 §9.4.1, §11.1.11)."""

    @pytest.fixture
    def terminal(self) -> Terminal:
        return Terminal(fixture_card("gba"))

    def test_beside_pin1_it_opens_nothing(self, terminal: Terminal) -> None:
        assert pin_status(terminal) == "9001F0" + KEYS.format("00")
        assert terminal.send("0020001108" + UNIVERSAL) == "9000"
        assert not readable(terminal)
        assert terminal.send("0020000108" + PIN) == "9000"
        assert readable(terminal)

    def test_in_the_place_of_pin1(self, terminal: Terminal) -> None:
        assert terminal.send("0026910108" + WRONG) == "63C2"
        assert terminal.send("0026910108" + PIN) == "9000"
        assert pin_status(terminal) == "900170" + KEYS.format("08")
        terminal.card.reset()
        assert not readable(terminal), "the universal PIN is wanted instead"
        assert terminal.send("0020001108" + WRONG) == "63C2"
        assert terminal.send("0020001108" + UNIVERSAL) == "9000"
        assert readable(terminal)
        terminal.card.reset()
        assert terminal.send("0028000108" + PIN) == "9000"
        assert "950100" in pin_status(terminal), "PIN1 enabled again takes its place back"
        terminal.card.reset()
        terminal.send("0020001108" + UNIVERSAL)
        assert not readable(terminal)

    def test_replaced_and_then_disabled_opens_everything(self, terminal: Terminal) -> None:
        assert terminal.send("0026910108" + PIN) == "9000"
        assert terminal.send("0026001108" + UNIVERSAL) == "9000"
        terminal.card.reset()
        assert readable(terminal)
        assert terminal.send("0028001108" + UNIVERSAL) == "9000"
        terminal.card.reset()
        assert not readable(terminal)

    def test_unblocking_pin1_ends_the_replacement(self, terminal: Terminal) -> None:
        terminal.send("0026910108" + PIN)
        assert terminal.send(f"002C000110{PUK}{NEW}") == "9000"
        terminal.card.reset()
        assert terminal.send("0020000108" + NEW) == "9000"
        assert readable(terminal)

    def test_change_and_unblock(self, terminal: Terminal) -> None:
        assert terminal.send(f"0024001110{UNIVERSAL}{NEW}") == "9000"
        for _ in range(3):
            terminal.send("0020001108" + UNIVERSAL)
        assert terminal.send("0020001108" + NEW) == "6983"
        assert terminal.send(f"002C001110{UNIVERSAL_PUK}{UNIVERSAL}") == "9000"
        assert terminal.send("0020001108" + UNIVERSAL) == "9000"

    @pytest.mark.parametrize("p1", ["11", "81", "90", "92", "80"])
    def test_other_replacements_are_refused(self, terminal: Terminal, p1: str) -> None:
        assert terminal.send(f"0026{p1}0108" + PIN) == "6A86"

    def test_a_card_without_one(self) -> None:
        terminal = Terminal(fixture_card("pin"))
        assert terminal.send("0026910108" + PIN) == "6A86"
        assert terminal.send("0020001100") == "6A88"

    def test_all_of_it_outlasts_the_process(self, tmp_path: Path) -> None:
        path = str(tmp_path / "gba.state.json")
        with StateFile(path) as state:
            terminal = Terminal(fixture_card("gba"), state)
            assert terminal.send("0026910108" + PIN) == "9000"
            assert terminal.send("0020001108" + WRONG) == "63C2"
            assert terminal.send("0020008108" + WRONG) == "63C2"
            assert terminal.send(f"002C008110{WRONG_PUK}{PIN2}") == "63C9"
        with StateFile(path) as state:
            terminal = Terminal(fixture_card("gba"), state)
            assert "950108" in pin_status(terminal)
            assert not readable(terminal)
            assert terminal.send("0020001100") == "63C2"
            assert terminal.send("0020008100") == "63C2"
            assert terminal.send("002C008100") == "63C9"
            assert terminal.send("0020001108" + UNIVERSAL) == "9000"
            assert readable(terminal)


def test_a_state_from_before_pin2_is_taken(tmp_path: Path) -> None:
    """Files that knew PIN1 only: the others begin as the profile says."""
    path = tmp_path / "pin.state.json"
    with StateFile(str(path)) as state:
        assert Terminal(fixture_card("gba"), state).send("0020000108" + WRONG) == "63C2"
    kept = json.loads(path.read_text())
    first = {key: value for key, value in kept.items() if "2" not in key and "universal" not in key}
    assert len(kept) - len(first) == 8
    path.write_text(json.dumps(first))
    with StateFile(str(path)) as state:
        terminal = Terminal(fixture_card("gba"), state)
        assert terminal.send("0020000100") == "63C2"
        assert terminal.send("0020008108" + PIN2) == "9000"
        assert terminal.send("0020001108" + UNIVERSAL) == "9000"


def test_no_pin_in_any_repr() -> None:
    terminal = Terminal(fixture_card("gba"))
    shown = repr(list(terminal.card.state.pins.values())) + repr(fixture_card("gba").pin)
    for secret in ("2468", "1357", "112233", "87654321", "12344321", "33221100"):
        assert secret not in shown
