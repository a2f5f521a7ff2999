"""``sipua ussd`` as a person or a script runs it; the network is played by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ussi_by_hand import Ussi

from cli.app import run
from sipua.agent.texts.ussd_agent import EVENTS
from sipua.ims.ussd_data import NOTIFY, REQUEST, UssdData

Documents = list[dict[str, Any]]
MENU = ("INFO", UssdData("1 Credit\n2 Data", "en", REQUEST).to_bytes())
MONTH = ("INFO", UssdData("Which month?", "en").to_bytes())
NEWS = ("INFO", UssdData("A moment", "en", NOTIFY).to_bytes())
LAST = ("BYE", UssdData("3 GB are left", "en").to_bytes())


@pytest.fixture
def sipua(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Any]:
    """Runs ``sipua ussd`` with --json; gives its exit status and all documents."""
    text = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    (tmp_path / "card.toml").write_text(text)

    def command(network: Ussi, *argv: str, code: str = "*100#") -> tuple[int, Documents]:
        card = f"emulated:{tmp_path / 'card.toml'}"
        options = ["--card", card, "--pcscf", network.place, "--timeout", "20"]
        status = run(["ussd", code, *options, "--json", *argv])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for each in told[:-1]:
            assert tuple(each)[3:] == EVENTS[each["event"]]
        return status, told

    return command


Sipua = Callable[..., tuple[int, Documents]]


def test_one_word(sipua: Sipua) -> None:
    with Ussi(LAST) as network:
        status, told = sipua(network, "--language", "de")
    assert network.asked == UssdData("*100#", "de")
    assert [each.get("event") for each in told] == ["result", None]
    end = told[-1]
    assert (status, end["verdict"], end["text"]) == (0, "ok", "3 GB are left")
    assert (end["error"], end["target"]) == (None, "*100#")
    assert network.byes == 0


def test_a_menu(sipua: Sipua) -> None:
    with Ussi(MENU, MONTH, NEWS, LAST) as network:
        status, told = sipua(network, "--answer", "2", "--answer", "11")
    assert status == 0
    events = [each.get("event") for each in told]
    assert events == ["question", "answer", "question", "answer", "news", "result", None]
    assert network.heard == [
        UssdData("2", "en", REQUEST),
        UssdData("11", "en"),
        UssdData(operation=NOTIFY),
    ]


def test_a_question_that_nobody_answers(sipua: Sipua) -> None:
    with Ussi(MENU) as network:
        status, told = sipua(network)
    assert (status, told[-1]["verdict"]) == (0, "ok")
    assert told[-1]["text"] == "1 Credit\n2 Data"
    assert network.byes == 1


def test_an_answer_too_long(sipua: Sipua) -> None:
    with Ussi(MENU) as network:
        status, told = sipua(network, "--answer", "x" * 183)
    assert told[-2]["event"] == "not-sent"
    assert (status, told[-1]["verdict"]) == (53, "cancelled")
    assert network.byes == 1


def test_silence(sipua: Sipua) -> None:
    with Ussi() as network:
        status, told = sipua(network, "--patience", "1")
    assert (status, told[-1]["verdict"]) == (41, "timeout")
    assert network.byes == 1


def test_an_error(sipua: Sipua) -> None:
    with Ussi(("BYE", UssdData(error=1).to_bytes())) as network:
        status, told = sipua(network)
    assert (status, told[-1]["verdict"], told[-1]["error"]) == (30, "rejected", 1)


def test_a_refusal(sipua: Sipua) -> None:
    with Ussi(refusal=404) as network:
        status, told = sipua(network)
    assert (status, told[-1]["verdict"]) == (30, "rejected")
    assert "404" in told[-1]["reason"]


def test_what_cannot_be_read(sipua: Sipua) -> None:
    with Ussi(("INFO", b"<!DOCTYPE x><x/>"), LAST) as network:
        status, told = sipua(network)
    assert [each.get("event") for each in told] == ["unreadable", "result", None]
    assert status == 0
    assert network.heard == [UssdData(error=1)]


def test_what_is_no_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ussd", "hello", "--card", "emulated", "--pcscf", "udp:127.0.0.1:9"]) == 2
    assert "no USSD code" in capsys.readouterr().err


def test_as_people_read_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    word = UssdData("one\ntwo \x9b2J three").to_bytes()
    text = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    (tmp_path / "card.toml").write_text(text)
    with Ussi(("BYE", word)) as network:
        card = f"emulated:{tmp_path / 'card.toml'}"
        assert run(["ussd", "*100#", "--card", card, "--pcscf", network.place]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("one\ntwo ")
    assert "\x9b" not in shown
