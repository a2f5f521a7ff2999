"""Managing PINs: on the emulated card, on scripted ones, and every refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from card_links import Bench, ScriptedLink

from card import profile
from card.errors import PinBlocked, PinDisabled, PinMalformed, PinRequired, PinWrong, StatusError
from card.exchange import Exchange
from card.isim import IsimSession
from card.uicc import Uicc
from card.user_pin import PinState, UserPin, name_of, states

SHIPPED = profile.shipped()
PIN_ON = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))
UNIVERSAL = SHIPPED._replace(
    pin=SHIPPED.pin._replace(enabled=True, universal_pin="5678", universal_puk="87654321")
)
MF, STATUS = "00A4000C023F00", "80F2000000"
OLD, NEW = b"1234".hex() + "FF" * 4, b"4321".hex() + "FF" * 4


def pin1(bench: Bench) -> UserPin:
    return UserPin(bench.uicc, bench.uicc.choose("usim"))


def test_a_life_of_pin1() -> None:
    bench = Bench()
    pin = pin1(bench)
    assert (pin.reference, pin.name) == (0x01, "PIN1")
    assert not pin.verify("1234")
    assert not pin.disable("1234")
    with pytest.raises(PinDisabled, match="enable it before"):
        pin.change("1234", "4321")
    assert pin.state() == PinState(1, "PIN1", False, None, 3, 10)
    assert pin.enable("1234")
    assert pin.state().enabled is True
    assert not pin.enable("1234")
    assert pin.change("1234", "4321")
    bench.exchange.reset()
    with pytest.raises(PinWrong, match="refused the PIN, 2 tries"):
        pin.verify("1234")
    assert pin.verify("4321")
    assert pin.state().tries_left == 3
    assert pin.disable("4321")
    assert pin.state().enabled is False
    assert bench.uicc.pin_tries() is None


def test_blocked_and_unblocked() -> None:
    bench = Bench(described=PIN_ON)
    pin = pin1(bench)
    for left in (2, 1):
        with pytest.raises(PinWrong, match=f"{left} tries"):
            pin.verify("0000")
    operations: list[Callable[[], bool]] = [
        lambda: pin.verify("1234"),
        lambda: pin.change("1234", "4321"),
        lambda: pin.disable("1234"),
    ]
    for operation in operations:
        with pytest.raises(PinBlocked, match=r"only 1 try .* was not sent"):
            operation()
    assert pin.state().tries_left == 1
    with pytest.raises(PinBlocked, match="has blocked it"):
        pin.verify("0000", force=True)
    with pytest.raises(PinBlocked, match="unblock it with the PUK"):
        pin.verify("1234", force=True)
    with pytest.raises(PinWrong, match="refused the PUK, 9 tries"):
        pin.unblock("00000000", "2468")
    assert pin.state() == PinState(1, "PIN1", True, None, 0, 9)
    assert pin.unblock("12345678", "2468")
    bench.exchange.reset()
    assert pin.verify("2468")


def test_the_last_puk_try_is_kept() -> None:
    bench = Bench(described=PIN_ON)
    pin = pin1(bench)
    for _ in range(9):
        with pytest.raises(PinWrong):
            pin.unblock("00000000", "2468")
    with pytest.raises(PinBlocked, match="only 1 try is left for the PUK"):
        pin.unblock("12345678", "2468")
    with pytest.raises(PinBlocked, match="refused the PUK"):
        pin.unblock("00000000", "2468", force=True)
    with pytest.raises(PinBlocked, match="for good"):
        pin.unblock("12345678", "2468", force=True)


def test_the_universal_pin() -> None:
    bench = Bench(described=UNIVERSAL)
    usim = bench.uicc.choose("usim")
    pin = UserPin(bench.uicc, usim, universal=True)
    assert (pin.reference, pin.name) == (0x11, "universal PIN")
    assert pin.verify("5678")
    assert pin.change("5678", "8765")
    names = [each.name for each in states(bench.uicc, usim)]
    assert names == ["PIN1", "PIN2", "universal PIN"]
    assert pin.disable("8765")
    assert {each.name: each.enabled for each in states(bench.uicc, usim)}["universal PIN"] is False


def test_the_universal_pin_in_place_of_pin1() -> None:
    bench = Bench(described=UNIVERSAL)
    isim = bench.uicc.choose("isim")
    pin = UserPin(bench.uicc, isim)
    assert pin.disable("1234", universal=True)
    bench.exchange.reset()
    session = IsimSession(bench.uicc, isim)
    with pytest.raises(PinRequired):
        session.impi()
    with bench.uicc.in_directory(isim):
        bench.uicc.verify_pin("5678")
    assert session.impi()
    assert bench.card.state.pin1.tries == 3
    assert pin.enable("1234")
    assert pin.state().enabled


def test_a_card_without_universal_pin() -> None:
    bench = Bench()
    with pytest.raises(StatusError, match="lists no universal PIN"):
        UserPin(bench.uicc, bench.uicc.choose("usim"), universal=True)


def scripted(*script: tuple[str, str], fcp: str = "6D00") -> tuple[ScriptedLink, UserPin]:
    link = ScriptedLink((MF, "9000"), (STATUS, fcp), *script)
    return link, UserPin(Uicc(Exchange(link)), None)


def fcp_with(status: str) -> str:
    template = f"C6{len(status) // 2:02X}{status}"
    return f"62{len(template) // 2:02X}{template}9000"


AGAIN = ((MF, "9000"), (STATUS, "6D00"))  # each transaction begins in the MF


def test_a_card_that_tells_nothing_of_its_pins() -> None:
    link, pin = scripted(*AGAIN, ("0020000100", "63C3"), (f"0020000108{OLD}", "9000"))
    assert pin.reference == 1
    assert pin.verify("1234")
    assert not link.script


@pytest.mark.parametrize(
    ("status", "reference"),
    [
        ("900180830101830181", 0x01),
        ("900180830105830185", 0x05),
        ("90018083018183010A", 0x81),
        ("9001C0830181830102", 0x02),
    ],
)
def test_the_reference_is_what_the_fcp_says(status: str, reference: int) -> None:
    _, pin = scripted(fcp=fcp_with(status))
    assert pin.reference == reference


@pytest.mark.parametrize("word", ["6985", "6984", "9808"])
def test_a_pin_that_may_not_be_switched(word: str) -> None:
    link, pin = scripted(*AGAIN, ("0020000100", "63C3"), (f"0026000108{OLD}", word))
    with pytest.raises(StatusError, match=rf"DISABLE PIN was answered {word} .*may not be"):
        pin.disable("1234")
    assert not link.script


def test_a_card_that_does_not_tell_the_tries_is_given_none() -> None:
    link, pin = scripted(*AGAIN, ("0020000100", "6D00"))
    with pytest.raises(StatusError, match="6D00"):
        pin.change("1234", "4321")
    assert not link.script


@pytest.mark.parametrize("word", ["6400", "6F00", "6581", "9300", "6C10"])
def test_no_pin_command_is_said_twice(word: str) -> None:
    link, pin = scripted(*AGAIN, ("0020000100", "63C3"), (f"0024000110{OLD}{NEW}", word))
    with pytest.raises(StatusError, match=word):
        pin.change("1234", "4321")
    assert not link.script


@pytest.mark.parametrize("bad", ["", "123", "123456789", "12a4", "１２３４"])
def test_what_cannot_be_a_pin_is_not_sent(bad: str) -> None:
    link, pin = scripted()
    journal = list(link.journal)
    operations: list[Callable[[], bool]] = [
        lambda: pin.verify(bad),
        lambda: pin.change("1234", bad),
        lambda: pin.enable(bad),
        lambda: pin.unblock("12345678", bad),
    ]
    for operation in operations:
        with pytest.raises(PinMalformed, match="nothing was sent"):
            operation()
    for puk in (bad, "1234567", "12345678x"):
        with pytest.raises(PinMalformed, match="8 decimal digits"):
            pin.unblock(puk, "1234")
    assert link.journal == journal


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("63C3", (True, None, 3, 10)),
        ("9000", (True, True, None, 10)),
        ("6983", (True, None, 0, 10)),
        ("6984", (False, None, None, 10)),
        ("6D00", (True, None, None, 10)),
    ],
)
def test_what_a_card_tells(word: str, told: tuple[object, ...]) -> None:
    fcp = fcp_with("90018083010183010A")
    link = ScriptedLink((MF, "9000"), (STATUS, fcp), ("0020000100", word), ("002C000100", "63CA"))
    (state,) = states(Uicc(Exchange(link)), None)
    assert state[2:] == told


def test_names() -> None:
    assert [name_of(key) for key in (1, 2, 0x11, 0x81, 0x83, 0x0A, 0x40)] == [
        "PIN1",
        "PIN1 of application 2",
        "universal PIN",
        "PIN2",
        "PIN2 of application 3",
        "ADM1",
        "key 40",
    ]
