"""``sipua card info`` and ``sipua card read``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from card_command import CardCommand

from cli.app import run

NUMBERS = (
    "[isim]",
    '[usim]\nmsisdn = "+15551234567"\nsmsc = "+4917"\nspn = "Test"\n'
    'psismsc = "sip:smsc@example.com"\n[isim]',
)


@pytest.fixture
def isim(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CardCommand:
    return CardCommand(capsys, tmp_path, "isim", NUMBERS)


@pytest.fixture
def locked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CardCommand:
    return CardCommand(capsys, tmp_path, "pin")


def test_info(isim: CardCommand) -> None:
    profile = isim.profile
    assert profile.isim is not None
    status, told = isim.json("info")
    assert (status, told["verdict"]) == (0, "ok")
    assert told["iccid"] == profile.iccid
    assert [each["kind"] for each in told["applications"]] == ["usim", "isim"]
    assert told["atr_meaning"][0] == "direct convention"
    usim = told["usim"]
    assert (usim["imsi"], usim["mcc"], usim["mnc"]) == (profile.imsi, "001", "01")
    assert (usim["msisdn"], usim["smsc"], usim["spn"]) == (["+15551234567"], ["+4917"], "Test")
    assert usim["psismsc"] == ["sip:smsc@example.com"]
    assert "GSM access" in usim["services"]
    assert usim["unreadable"] == {}
    assert told["isim"]["impi"] == profile.isim.impi
    assert told["isim"]["impu"] == list(profile.isim.impu)
    assert told["isim"]["pcscf"] == list(profile.isim.pcscf)
    assert told["protected"] is False
    pin1 = told["pins"][0]
    assert (pin1["name"], pin1["enabled"], pin1["reference"]) == ("PIN1", False, "01")
    _, seen = isim.text("info")
    for text in (
        profile.iccid,
        profile.imsi,
        "+15551234567",
        "sip:smsc@",
        "PIN1",
        "not required",
        "T=0",
    ):
        assert text in seen


def test_info_of_a_locked_card(locked: CardCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPUA_PIN", raising=False)
    status, told = locked.json("info")
    assert status == 0
    assert told["iccid"] == locked.profile.iccid
    assert told["usim"]["imsi"] is None
    assert "PIN1 required" in told["usim"]["unreadable"]["imsi"]
    assert told["usim"]["mnc_length"] == 2
    assert told["usim"]["spn"] == locked.profile.usim.spn
    assert told["isim"]["impi"] is None
    assert told["pin1_tries_left"] == 3
    assert "PIN1 required (6982)" in locked.text("info")[1]
    monkeypatch.setenv("SIPUA_PIN", "2468")
    assert locked.json("info")[1]["usim"]["imsi"] == locked.profile.imsi


def test_info_of_a_card_without_isim(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    usim = CardCommand(capsys, tmp_path, "usim")
    _, told = usim.json("info")
    assert told["isim"] is None
    assert told["usim"]["imsi"] == usim.profile.imsi


def test_a_card_that_is_not_there_has_every_key(
    isim: CardCommand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, told = isim.json("info")
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", "/does/not/exist")
    assert run(["card", "info", "--card", "vpcd:127.0.0.1:1", "--json"]) >= 10
    missing = json.loads(capsys.readouterr().out)
    assert set(missing) == set(told)
    assert missing["iccid"] is None


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("EF_IMSI", "7FFF/6F07", "imsi"),
        ("7F20/6F07", "3F00/7F20/6F07", "imsi"),
        ("07", "7FFF/sfi:07", "imsi"),
        ("3F00/2FE2", "3F00/2FE2", "iccid"),
    ],
)
def test_read_one(isim: CardCommand, text: str, path: str, value: str) -> None:
    status, told = isim.json("read", text)
    (file,) = told["files"]
    assert (status, file["path"], file["value"]) == (0, path, getattr(isim.profile, value))
    _, seen = isim.text("read", text)
    assert file["hex"] in seen
    assert file["value"] in seen


def test_read_records_of_the_isim(isim: CardCommand) -> None:
    assert isim.profile.isim is not None
    _, told = isim.json("read", "04", "--application", "isim")
    (file,) = told["files"]
    assert [each["value"] for each in file["records"]] == list(isim.profile.isim.impu)
    assert "unused" in isim.text("read", "EF_DIR")[1]


def test_read_refusals(isim: CardCommand, locked: CardCommand) -> None:
    status, told = isim.json("read", "EF_PNN")
    assert (status, told["verdict"]) == (16, "card-error")
    assert "6A82" in told["reason"]
    assert locked.json("read", "EF_IMSI")[1]["verdict"] == "pin-required"
    for argv in ((), ("EF_IMSI", "--all"), ("EF_NONSENSE",), ("sfi:1F",)):
        status, seen = isim.text("read", *argv)
        assert status == 2
        assert "Error" in seen


def test_keys_are_shown_only_to_who_asks(isim: CardCommand) -> None:
    content = "07" + "FF" * 32
    for argv in (("read", "EF_Keys"), ("read", "08"), ("read", "--all"), ("read", "7FFF/6F08")):
        _, seen = isim.text(*argv, "-vvv")
        assert content not in seen
        assert "--show-secrets" in seen
    assert content in isim.text("read", "EF_Keys", "--show-secrets")[1]
    hidden = isim.json("read", "EF_Keys")[1]["files"][0]
    assert (hidden["secret"], hidden["octets"], hidden["hex"]) == (True, 33, None)
    assert "33 octets of key material" in isim.text("read", "EF_Keys")[1]


def test_services_have_names(isim: CardCommand) -> None:
    (file,) = isim.json("read", "EF_UST")[1]["files"]
    assert {"number": 27, "name": "GSM access"} in file["value"]
    assert "27 GSM access" in isim.text("read", "EF_UST")[1]


def test_read_everything(isim: CardCommand, locked: CardCommand) -> None:
    _, told = isim.json("read", "--all")
    names = {(each["directory"], each["name"]) for each in told["files"]}
    assert {("MF", "EF_DIR"), ("ADF.USIM", "EF_IMSI"), ("ADF.ISIM", "EF_IMPU")} <= names
    assert {("DF.GSM", "EF_Kc"), ("DF.TELECOM", "EF_SMSP")} <= names
    _, told = locked.json("read", "--all")
    assert "could not be read" in told["reason"]
    assert any(each["problem"] for each in told["files"])
    assert locked.state().get("pin1_tries", 3) == 3
