"""``sipua message`` and ``sipua options`` as a person or a script runs them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from card.profile import Profile
from cli.app import run
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory

REGISTER_KEYS = {
    *("verdict", "exit_status", "reason", "hints", "scheme", "algorithm", "impi", "impu", "domain"),
    *("registrar", "local", "contact", "expires", "service_route", "associated_uris"),
    *("resynchronised", "protection", "exchange", "card", "elapsed_ms"),
}


@pytest.fixture
def core(sipua_core_factory: CoreFactory) -> CoreServer:
    return sipua_core_factory(challenge={"*": 407})


@pytest.fixture
def options(core: CoreServer, sipua_card_profile: Profile) -> list[str]:
    return ["--card", f"emulated:{sipua_card_profile.path}", "--pcscf", str(core.hop("UDP"))]


@pytest.fixture
def domain(sipua_card_profile: Profile) -> str:
    assert sipua_card_profile.isim is not None
    return sipua_card_profile.isim.domain


def test_options_as_json(
    options: list[str], domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["options", f"sip:{domain}", *options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == REGISTER_KEYS | {"method", "target", "status", "answer"}
    assert (document["verdict"], document["status"]) == ("ok", 200)
    assert document["answer"]["server"] == ["sipua"]
    assert [step["status"] for step in document["exchange"]] == [401, 200, 407, 200]
    assert document["card"]["apdus"] <= 16


def test_options_for_a_person(
    options: list[str], domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["options", f"sip:{domain}", *options, "-v"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("ok\n")
    assert f"to          sip:{domain}" in shown.out
    assert "CANCEL, OPTIONS, REGISTER" in shown.out
    assert "407 Proxy Authentication Required" in shown.err


def test_message_to_nobody(
    options: list[str], domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["message", f"sip:nobody@{domain}", "hello", *options, "--json"]) == 30
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["status"]) == ("rejected", 404)
    assert f"nobody@{domain}" in document["hints"][0]


def test_a_text_from_standard_input(
    options: list[str],
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To oneself: our own user agent is still there to take it."""
    assert sipua_card_profile.isim is not None
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))
    assert run(["message", sipua_card_profile.isim.impu[0], "-", *options, "-vv", "--json"]) == 0
    seen = capsys.readouterr()
    assert json.loads(seen.out)["status"] == 200
    assert seen.err.count("from a pipe") == 3  # sent twice, and it came back


@pytest.mark.parametrize(
    "arguments",
    [
        ["message", "sip:bob@x"],
        ["message", "bob", "hello"],
        ["message", "sip:bob@x\r\nVia: evil", "hello"],
        ["message", "sip:bob@x", "hello", "--header", "Subject: a\r\nVia: evil"],
        ["message", "sip:bob@x", "hello", "--header", "From: <sip:mallory@evil>"],
        ["message", "sip:bob@x", "hello", "--user-agent", "a\r\nVia: evil"],
        ["message", "sip:bob@x", "hello", "--impu", "sip:a@x\r\nVia: evil"],
        ["options", "mailto:bob@x"],
    ],
)
def test_usage(arguments: list[str], options: list[str], core: CoreServer) -> None:
    assert run([*arguments, *options]) == 2
    assert core.bindings("") == []


def test_the_core_says_what_can_be_challenged(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("MESSAGE", "MESSAGE=403", "REGISTER=401", "MESSAGE=407:rot13"):
        assert run(["core", "--listen", "udp:127.0.0.1:0", "--challenge", text]) == 2
    assert "METHOD=407" in capsys.readouterr().err


def test_a_dry_run_touches_no_network(
    options: list[str], domain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["message", f"sip:bob@{domain}", "hello", *options, "--dry-run", "-vv"]) == 0
    assert "SIP/2.0" not in capsys.readouterr().err
