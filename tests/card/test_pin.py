"""The PIN: never sent when it could lock the card, never when it is not asked for."""

from __future__ import annotations

import pytest
from card_links import Bench, ScriptedLink

from card import profile
from card.errors import PinBlocked, PinMalformed, PinRequired, PinWrong, StatusError
from card.exchange import Exchange
from card.isim import IsimSession
from card.uicc import Uicc

SHIPPED = profile.shipped()
PIN_ENABLED = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))
QUERY = "0020000100"
VERIFY = "0020000108" + b"1234".hex() + "FFFFFFFF"
STATUS = "80F2000000"


def verify(*script: tuple[str, str], pin: str = "1234", force: bool = False) -> ScriptedLink:
    link = ScriptedLink((STATUS, "6D00"), *script)
    try:
        Uicc(Exchange(link)).verify_pin(pin, force=force)
    finally:
        assert not link.script
    return link


def test_the_tries_are_asked_for_first() -> None:
    verify((QUERY, "63C3"), (VERIFY, "9000"))


@pytest.mark.parametrize("word", ["9000", "6984", "9808"])
def test_a_pin_that_is_not_asked_for_is_not_sent(word: str) -> None:
    verify((QUERY, word))


def test_a_card_that_wants_no_le_in_the_question() -> None:
    verify((QUERY, "6700"), ("00200001", "63C3"), (VERIFY, "9000"))


def test_a_wrong_pin() -> None:
    with pytest.raises(PinWrong, match="2 tries") as failure:
        verify((QUERY, "63C3"), (VERIFY, "63C2"))
    assert failure.value.tries_left == 2


def test_below_two_tries_nothing_is_sent() -> None:
    with pytest.raises(PinBlocked, match=r"only 1 try .* not sent") as failure:
        verify((QUERY, "63C1"))
    assert failure.value.tries_left == 1


def test_below_two_tries_it_is_sent_when_forced() -> None:
    verify((QUERY, "63C1"), (VERIFY, "9000"), force=True)
    with pytest.raises(PinBlocked, match="has blocked it") as failure:
        verify((QUERY, "63C1"), (VERIFY, "63C0"), force=True)
    assert failure.value.tries_left == 0


@pytest.mark.parametrize("word", ["6983", "63C0", "9840"])
def test_a_blocked_pin_is_not_sent_even_when_forced(word: str) -> None:
    with pytest.raises(PinBlocked, match="PUK"):
        verify((QUERY, word), force=True)


@pytest.mark.parametrize("word", ["6F00", "6400", "6581", "9300", "6C08"])
def test_no_second_verify_whatever_the_card_says(word: str) -> None:
    with pytest.raises(StatusError, match=word):
        verify((QUERY, "63C3"), (VERIFY, word))


def test_an_unknown_answer_to_the_question_stops_everything() -> None:
    with pytest.raises(StatusError, match="6D00"):
        verify((QUERY, "6D00"))


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12 4", "abcd", "１２３４", "12345\n"])
def test_a_pin_that_cannot_be_is_refused_before_anything_is_sent(pin: str) -> None:
    link = ScriptedLink()
    with pytest.raises(PinMalformed, match="4 to 8 decimal digits") as failure:
        Uicc(Exchange(link)).verify_pin(pin)
    assert not link.journal
    assert not pin or pin not in str(failure.value).replace("4 to 8", "")


@pytest.mark.parametrize(
    ("references", "enabled", "used"),
    [
        ("830101830181", "80", "01"),
        ("83018183010A", "80", "81"),
        ("830101830111", "40", "11"),
        ("830181830105", "C0", "05"),
    ],
)
def test_which_pin_is_the_users(references: str, enabled: str, used: str) -> None:
    status = f"9001{enabled}{references}"
    template = f"C6{len(status) // 2:02X}{status}"
    fcp = f"62{len(template) // 2:02X}{template}"
    link = ScriptedLink(
        (STATUS, fcp + "9000"),
        (f"002000{used}00", "63C3"),
        (f"002000{used}08" + b"1234".hex() + "FFFFFFFF", "9000"),
    )
    Uicc(Exchange(link)).verify_pin("1234")
    assert not link.script


def test_pin2_is_never_tried_in_place_of_a_disabled_pin1() -> None:
    link = ScriptedLink((STATUS, "620BC609900140830101830181" + "9000"))
    Uicc(Exchange(link)).verify_pin("1234")
    assert not link.script


def test_a_disabled_pin_is_not_touched() -> None:
    link = ScriptedLink((STATUS, "6208C606900100830101" + "9000"))
    uicc = Uicc(Exchange(link))
    uicc.verify_pin("1234")
    assert not link.script


def test_the_emulated_card() -> None:
    bench = Bench(described=PIN_ENABLED)
    assert bench.uicc.pin_tries() == 3
    with pytest.raises(PinWrong):
        bench.uicc.verify_pin("0000")
    with pytest.raises(PinWrong):
        bench.uicc.verify_pin("0000")
    assert bench.uicc.pin_tries() == 1
    with pytest.raises(PinBlocked):
        bench.uicc.verify_pin("1234")
    assert bench.uicc.pin_tries() == 1
    bench.uicc.verify_pin("1234", force=True)
    bench.exchange.reset()
    assert bench.uicc.pin_tries() == 3
    assert Bench(described=SHIPPED).uicc.pin_tries() is None


def test_a_pin_that_another_programs_reset_took_away_is_verified_again() -> None:
    bench = Bench(described=PIN_ENABLED)
    isim = IsimSession(bench.uicc, bench.uicc.choose("isim"))
    good = bench.vector(64)
    bench.card.reset()
    with pytest.raises(PinRequired):
        isim.authenticate(good.rand, good.autn)
    bench.uicc.verify_pin("1234")
    bench.card.reset()
    assert isim.authenticate(good.rand, good.autn).res == good.xres


def test_a_pin_that_was_changed_meanwhile_is_tried_once_more_and_never_again() -> None:
    bench = Bench(described=PIN_ENABLED)
    isim = IsimSession(bench.uicc, bench.uicc.choose("isim"))
    bench.uicc.verify_pin("1234")
    change = "0024000110" + (b"1234".hex() + "FF" * 4) + (b"4321".hex() + "FF" * 4)
    assert bench.card.transmit(bytes.fromhex(change)) == b"\x90\x00"
    bench.card.reset()
    good = bench.vector(64)
    with pytest.raises(PinWrong, match="2 tries"):
        isim.authenticate(good.rand, good.autn)
    with pytest.raises(PinRequired):
        isim.authenticate(good.rand, good.autn)
    assert bench.uicc.pin_tries() == 2
