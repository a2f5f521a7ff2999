"""Protected cards, dry runs and counters, as the command line shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from card_command import CardCommand

from card.emulator.card import EmulatedCard
from card.link import CardLink
from card.profile import shipped
from cli.app import run

RAND_AUTN = ("--rand", "00" * 16, "--autn", "11" * 16)


@pytest.fixture
def card(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CardCommand:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("SIPUA_PROTECTED", raising=False)
    monkeypatch.setenv("SIPUA_PIN", "2468")
    return CardCommand(capsys, tmp_path, "pin")


def protect(how: str, iccid: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    if how == "environment":
        monkeypatch.setenv("SIPUA_PROTECTED", f"8900000000000000000, {iccid}")
    elif how == "option":
        return ("--protected", f"{iccid},123")
    else:
        (folder / "sipua").mkdir()
        (folder / "sipua" / "config.toml").write_text(f'protected = ["123", "{iccid}"]\n')
    return ()


@pytest.mark.parametrize("how", ["environment", "option", "file"])
def test_a_protected_card_is_only_read(
    card: CardCommand, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = protect(how, card.profile.iccid, tmp_path, monkeypatch)
    commands: list[tuple[str, ...]] = [
        ("authenticate", *RAND_AUTN),
        ("pin", "verify"),
        ("pin", "disable"),
    ]
    for argv in commands:
        status, told = card.json(*argv, *more)
        assert (status, told["verdict"]) == (16, "card-error"), argv
        assert "is protected and is only read" in told["reason"]
    assert card.state() == {}
    monkeypatch.delenv("SIPUA_PIN")
    _, told = card.json("info", *more)
    assert told["protected"] is True
    assert told["iccid"] == card.profile.iccid
    assert "only read" in card.text("info", *more)[1]


def test_a_protected_card_does_not_register(
    card: CardCommand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIPUA_PROTECTED", card.profile.iccid[:12])
    status = run(["register", *card.card, "--pcscf", "udp:127.0.0.1:9", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (status, told["verdict"]) == (16, "card-error")
    assert "protected" in told["reason"]
    assert card.state() == {}


def test_a_list_that_cannot_be_read_stops_everything(
    card: CardCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIPUA_PROTECTED", "my-card")
    status, told = card.json("info")
    assert status == 16
    assert "'my-card', which is no ICCID" in told["reason"]


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("authenticate", *RAND_AUTN), "AUTHENTICATE"),
        (("pin", "verify"), "VERIFY PIN"),
        (("pin", "change"), "CHANGE PIN"),
        (("pin", "disable"), "DISABLE PIN"),
        (("pin", "unblock"), "UNBLOCK PIN"),
    ],
)
def test_a_dry_run(card: CardCommand, argv: tuple[str, ...], name: str) -> None:
    status, told = card.json(*argv, "--dry-run")
    assert (status, told["dry_run"]) == (0, True)
    kept = [each for each in told["apdus"] if not each["sent"]]
    assert kept[-1]["name"] == name
    assert all(each["answer"] is None for each in kept)
    assert told["apdus"][0]["command"] == "00A4000C023F00"
    assert b"2468".hex() not in json.dumps(told)
    assert "not" in told["reason"]
    assert card.state() == {}
    assert "(not sent)" in card.text(*argv, "--dry-run")[1]


def test_a_dry_run_of_what_only_reads(card: CardCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPUA_PIN")
    _, told = card.json("info", "--dry-run")
    assert all(each["sent"] for each in told["apdus"])
    assert "files" not in told


def test_a_dry_run_of_a_registration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIPUA_PROTECTED", raising=False)
    card = CardCommand(capsys, tmp_path, "isim")
    assert card.profile.isim is not None
    status = run(["register", *card.card, "--dry-run", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (status, told["impi"]) == (0, card.profile.isim.impi)
    assert told["apdus"][-1] == {
        "name": "AUTHENTICATE",
        "command": "0088008122" + ("10" + "00" * 16) * 2 + "00",
        "answer": None,
        "sent": False,
    }
    assert "No network was touched" in told["reason"]
    assert card.state() == {}
    assert run(["register", *card.card, "--dry-run"]) == 0
    assert "WOULD AUTHENTICATE" in capsys.readouterr().out


class InAReader(CardLink):
    """The shipped card as if it were in a reader: it waits, so it is counted."""

    reader = "reader"
    waits = True

    def __init__(self) -> None:
        self._card = EmulatedCard(shipped())
        self.atr_octets = self._card.atr

    @property
    def atr(self) -> bytes:
        return self.atr_octets

    def transmit(self, command: bytes) -> bytes:
        return self._card.transmit(command)

    def reset(self) -> None:
        self._card.reset()

    def close(self) -> None:
        pass


def test_what_was_sent_to_a_card_in_a_reader_is_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("SIPUA_PIN", "1234")
    monkeypatch.setattr("card.session.open_card", lambda text, waiting=None: InAReader())
    for argv in (("authenticate", *RAND_AUTN), ("pin", "enable"), ("pin", "verify")):
        run(["card", *argv, "--json"])
    capsys.readouterr()
    run(["card", "info", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["counters"] == {"authentications": 1, "pin_tries": 1}
    kept = json.loads((tmp_path / "sipua" / "counters.json").read_text())
    assert list(kept) == [shipped().iccid]
