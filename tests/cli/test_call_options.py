"""What ``sipua call`` and ``sipua listen`` make of their options."""

from __future__ import annotations

from typing import Any

import pytest

from card.profile import Profile
from cli.app import run
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.result import CallResult, RegistrationResult
from sipua.verdict import Verdict


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What user agents are asked for, in place of calls that would take their time."""
    asked: list[Any] = []

    def call(_agent: UserAgent, uri: str, plan: CallPlan, _told: object) -> CallResult:
        asked.append((uri, plan))
        result = CallResult(uri)
        result.end(Verdict.OK)
        return result

    def listen(_agent: UserAgent, plan: ListenPlan, _told: object) -> RegistrationResult:
        asked.append(plan)
        result = RegistrationResult()
        result.end(Verdict.DEREGISTERED)
        return result

    monkeypatch.setattr(UserAgent, "call", call)
    monkeypatch.setattr(UserAgent, "listen", listen)
    return asked


CALL = [
    ((), CallPlan()),
    (("--duration", "1.5"), CallPlan(duration=1.5)),
    (("--cancel-after", "0"), CallPlan(cancel_after=0.0)),
    (("--expect", "486"), CallPlan(expect=486)),
    (("--media", "sink"), CallPlan(media="sink")),
    (("--media", "echo"), CallPlan(media="echo")),
    (("--media", "none"), CallPlan(media="none")),
    (("--dtmf", "12#d"), CallPlan(digits="12#D")),
    (("--dtmf", "1", "--dtmf-by", "info"), CallPlan(digits="1", digits_by="info")),
    (("--ring-timeout", "20"), CallPlan(ring_timeout=20.0)),
    (("--display-name", "Alice"), CallPlan(display_name="Alice")),
    (("--follow-refer",), CallPlan(follow_refer=True)),
]


@pytest.mark.parametrize(("options", "plan"), CALL)
def test_a_call_as_asked_for(plans: list[Any], options: tuple[str, ...], plan: CallPlan) -> None:
    assert run(["call", "sip:bob@x", *options]) == 0
    assert plans == [("sip:bob@x", plan)]


LISTEN = [
    ((), ListenPlan()),
    (("--answer",), ListenPlan()),
    (("--busy",), ListenPlan(what="busy")),
    (("--decline",), ListenPlan(what="decline")),
    (("--ussd-answer", "1", "--ussd-answer", "b"), ListenPlan(ussd_answers=("1", "b"))),
    (("--no-answer",), ListenPlan(what="ring")),
    (("--ring", "2.5", "--decline"), ListenPlan(ring=2.5, what="decline")),
    (("--duration", "7"), ListenPlan(duration=7.0)),
    (("--count", "3"), ListenPlan(calls=3)),
    (("--media", "echo"), ListenPlan(media="echo")),
    (("--follow-refer",), ListenPlan(follow_refer=True)),
    (("--dtmf", "*a", "--dtmf-by", "info"), ListenPlan(digits="*A", digits_by="info")),
]


@pytest.mark.parametrize(("options", "plan"), LISTEN)
def test_listening_as_asked_for(
    plans: list[Any], options: tuple[str, ...], plan: ListenPlan
) -> None:
    assert run(["listen", *options]) == 0
    assert plans == [plan]


def test_options_from_the_environment(plans: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPUA_DURATION", "4")
    monkeypatch.setenv("SIPUA_MEDIA", "none")
    assert run(["listen"]) == 0
    assert plans == [ListenPlan(duration=4.0, media="none")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["call"], "URI"),
        (["call", "bob"], "sip:USER@DOMAIN"),
        (["call", "sip:bob@x\r\nVia: evil"], "sip:bob@x"),
        (["call", "mailto:bob@x"], "sip:USER@DOMAIN"),
        (["call", "sip:bob@x", "--duration", "-1"], "--duration"),
        (["call", "sip:bob@x", "--duration", "nan"], "--duration"),
        (["call", "sip:bob@x", "--ring-timeout", "inf"], "--ring-timeout"),
        (["call", "sip:bob@x", "--cancel-after", "soon"], "--cancel-after"),
        (["call", "sip:bob@x", "--expect", "180"], "--expect"),
        (["call", "sip:bob@x", "--expect", "700"], "--expect"),
        (["call", "sip:bob@x", "--media", "video"], "--media"),
        (["call", "sip:bob@x", "--dtmf", "12x"], "DTMF"),
        (["call", "sip:bob@x", "--dtmf", "1", "--media", "none"], "INFO"),
        (["call", "sip:bob@x", "--header", "Subject: a\r\nVia: evil"], "--header"),
        (["call", "sip:bob@x", "--display-name", "a\r\nVia: evil"], "name"),
        (["listen", "--busy", "--decline"], "--decline"),
        (["listen", "--answer", "--no-answer"], "--no-answer"),
        (["listen", "--count", "0"], "--count"),
        (["listen", "--ring", "nan"], "--ring"),
        (["listen", "sip:bob@x"], "sip:bob@x"),
        (["listen", "--dtmf", "é"], "DTMF"),
    ],
)
def test_usage(
    arguments: list[str],
    told: str,
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Said before anything is asked of card or network."""
    card = ["--card", f"emulated:{sipua_card_profile.path}"]
    assert run([*arguments, *card, "--pcscf", str(sipua_core.hop("UDP"))]) == 2
    assert told in capsys.readouterr().err
    assert sipua_card_profile.isim is not None
    assert sipua_core.bindings(sipua_card_profile.isim.impi) == []


@pytest.mark.parametrize("command", [["call", "sip:bob@x"], ["listen"]])
def test_a_dry_run_touches_no_network(
    command: list[str],
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = ["--card", f"emulated:{sipua_card_profile.path}"]
    asked = [*command, *card, "--pcscf", str(sipua_core.hop("UDP")), "--dry-run"]
    assert run(asked) == 0
    assert "No network was touched" in capsys.readouterr().out
    assert sipua_card_profile.isim is not None
    assert sipua_core.bindings(sipua_card_profile.isim.impi) == []


@pytest.mark.parametrize("command", ["call", "listen"])
def test_help_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.count(f"  sipua {command}") == 3
    assert "Ctrl-C" in out
