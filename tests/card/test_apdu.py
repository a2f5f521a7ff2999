"""Commands to octets and back, and what status words mean."""

from __future__ import annotations

import pytest

from card.apdu import Command, Response, meaning, parse_command

CASES = [
    (Command(0x00, 0x20, 0x00, 0x01), "00200001"),
    (Command(0x00, 0xB0, 0x82, 0x00, le=10), "00B082000A"),
    (Command(0x00, 0xB0, 0x82, 0x00, le=256), "00B0820000"),
    (Command(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00"), "00A4000C023F00"),
    (Command(0x00, 0xA4, 0x04, 0x04, bytes(7), 256), "00A404040700000000000000" + "00"),
    (Command(0x00, 0xD6, 0x00, 0x00, bytes(255)), "00D60000FF" + "00" * 255),
]


@pytest.mark.parametrize(("command", "octets"), CASES)
def test_to_bytes_and_back(command: Command, octets: str) -> None:
    assert command.to_bytes().hex().upper() == octets
    assert parse_command(command.to_bytes()) == command


@pytest.mark.parametrize("octets", ["", "00A400", "00A40004023F", "00A40004000000"])
def test_octets_that_are_no_command(octets: str) -> None:
    with pytest.raises(ValueError, match=r"octets"):
        parse_command(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "command",
    [
        Command(0, 0xA4, 0, 0, le=0),
        Command(0, 0xA4, 0, 0, le=257),
        Command(0, 0xA4, 0, 0, bytes(256)),
    ],
)
def test_what_does_not_fit_is_refused(command: Command) -> None:
    with pytest.raises(ValueError, match=r"Le of|range\(0, 256\)"):
        command.to_bytes()


def test_names() -> None:
    assert Command(0, 0x88, 0, 0x81).name == "AUTHENTICATE"
    assert Command(0xA0, 0xA4, 0, 0).name == "SELECT"
    assert Command(0, 0x77, 0, 0).name == "INS 77"


@pytest.mark.parametrize(
    ("sw", "words"),
    [
        (0x9000, "normal ending"),
        (0x910B, "proactive command of 11 octets is pending"),
        (0x6135, "53 more octets"),
        (0x6100, "256 more octets"),
        (0x6C09, "9 octets are available"),
        (0x9F16, "22 octets available (GSM)"),
        (0x63C2, "2 tries left"),
        (0x63C0, "0 tries left"),
        (0x6982, "security status not satisfied"),
        (0x6983, "blocked"),
        (0x6A82, "file or application not found"),
        (0x9862, "incorrect MAC"),
        (0x9864, "security context not supported"),
        (0x9804, "GSM"),
        (0x6F42, "technical problem 42"),
        (0x6599, "memory changed"),
        (0x1234, "unknown status word"),
    ],
)
def test_meanings(sw: int, words: str) -> None:
    assert words in meaning(sw)


def test_every_status_word_has_a_text() -> None:
    assert all(meaning(sw) for sw in range(0x10000))


def test_ok_and_warning() -> None:
    assert [sw for sw in (0x9000, 0x9105, 0x6200, 0x6300, 0x9862) if Response(b"", sw).ok] == [
        0x9000,
        0x9105,
    ]
    assert Response(b"", 0x6282).warning
    assert not Response(b"", 0x6400).warning


def test_neither_pin_nor_keys_in_repr() -> None:
    pin = b"1234\xff\xff\xff\xff"
    assert "1234" not in repr(Command(0, 0x20, 0, 1, pin))
    assert pin.hex() not in repr(Command(0, 0x20, 0, 1, pin)).lower()
    keys = b"\xdb\x08SECRETRE"
    assert "SECRET" not in repr(Response(keys, 0x9000))
    assert keys.hex() not in repr(Response(keys, 0x9000)).lower()
