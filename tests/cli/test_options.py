"""Where option values come from, and what a person sees."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from card.profile import Profile
from cli.app import COMMANDS, app, run
from sipua.core.server import CoreServer


@pytest.fixture
def command(sipua_card_profile: Profile) -> list[str]:
    return ["register", "--card", f"emulated:{sipua_card_profile.path}"]


def test_options_from_the_environment(
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SIPUA_CARD", f"emulated:{sipua_card_profile.path}")
    monkeypatch.setenv("SIPUA_PCSCF", str(sipua_core.hop("TCP")))
    assert run(["register"]) == 0
    assert str(sipua_core.hop("TCP")) in capsys.readouterr().out


def test_options_from_a_file(
    sipua_core: CoreServer,
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A key at the top holds for every command, one in a table for that command only."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'pcscf = "{sipua_core.hop("UDP")}"\n'
        '[register]\nuser-agent = "bench 7"\nexpires = 1234\n[core]\nexpires = 1\n'
    )
    assert run(["--config", str(config), *command, "-vv"]) == 0
    seen = capsys.readouterr()
    assert "User-Agent: bench 7" in seen.err
    assert "Expires: 1234" in seen.err


def test_the_file_in_the_configuration_folder(
    sipua_core: CoreServer, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sipua").mkdir()
    (tmp_path / "sipua" / "config.toml").write_text(f'pcscf = "{sipua_core.hop("UDP")}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(command) == 0


@pytest.mark.parametrize(
    ("text", "complaint"), [("pcscf = ", "not valid TOML"), (None, "cannot read")]
)
def test_a_bad_file_is_a_usage_error(
    text: str | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    if text is not None:
        config.write_text(text)
    assert run(["--config", str(config), "demo"]) == 2
    assert complaint in capsys.readouterr().err


def test_a_pin_never_stands_in_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["register", "--help"]) == 0
    options = capsys.readouterr().out
    assert "--pin-file" in options
    assert "--pin " not in options


def test_a_pin_file_that_is_not_there(command: list[str]) -> None:
    assert run([*command, "--pin-file", "/does/not/exist"]) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    assert "xample" in capsys.readouterr().out or name == "card"


def terminal(*argv: str, **environment: str) -> str:
    """What a person sees on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1", **environment},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    finally:
        os.close(ours)
    process.wait(20)
    return seen.decode()


def test_a_terminal_shows_the_ladder_then_the_result_in_colour(
    sipua_core: CoreServer, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    hop = sipua_core.hop("UDP")
    seen = terminal(*command, "--pcscf", str(hop))
    assert (
        seen.index(f"127.0.0.1:{hop.port}")
        < seen.index("401 Unauthorized")
        < seen.index("registered")
    )
    assert "▶" in seen
    assert "\x1b[" in seen


def test_no_color_is_honoured(sipua_core: CoreServer, command: list[str]) -> None:
    seen = terminal(*command, "--pcscf", str(sipua_core.hop("UDP")), NO_COLOR="1")
    assert "registered" in seen
    assert "\x1b[" not in seen


def test_a_pin_is_asked_for_on_a_terminal(
    sipua_core: CoreServer, sipua_card_profile: Profile, command: list[str]
) -> None:
    path = Path(sipua_card_profile.path)
    profile = path.read_text().replace("enabled = false", "enabled = true")
    path.write_text(profile.replace('pin1 = "1234"', 'pin1 = "86429753"'))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *command, "--pcscf", str(sipua_core.hop("UDP"))],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    while b"PIN1:" not in seen:
        seen += os.read(ours, 65536)
    os.write(ours, b"86429753\n")
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:
        pass
    finally:
        os.close(ours)
    assert process.wait(20) == 0
    assert b"3 tries are left" in seen
    assert b"86429753" not in seen


def test_a_broken_pipe_is_no_error(sipua_core: CoreServer, command: list[str]) -> None:
    argv = [sys.executable, "-m", "cli", *command, "--pcscf", str(sipua_core.hop("UDP"))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_no_option_is_there_twice() -> None:
    """Several rooms add options to one command; the later one would silently win."""

    def check(command: click.Command, name: str) -> None:
        names = [each for option in command.params for each in option.opts]
        assert len(names) == len(set(names)), name
        if isinstance(command, click.Group):
            context = click.Context(command)
            for each in command.list_commands(context):
                below = command.get_command(context, each)
                assert below is not None
                check(below, f"{name} {each}")

    check(app, "sipua")
