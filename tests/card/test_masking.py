"""What the trace hook is shown: every APDU, and no secret."""

from __future__ import annotations

import pytest
from card_links import Bench, ScriptedLink

from card.aka.result import SynchronisationFailure
from card.apdu import Command
from card.exchange import Exchange
from card.isim import IsimSession
from card.masking import TracedApdu

RES, CK, IK, KC = "A1" * 8, "B2" * 16, "C3" * 16, "D4" * 8
GOOD = f"DB08{RES}10{CK}10{IK}08{KC}"
AUTS = "DC0E" + "E5" * 14
AUTHENTICATE = Command(0, 0x88, 0, 0x81, b"\x10" + bytes(16) + b"\x10" + bytes(16), 256)
SAID = AUTHENTICATE.to_bytes().hex().upper()


def trace(
    *script: tuple[str, str], command: Command = AUTHENTICATE, bare: bool = False
) -> list[TracedApdu]:
    masked: list[TracedApdu] = []
    unmasked: list[TracedApdu] = []
    Exchange(ScriptedLink(*script), masked.append, unmasked.append).send(command)
    return unmasked if bare else masked


@pytest.mark.parametrize(
    "script",
    [
        [(SAID, GOOD + "9000")],
        [(SAID, "6135"), ("00C0000035", GOOD + "9000")],
        [(SAID, "6100"), ("00C0000000", GOOD[:30] + "6120"), ("00C0000020", GOOD[30:] + "9000")],
        [(SAID, GOOD[:2] + "6134"), ("00C0000034", GOOD[2:] + "9000")],
        [(SAID, "6110"), ("00C0000010", "6C08"), ("00C0000008", RES + "9000")],
        [(SAID, "0E" + "A1" * 14 + "9000")],
        [(SAID, "04A1A1A1A108D4D4D4D4D4D4D4D49000")],
    ],
)
def test_keys_do_not_reach_the_hook(script: list[tuple[str, str]]) -> None:
    shown = repr(trace(*script))
    for octet in ("A1", "B2", "C3", "D4"):
        assert octet not in shown
    for _, answer in script:
        assert answer[-4:] in shown


def test_lengths_stay_to_be_seen() -> None:
    (apdu,) = trace((SAID, GOOD + "9000"))
    assert apdu.answer == "DB" + ".." * (len(GOOD) // 2 - 1) + "9000"
    assert apdu.sw == 0x9000
    assert (apdu.name, apdu.command) == ("AUTHENTICATE", SAID)


def test_auts_is_no_secret() -> None:
    assert [apdu.answer for apdu in trace((SAID, "6110"), ("00C0000010", AUTS + "9000"))] == [
        "6110",
        AUTS + "9000",
    ]


def test_the_end_of_an_answer_that_looks_like_auts_is_a_secret() -> None:
    shown = trace((SAID, GOOD[:2] + "6110"), ("00C0000010", AUTS + "9000"))
    assert "E5" not in repr(shown)


@pytest.mark.parametrize("instruction", [0x20, 0x24, 0x26, 0x28, 0x2C])
def test_pins_do_not_reach_the_hook(instruction: int) -> None:
    command = Command(0, instruction, 0, 1, b"1234\xff\xff\xff\xff")
    (apdu,) = trace((command.to_bytes().hex().upper(), "63C2"), command=command)
    assert apdu.command == f"00{instruction:02X}000108" + ".." * 8
    assert apdu.answer == "63C2"


def test_other_data_is_shown_whole() -> None:
    read = Command(0, 0xB0, 0x82, 0, le=2)
    assert trace(("00B0820002", "ABCD9000"), command=read) == [
        TracedApdu("READ BINARY", "00B0820002", "ABCD9000", 0x9000)
    ]


def test_secrets_are_shown_to_who_asks_for_them() -> None:
    (apdu,) = trace((SAID, GOOD + "9000"), bare=True)
    assert apdu.answer == GOOD + "9000"


def test_a_whole_session_shows_no_secret() -> None:
    bench = Bench()
    isim = IsimSession(bench.uicc, bench.uicc.choose())
    vector = bench.vector(64)
    bench.uicc.verify_pin("1234")
    response = isim.authenticate(vector.rand, vector.autn)
    with pytest.raises(SynchronisationFailure):
        isim.authenticate(vector.rand, vector.autn)
    shown = repr(bench.traced).upper()
    assert len(bench.traced) == bench.exchange.apdus
    assert vector.rand.hex().upper() in shown
    for secret in (*response[:3], b"1234\xff"):
        assert secret.hex().upper() not in shown
        assert secret.hex()[2:].upper() not in shown
