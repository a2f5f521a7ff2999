"""The terminal's part of an exchange: GET RESPONSE, wrong Le, transient words, transactions."""

from __future__ import annotations

import pytest
from card_links import ScriptedLink

from card.apdu import Command, Response
from card.errors import AnswerError
from card.exchange import MOST_FETCHES, Exchange, is_transient

READ = Command(0, 0xB0, 0x82, 0, le=256)
SELECT = Command(0, 0xA4, 4, 4, b"\xa0\x00\x00\x00\x87", 256)
VERIFY = Command(0, 0x20, 0, 1, b"1234\xff\xff\xff\xff")
GSM_SELECT = Command(0xA0, 0xA4, 0, 0, b"\x6f\x07")


@pytest.mark.parametrize(
    ("command", "script", "data", "sw"),
    [
        (READ, [("00B0820000", "01029000")], "0102", 0x9000),
        (READ, [("00B0820000", "6C02"), ("00B0820002", "01029000")], "0102", 0x9000),
        (READ, [("00B0820000", "6C00"), ("00B0820000", "9000")], "", 0x9000),
        (READ, [("00B0820000", "6C02"), ("00B0820002", "6C02")], "", 0x6C02),
        (
            SELECT,
            [("00A4040405A00000008700", "6103"), ("00C0000003", "0102039000")],
            "010203",
            0x9000,
        ),
        (
            SELECT,
            [
                ("00A4040405A00000008700", "6100"),
                ("00C0000000", "6C03"),
                ("00C0000003", "01020361 02"),
                ("00C0000002", "0405 910B"),
            ],
            "0102030405",
            0x910B,
        ),
        (
            SELECT,
            [("00A4040405A00000008700", "0102 6101"), ("00C0000001", "03 9000")],
            "010203",
            0x9000,
        ),
        (SELECT, [("00A4040405A00000008700", "0102 6283")], "0102", 0x6283),
        (SELECT, [("00A4040405A00000008700", "6310")], "", 0x6310),
        (GSM_SELECT, [("A0A40000026F07", "9F02"), ("A0C0000002", "0102 9000")], "0102", 0x9000),
        (READ, [("00B0820000", "9F02")], "", 0x9F02),
    ],
)
def test_whole_answers(command: Command, script: list[tuple[str, str]], data: str, sw: int) -> None:
    link = ScriptedLink(*script)
    exchange = Exchange(link)
    assert exchange.send(command) == Response(bytes.fromhex(data), sw)
    assert not link.script
    assert exchange.apdus == len(script)


@pytest.mark.parametrize("word", ["6400", "6500", "6581", "6F00", "9300"])
def test_a_transient_word_is_followed_by_one_more_try(word: str) -> None:
    link = ScriptedLink(("00B0820000", word), ("00B0820000", "6C01"), ("00B0820001", "AA9000"))
    assert Exchange(link).send(READ) == Response(b"\xaa", 0x9000)
    link = ScriptedLink(("00B0820000", word), ("00B0820000", word))
    assert Exchange(link).send(READ).sw == int(word, 16)
    assert not link.script


@pytest.mark.parametrize("word", ["6400", "6581", "6F00", "9300", "6C08"])
@pytest.mark.parametrize("instruction", [0x20, 0x24, 0x26, 0x28, 0x2C])
def test_a_pin_command_is_never_said_twice(word: str, instruction: int) -> None:
    command = VERIFY._replace(ins=instruction)
    exchange = Exchange(ScriptedLink((command.to_bytes().hex().upper(), word)))
    assert exchange.send(command).sw == int(word, 16)
    assert exchange.apdus == 1


def test_only_these_words_are_transient() -> None:
    transient = {sw for sw in range(0x10000) if is_transient(sw)}
    assert transient == {0x6400, 0x6F00, *range(0x6500, 0x6600), *range(0x9300, 0x9400)}


def test_an_answer_without_end_is_an_error() -> None:
    fetches = [("00C0000001", "AA6101")] * MOST_FETCHES
    link = ScriptedLink(("00B0820000", "6101"), *fetches)
    with pytest.raises(AnswerError, match="does not end"):
        Exchange(link).send(READ)


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_word_is_an_error(answer: str) -> None:
    with pytest.raises(AnswerError, match="no status word"):
        Exchange(ScriptedLink(("00B0820000", answer))).send(READ)


def test_nested_transactions_are_one_for_the_link() -> None:
    link = ScriptedLink()
    exchange = Exchange(link)
    with exchange.transaction():
        assert exchange.selections == 1
        with exchange.transaction():
            assert exchange.selections == 1
        assert link.journal == ["begin"]
    assert link.journal == ["begin", "end"]
    with exchange.transaction():
        assert exchange.selections == 2


def test_a_transaction_ends_with_the_failure_in_it() -> None:
    link = ScriptedLink(("00B0820000", ""))
    exchange = Exchange(link)
    with pytest.raises(AnswerError), exchange.transaction():
        exchange.send(READ)
    assert link.journal == ["begin", "end"]
    exchange.reset()
    assert link.journal[-1] == "reset"
    assert exchange.selections == 2


@pytest.mark.parametrize(
    ("cla", "fetching"), [(0x00, "00"), (0x01, "01"), (0x80, "00"), (0xA0, "A0")]
)
def test_get_response_goes_to_the_same_logical_channel(cla: int, fetching: str) -> None:
    link = ScriptedLink((f"{cla:02X}F2000001", "6101"), (f"{fetching}C0000001", "AA9000"))
    assert Exchange(link).send(Command(cla, 0xF2, 0, 0, le=1)).data == b"\xaa"


def test_le_behind_data_is_left_out_for_a_card_that_refuses_it() -> None:
    link = ScriptedLink(
        ("00A40004023F0000", "6700"), ("00A40004023F00", "6102"), ("00C0000002", "62009000")
    )
    answer = Exchange(link).send(Command(0, 0xA4, 0, 4, b"\x3f\x00", 256))
    assert (answer.data, answer.sw) == (b"\x62\x00", 0x9000)
    twice = ScriptedLink(("00A40004023F0000", "6700"), ("00A40004023F00", "6700"))
    assert Exchange(twice).send(Command(0, 0xA4, 0, 4, b"\x3f\x00", 256)).sw == 0x6700
    assert not twice.script
    pin = ScriptedLink(("0020000100", "6700"))
    assert Exchange(pin).send(Command(0, 0x20, 0, 1, le=256)).sw == 0x6700
