"""``sipua card pin``: every operation, where PINs come from, and every refusal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from card_command import CardCommand

UNIVERSAL = ("[pin]", '[pin]\nuniversal_pin = "5678"\nuniversal_puk = "11112222"')


@pytest.fixture
def card(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CardCommand:
    for name in ("PIN", "NEW_PIN", "PUK"):
        monkeypatch.delenv(f"SIPUA_{name}", raising=False)
    return CardCommand(capsys, tmp_path, "pin", UNIVERSAL)


def written(folder: Path, digits: str) -> str:
    path = folder / f"secret{digits}"
    path.write_text(f"{digits}\n")
    return str(path)


def test_status(card: CardCommand) -> None:
    status, told = card.json("pin", "status")
    assert status == 0
    names = [(each["name"], each["reference"], each["enabled"]) for each in told["pins"]]
    assert names[0] == ("PIN1", "01", True)
    assert ("universal PIN", "11", True) in names
    assert all(each["tries_left"] == 3 for each in told["pins"])
    assert "3 tries left, PUK: 10 tries left (key 01)" in card.text("pin", "status")[1]


def test_a_life(card: CardCommand, tmp_path: Path) -> None:
    right, new = written(tmp_path, "2468"), written(tmp_path, "135790")
    status, told = card.json("pin", "verify", "--pin-file", right)
    assert (status, told["sent"]) == (0, True)
    assert told["before"]["tries_left"] == 3
    status, told = card.json("pin", "change", "--pin-file", right, "--new-pin-file", new)
    assert (status, told["verdict"]) == (0, "ok")
    status, told = card.json("pin", "verify", "--pin-file", right)
    assert (status, told["verdict"]) == (14, "pin-wrong")
    assert told["after"]["tries_left"] == 2
    status, told = card.json("pin", "disable", "--pin-file", new)
    assert (status, told["after"]["enabled"]) == (0, False)
    status, told = card.json("pin", "disable", "--pin-file", new)
    assert (told["sent"], "already" in told["reason"]) == (False, True)
    status, told = card.json("pin", "verify", "--pin-file", new)
    assert (told["sent"], "does not ask" in told["reason"]) == (False, True)
    status, told = card.json("pin", "change", "--pin-file", new, "--new-pin-file", right)
    assert (status, told["verdict"]) == (16, "card-error")
    assert "enable it before" in told["reason"]
    status, told = card.json("pin", "enable", "--pin-file", new)
    assert (status, told["after"]["enabled"]) == (0, True)
    assert card.json("pin", "enable", "--pin-file", new)[1]["sent"] is False


def test_the_universal_pin(card: CardCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPUA_PIN", "5678")
    status, told = card.json("pin", "verify", "--pin", "universal")
    assert (status, told["pin"], told["before"]["reference"]) == (0, "universal PIN", "11")
    assert card.state()["pin1_tries"] == 3


def test_the_universal_pin_in_place_of_pin1(
    card: CardCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ("--universal-instead", "--pin-file", written(tmp_path, "2468"))
    status, told = card.json("pin", "disable", *argv)
    assert (status, told["after"]["enabled"]) == (0, False)
    monkeypatch.setenv("SIPUA_PIN", "5678")
    assert card.json("info")[1]["usim"]["imsi"] == card.profile.imsi
    assert card.text("pin", "disable", "--pin", "universal", *argv)[0] == 2


def test_a_card_without_universal_pin(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    isim = CardCommand(capsys, tmp_path, "isim")
    status, told = isim.json("pin", "verify", "--pin", "universal")
    assert status == 16
    assert "no universal PIN" in told["reason"]


def test_blocked_and_unblocked(
    card: CardCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ("--pin-file", written(tmp_path, "0000"))
    right = ("--pin-file", written(tmp_path, "2468"))
    for left in (2, 1):
        _, told = card.json("pin", "verify", *wrong)
        assert told["after"]["tries_left"] == left
    for operation in ("verify", "disable"):
        status, told = card.json("pin", operation, *right)
        assert (status, told["verdict"]) == (15, "pin-blocked")
        assert "was not sent" in told["reason"]
    assert card.json("pin", "verify", *wrong, "--force-pin")[0] == 15
    assert card.state()["pin1_tries"] == 0
    monkeypatch.setenv("SIPUA_NEW_PIN", "1111")
    status, told = card.json("pin", "unblock", "--puk-file", written(tmp_path, "00000000"))
    assert (status, told["verdict"]) == (14, "pin-wrong")
    assert told["after"]["unblock_tries_left"] == 9
    monkeypatch.setenv("SIPUA_PUK", "87654321")
    status, told = card.json("pin", "unblock")
    assert (status, told["after"]["tries_left"]) == (0, 3)
    monkeypatch.setenv("SIPUA_PIN", "1111")
    assert card.json("pin", "verify")[0] == 0


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [("verify", "--pin-file"), ("change", "--pin-file"), ("disable", "SIPUA_PIN"),
     ("unblock", "--puk-file")],
)  # fmt: skip
def test_nobody_there_to_be_asked(card: CardCommand, operation: str, wanted: str) -> None:
    status, told = card.json("pin", operation)
    assert (status, told["verdict"]) == (13, "pin-required")
    assert wanted in told["reason"]
    assert card.state().get("pin1_tries", 3) == 3


def test_what_cannot_be_a_pin_is_not_sent(card: CardCommand, tmp_path: Path) -> None:
    for digits in ("12", "abcdef"):
        status, told = card.json("pin", "verify", "--pin-file", written(tmp_path, digits))
        assert (status, told["sent"]) == (16, None)
        assert "nothing was sent" in told["reason"]
        assert digits not in told["reason"]
    assert card.text("pin", "verify", "--pin-file", "/does/not/exist")[0] == 2
    assert card.state().get("pin1_tries", 3) == 3


def test_no_pin_stands_in_any_trace(card: CardCommand, tmp_path: Path) -> None:
    right, new = written(tmp_path, "2468"), written(tmp_path, "135790")
    argv = ("pin", "change", "--pin-file", right, "--new-pin-file", new)
    _, seen = card.text(*argv, "-vvv")
    assert "CHANGE PIN: 0024000110" + ".." * 16 in seen
    assert b"2468".hex() not in seen
    assert "135790" not in seen.replace(new, "")


def test_pins_are_no_arguments() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "cli", "card", "pin", "change", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--pin-file" in shown
    assert "--new-pin " not in shown


def test_a_person_is_told_the_tries_and_types_the_new_pin_twice(card: CardCommand) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "card", "pin", "change", *card.card],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""

    def answer(prompt: bytes, digits: bytes) -> None:
        nonlocal seen
        start = len(seen)
        while prompt not in seen[start:]:
            seen += os.read(ours, 65536)
        os.write(ours, digits + b"\n")

    answer(b"PIN of PIN1:", b"2468")
    assert b"3 tries left" in seen
    answer(b"new PIN of PIN1:", b"97531")
    answer(b"epeat for confirmation:", b"97531")
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:
        pass
    finally:
        os.close(ours)
    assert process.wait(20) == 0
    assert b"the PIN is changed" in seen
    assert b"2468" not in seen
    assert b"97531" not in seen
    assert card.state()["pin1"] == "97531"
