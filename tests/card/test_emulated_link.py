"""The emulated card as a link, and the spelling of --card."""

from __future__ import annotations

from pathlib import Path

import pytest

from card import profile
from card.errors import NoCard, NoSuchWay, ProfileError, StateError
from card.exchange import Exchange
from card.readers.emulated import EmulatedLink
from card.readers.locate import WAYS, open_card, way_to
from card.uicc import Uicc

SHIPPED = Path(profile.__file__).parent / "emulator" / "default.toml"


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """A copy of the shipped profile with a number of its own."""
    path = tmp_path / "card.toml"
    path.write_text(SHIPPED.read_text().replace("8900101000000000001", "8900101000000000077"))
    return path


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped card's state goes to the test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_the_shipped_card() -> None:
    link = open_card("emulated")
    try:
        assert (link.reader, link.waits) == ("emulated", False)
        assert link.atr[0] == 0x3B
        assert Uicc(Exchange(link)).iccid() == "8900101000000000001"
    finally:
        link.close()


def test_a_profile_and_its_state(toml: Path) -> None:
    link = open_card(f"emulated:{toml}")
    assert link.reader == f"emulated:{toml}"
    assert Uicc(Exchange(link)).iccid() == "8900101000000000077"
    with pytest.raises(StateError, match="in use"):
        open_card(f"emulated:{toml}")
    link.close()
    open_card(f"emulated:{toml}").close()


def test_reset_goes_back_to_the_mf(toml: Path) -> None:
    link = EmulatedLink(str(toml))
    exchange = Exchange(link)
    uicc = Uicc(exchange)
    uicc.select(uicc.choose("isim"))
    exchange.reset()
    assert link.transmit(bytes.fromhex("00B082000A"))[-2:] == b"\x90\x00"
    assert uicc.iccid() == "8900101000000000077"
    link.close()


def test_after_close_there_is_no_card(toml: Path) -> None:
    link = EmulatedLink(str(toml))
    link.close()
    link.close()
    with pytest.raises(NoCard, match="taken out"):
        link.transmit(b"\x00\xa4\x00\x0c")
    with pytest.raises(NoCard, match="taken out"):
        link.reset()


def test_a_profile_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        open_card(f"emulated:{tmp_path / 'none.toml'}")


@pytest.mark.parametrize(
    "text",
    [
        *("", "sim", "PCSC", "pcscd:0", "pcsc:", "emulated:", "at", "at:", "at:,9600", "at:x,fast"),
        *("vpcd", "vpcd:host", "vpcd::1", "vpcd:host:", "vpcd:host:65536", "vpcd:host:0"),
        *("vpcd:host:\u0661", "pysim", "pysim:"),
    ],
)
def test_a_text_that_names_no_card(text: str) -> None:
    with pytest.raises(NoSuchWay, match="names no card") as failure:
        open_card(text)
    for way in WAYS:
        assert f"\n  {way.spelling} " in str(failure.value)
        assert way.meaning in str(failure.value)


@pytest.mark.parametrize(
    "text",
    [
        *("pcsc", "pcsc:2", "pcsc:iccid=89", "emulated", "emulated:none.toml", "at:/dev/none"),
        *("at:/dev/none,9600", "vpcd:card.invalid:35963", "vpcd:[::1]:1", "pysim:-p 0"),
    ],
)
def test_a_way_is_found_without_going_there(text: str) -> None:
    assert callable(way_to(text))
