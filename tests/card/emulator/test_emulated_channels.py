"""Logical channels: four, each with files of its own, one PIN for all (TS 102 221 §8.7)."""

from __future__ import annotations

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

PIN = "32343638FFFFFFFF"


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(fixture_card("isim"))


def current_fid(terminal: Terminal, channel: int) -> str:
    answer = terminal.send(f"8{channel}F2000000")
    assert answer.endswith("9000"), answer
    at = answer.index("8302", 4)
    return answer[at + 4 : at + 8]


def test_three_more_can_be_opened(terminal: Terminal) -> None:
    assert terminal.send("01A4000C023F00") == "6881"
    assert [terminal.send("0070000001") for _ in range(4)] == [
        "019000",
        "029000",
        "039000",
        "6881",
    ]
    assert terminal.send("0070800200") == "9000"
    assert terminal.send("02A4000C023F00") == "6881"
    assert terminal.send("00700000") == "029000"


def test_a_channel_of_ones_own_choice(terminal: Terminal) -> None:
    assert terminal.send("0070000300") == "9000"
    assert terminal.send("0070000300") == "6881"
    assert terminal.send("03A4000C023F00") == "9000"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0070000400", "6A86"),
        ("0070800000", "6A86"),
        ("0070800400", "6A86"),
        ("0070800100", "6881"),
        ("0070010000", "6A86"),
        ("0070000002", "6C01"),
        ("0170000001", "6881"),
        ("80700000", "6E00"),
        ("40A4000C023F00", "6881"),
        ("04A4000C023F00", "6882"),
    ],
)
def test_what_is_refused(terminal: Terminal, command: str, answer: str) -> None:
    assert terminal.send(command) == answer


def test_each_has_its_own_files(terminal: Terminal) -> None:
    terminal.select(USIM)
    terminal.send("0070000001")
    assert current_fid(terminal, 0) == "7FFF"
    assert current_fid(terminal, 1) == "3F00", "opened from the basic channel: the MF"
    assert terminal.send(f"01A4040C10{ISIM}") == "9000"
    assert terminal.send("01A4000C026F02") == "9000"
    assert terminal.send("00B0000000") == "6986"
    assert terminal.send("00A4000C026F07") == "9000"
    assert terminal.send("00B0000009").startswith("08")
    assert terminal.send("01B0000002")[:2] == "80"
    assert terminal.send("0170000001") == "029000"
    assert current_fid(terminal, 2) == "7FFF", "opened from another channel: where that stands"
    assert terminal.send("02B0000000") == "6986", "but no EF is current"
    assert terminal.send("02B0820002")[:2] == "80"


def test_the_record_pointer_is_the_channels(terminal: Terminal) -> None:
    terminal.send("0070000001")
    for cla in ("00", "01"):
        terminal.send(f"{cla}A4000C022F00")
    first, second = terminal.send("00B200021A"), terminal.send("00B200021A")
    assert first != second
    assert terminal.send("01B200021A") == first


def test_what_waits_belongs_to_one_channel(terminal: Terminal) -> None:
    terminal.send("0070000001")
    announced = terminal.send("01A40004023F00")
    assert terminal.send("00C00000" + announced[2:]) == "6985"
    assert terminal.send("01C00000" + announced[2:]).startswith("62")


def test_one_pin_for_all() -> None:
    terminal = Terminal(fixture_card("pin"))
    terminal.send("0070000001")
    terminal.send(f"01A4040C10{USIM}")
    assert terminal.send("01B0870009") == "6982"
    assert terminal.send("0020000108" + PIN) == "9000"
    assert terminal.send("01B0870009").endswith("9000")


def test_a_reset_closes_them(terminal: Terminal) -> None:
    terminal.send("0070000001")
    terminal.card.reset()
    assert terminal.send("01A4000C023F00") == "6881"


def test_aka_on_a_channel(terminal: Terminal) -> None:
    terminal.send("0070000001")
    terminal.send(f"01A4040C10{ISIM}")
    assert terminal.send("0188008122 10" + "00" * 16 + "10" + "00" * 16) == "9862"
    assert terminal.send("0088008122 10" + "00" * 16 + "10" + "00" * 16) == "6985"
