"""``--card``, ``--wait-card`` and ``sipua card emulate --serve`` as a person types them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from card.profile import Profile
from card.readers.locate import WAYS
from cli.app import run
from sipua.core.server import CoreServer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [["card", "info"], ["register"]])
@pytest.mark.parametrize("text", ["sim", "vpcd:nowhere"])
def test_a_text_that_names_no_card_is_a_usage_error(
    command: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--card", text]) == 2
    said = capsys.readouterr().err
    assert f"'{text}' names no card" in said
    for way in WAYS:
        assert way.spelling in said
        assert way.meaning in said


def test_from_the_environment_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIPUA_CARD", "sim")
    assert run(["card", "info"]) == 2
    assert "names no card" in capsys.readouterr().err


def test_help_names_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["card", "info", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(way.spelling in said for way in WAYS)


def test_a_wait_in_vain_says_for_what_and_ends_with_the_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert (
        run(["card", "info", "--card", f"vpcd:127.0.0.1:{port}", "--wait-card=0.2", "--json"]) == 10
    )
    said = capsys.readouterr()
    assert json.loads(said.out)["verdict"] == "no-reader"
    assert said.err == (
        f"Waiting for a card: nobody serves a card at vpcd:127.0.0.1:{port}: Connection refused\n"
    )


def test_what_is_missing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    assert run(["register", "--card", "at:/dev/none", "--wait-card", "--json"]) == 10
    assert "sipua-usim[modem]" in json.loads(capsys.readouterr().out)["reason"]


@pytest.mark.parametrize("seconds", ["-1", "soon", "nan"])
def test_a_wait_of_no_length(
    seconds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIPUA_WAIT_CARD", seconds)
    assert run(["card", "info", "--card", "emulated"]) == 2
    assert "--wait-card" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["0.0.0.0:0", "[::]:0", "card.example.net:1", ":1", "x", "h:99999"]
)
def test_a_place_that_is_not_served(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["card", "emulate", "--serve", place]) == 2
    assert f"--serve {place}: " in capsys.readouterr().err


@pytest.fixture
def served(sipua_card_profile: Profile) -> Iterator[str]:
    """``sipua card emulate --serve`` as a process; what --card takes for it."""
    command = [sys.executable, "-m", "cli", "card", "emulate", sipua_card_profile.path]
    process = subprocess.Popen(
        [*command, "--serve", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    ready, iccid, _, place = process.stdout.readline().split()
    assert (ready, iccid) == ("ready", sipua_card_profile.iccid)
    yield f"vpcd:{place}"
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()


def test_a_registration_with_a_served_card(
    served: str, sipua_core: CoreServer, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["register", "--card", served, "--pcscf", str(sipua_core.hop("UDP")), "--json"]
    assert run(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "registered"
    assert result["card"]["reader"] == served
    assert run(arguments) == 0, "the card is there for the next one"
