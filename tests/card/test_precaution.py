"""Protected cards, dry runs and counts at the one place that every command passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from card_links import Bench, ManneredLink, ScriptedLink, Transmit

from card import counters, profile
from card.apdu import (
    AUTHENTICATE,
    CHANGE_PIN,
    READ_BINARY,
    SELECT,
    STATUS,
    UNBLOCK_PIN,
    VERIFY_PIN,
    Command,
)
from card.counters import Counters, count
from card.emulator.card import EmulatedCard
from card.errors import CardError, CardProtected, NoCard, NotSent, StateError
from card.exchange import Exchange
from card.masking import TracedApdu
from card.precaution import Precaution, costs, is_protected, protected_cards
from card.session import CardSession

SHIPPED = profile.shipped()
PIN_ON = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))
ICCID = SHIPPED.iccid
PIN = b"1234\xff\xff\xff\xff"

COSTLY = [
    Command(0, AUTHENTICATE, 0, 0x81, bytes(34)),
    Command(0, 0x89, 0, 0x81, bytes(34)),
    Command(0xA0, AUTHENTICATE, 0, 0, bytes(16)),
    Command(0, VERIFY_PIN, 0, 1, PIN),
    Command(0, CHANGE_PIN, 0, 1, PIN * 2),
    Command(0, 0x26, 0, 1, PIN),
    Command(0, 0x28, 0, 1, PIN),
    Command(0, UNBLOCK_PIN, 0, 1, PIN * 2),
    Command(0, 0xD6, 0, 0, b"x"),
    Command(0, 0xDC, 1, 4, b"x"),
    Command(0x80, 0xC2, 0, 0, b"x"),
    Command(0, 0x04, 0, 0),
]
HARMLESS = [
    Command(0, SELECT, 0, 4, b"\x3f\x00"),
    Command(0, READ_BINARY, 0, 0, le=256),
    Command(0, 0xB2, 1, 4, le=256),
    Command(0x80, STATUS, 0, 0, le=256),
    Command(0, 0xC0, 0, 0, le=1),
    Command(0, VERIFY_PIN, 0, 1, le=256),
    Command(0, VERIFY_PIN, 0, 1),
    Command(0, UNBLOCK_PIN, 0, 1, le=256),
]


@pytest.mark.parametrize("command", COSTLY)
def test_what_costs_a_protected_card_something_is_not_sent(command: Command) -> None:
    link = ScriptedLink()
    exchange = Exchange(link)
    exchange.precaution = Precaution(frozenset({ICCID}))
    exchange.precaution.iccid = ICCID
    with pytest.raises(CardProtected, match=f"was not sent: the card {ICCID} is protected"):
        exchange.send(command)
    assert exchange.apdus == 0
    assert costs(command)


@pytest.mark.parametrize("command", HARMLESS)
def test_reading_a_protected_card_is_allowed(command: Command) -> None:
    link = ScriptedLink((command.to_bytes().hex().upper(), "9000"))
    exchange = Exchange(link)
    exchange.precaution = Precaution(frozenset({ICCID}))
    assert exchange.send(command).ok


def test_a_card_that_does_not_tell_its_iccid_may_be_a_protected_one() -> None:
    exchange = Exchange(ScriptedLink())
    exchange.precaution = Precaution(frozenset({ICCID}))
    with pytest.raises(CardProtected, match="may be one of them"):
        exchange.send(COSTLY[0])


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        (ICCID, True),
        (ICCID[:10], True),
        (ICCID + "7", True),
        (ICCID[:-1] + "9", False),
        ("1", False),
    ],
)
def test_which_card_an_entry_means(entry: str, meant: bool) -> None:
    assert is_protected(ICCID, protected_cards([entry])) is meant


def test_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPUA_PROTECTED", "8949 0000,8950…  894a")
    assert protected_cards([" 8951 0000 "]) == {"8949", "0000", "8950", "894A", "89510000"}
    for wrong in ("", "SIM-1", "…"):
        with pytest.raises(CardError, match="no ICCID"):
            protected_cards([wrong])


def session(bench: Bench, **options: object) -> CardSession:
    return CardSession(bench.exchange.link, **options)  # type: ignore[arg-type]


def test_a_session_on_a_protected_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPUA_PROTECTED", ICCID)
    bench = Bench()
    opened = session(bench)
    assert opened.iccid == ICCID
    vector = bench.vector(64)
    with pytest.raises(CardProtected):
        opened.application.authenticate(vector.rand, vector.autn)
    assert bench.card.state.sequence.sqn_ms == 0
    with pytest.raises(CardProtected):
        session(Bench(described=PIN_ON), pin="1234")
    monkeypatch.setenv("SIPUA_PROTECTED", "123456")
    assert session(bench).application.authenticate(vector.rand, vector.autn)


def test_an_emulated_card_nobody_protects_has_no_precaution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SIPUA_PROTECTED", raising=False)
    assert session(Bench()).exchange.precaution is None


def test_a_dry_run_goes_on_without_the_pin() -> None:
    kept: list[TracedApdu] = []
    bench = Bench(described=PIN_ON)
    opened = session(bench, pin="1234", withheld=kept.append)
    assert [each.name for each in kept] == ["VERIFY PIN"]
    assert kept[0].command == "0020000108" + ".." * 8
    with pytest.raises(NotSent):
        opened.application.authenticate(bytes(16), bytes(16))
    assert kept[1].name == "AUTHENTICATE"
    assert bench.card.state.pin1.tries == 3


def test_another_card_put_in_meanwhile_ends_the_session() -> None:
    """The link finds a card again (``insertions``); the same one is welcome, another is not."""
    cards = [EmulatedCard(SHIPPED), EmulatedCard(SHIPPED._replace(iccid="8900101000000000077"))]

    def manners(command: bytes, _transmit: Transmit) -> bytes:
        return cards[0].transmit(command)

    link = ManneredLink(cards[0], manners)
    opened = CardSession(link)
    cards[0].reset()
    link.insertions += 1
    vector = Bench().vector(64)
    assert opened.application.authenticate(vector.rand, vector.autn)
    del cards[0]
    link.insertions += 1
    with pytest.raises(NoCard, match="another card was put into manners: 8900101000000000077"):
        opened.application.authenticate(vector.rand, vector.autn)
    assert cards[0].state.sequence.sqn_ms == 0


class WaitingLink(ManneredLink):
    """The emulated card as if it were in a reader."""

    waits = True


def test_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench = Bench(described=PIN_ON)
    opened = CardSession(WaitingLink(bench.card), pin="1234")
    assert counters.read(ICCID) == Counters(0, 1)
    vector = bench.vector(64)
    opened.application.authenticate(vector.rand, vector.autn)
    assert counters.read(ICCID) == Counters(1, 1)
    assert counters.read("8900000000000000000") == Counters()


def test_counts_of_an_emulated_card_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench = Bench()
    vector = bench.vector(64)
    session(bench).application.authenticate(vector.rand, vector.autn)
    assert not list(tmp_path.iterdir())


def test_counts_that_cannot_be_kept_keep_no_card_from_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "sipua"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench = Bench()
    vector = bench.vector(64)
    CardSession(WaitingLink(bench.card)).application.authenticate(vector.rand, vector.autn)
    blocked.unlink()
    path = tmp_path / "counters.json"
    path.write_text("{")
    count(ICCID, is_pin=False, path=str(path))
    assert path.read_text() == "{"
    with pytest.raises(StateError, match="damaged"):
        counters.read(ICCID, str(path))
    path.write_text(json.dumps({ICCID: {"authentications": -1, "pin_tries": "x"}, "y": 3}))
    assert counters.read(ICCID, str(path)) == counters.read("y", str(path)) == Counters()


def test_programs_that_count_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    script = (
        "from card.counters import count\n"
        f"for _ in range(40): count({ICCID!r}, is_pin=False, path={str(path)!r})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert counters.read(ICCID, str(path)) == Counters(120, 0)
