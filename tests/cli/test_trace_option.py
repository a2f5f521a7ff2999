"""``--trace`` and ``--trace-secrets``: of every command, readable whenever it ends, no secret."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from card_command import CARDS

from card.aka.milenage import Milenage
from card.profile import Profile, load
from cli.app import COMMANDS, LazyGroup, app, run
from sipua.capture.captured import CapturedApdu, CapturedMessage
from sipua.capture.reader import apdus, contents, messages
from sipua.pytest_plugin import CoreFactory
from sipua.sip.message import parse

ROOT = Path(__file__).parents[2]
PIN = "24681357"  # long enough to be found by no chance
K = bytes.fromhex("9e5944aea94b81165c82fbf9f32db751")  # of fixtures/cards/isim.toml
OPC = bytes.fromhex("a64a507ae1a2a98bb88eb4210135dc87")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A card that asks for a PIN, which stands in the environment."""
    text = (CARDS / "isim.toml").read_text()
    text = text.replace('pin1 = "1234"\nenabled = false', f'pin1 = "{PIN}"\nenabled = true')
    path = tmp_path / "card.toml"
    path.write_text(text)
    monkeypatch.setenv("SIPUA_PIN", PIN)
    return load(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.pcapng"


def secrets_of(trace: Path) -> dict[str, bytes]:
    """K, OPc and what the card made of each RAND of the trace."""
    functions = Milenage(K, OPC)
    secrets = {"K": K, "OPc": OPC, "PIN": PIN.encode()}
    for number, each in enumerate(apdus(trace)):
        if each.command[1] == 0x88:
            res, ck, ik, _ = functions.f2345(each.command[6:22])
            secrets |= {f"RES {number}": res, f"CK {number}": ck, f"IK {number}": ik}
    return secrets


def spellings(secret: bytes) -> list[bytes]:
    """Raw, in hexadecimal of either case, in base64."""
    digits = secret.hex()
    return [secret, digits.encode(), digits.upper().encode(), base64.b64encode(secret).rstrip(b"=")]


def found_in(data: bytes, secrets: dict[str, bytes]) -> list[str]:
    return [
        name
        for name, secret in secrets.items()
        if any(spelling in data for spelling in spellings(secret))
    ]


@pytest.mark.parametrize("scheme", ["aka", "umts", "digest-umts", "pgp-umts"])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_registration_leaves_no_secret(
    profile: Profile,
    path: Path,
    sipua_core_factory: CoreFactory,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
    transport: str,
) -> None:
    core = sipua_core_factory(profiles=[profile], scheme=scheme)
    argv = ["register", "--card", f"emulated:{profile.path}", "--trace", str(path), "-vvv"]
    assert run([*argv, "--pcscf", str(core.hop(transport))]) == 0
    seen = [parse(each.data) for each in messages(path)]
    assert len(seen) == 4
    secrets = secrets_of(path)
    assert len(secrets) == 6
    printed = capsys.readouterr()
    assert found_in(path.read_bytes(), secrets) == []
    assert found_in((printed.out + printed.err).encode(), secrets) == []
    assert PIN not in printed.out + printed.err


def test_secrets_when_asked_for(
    profile: Profile,
    path: Path,
    sipua_core_factory: CoreFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    core = sipua_core_factory(profiles=[profile], scheme="umts")
    argv = ["register", "--card", f"emulated:{profile.path}", "-vvv", "--trace", str(path)]
    assert run([*argv, "--trace-secrets", "--pcscf", str(core.hop("UDP"))]) == 0
    secrets = secrets_of(path)
    there = set(found_in(path.read_bytes(), secrets))
    assert there == set(secrets) - {"K", "OPc"}  # which no card ever tells
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    printed = capsys.readouterr()
    assert found_in((printed.out + printed.err).encode(), secrets) == []


COMMAND_LINES: dict[str, tuple[list[str], int]] = {
    "message": (["message", "sip:nobody@ims.mnc001.mcc001.3gppnetwork.org", "hello"], 6),
    "options": (["options", "sip:ims.mnc001.mcc001.3gppnetwork.org"], 6),
    "call": (["call", "sip:nobody@ims.mnc001.mcc001.3gppnetwork.org"], 6),
    "dry run": (["register", "--dry-run"], 0),
    "info": (["card", "info"], 0),
    "read": (["card", "read", "EF.ICCID"], 0),
    "pin": (["card", "pin", "status"], 0),
    "authenticate": (["card", "authenticate", "--rand", "11" * 16, "--autn", "22" * 16], 0),
}


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_with_a_card_can_be_traced(
    profile: Profile, path: Path, sipua_core_factory: CoreFactory, command: str
) -> None:
    core = sipua_core_factory(profiles=[profile])
    words, least = COMMAND_LINES[command]
    argv = [*words, "--card", f"emulated:{profile.path}", "--trace", str(path)]
    if least:
        argv += ["--pcscf", str(core.hop("UDP"))]
    run(argv)
    found = list(contents(path))
    assert sum(isinstance(each, CapturedApdu) for each in found) >= 1
    assert sum(isinstance(each, CapturedMessage) for each in found) >= least
    assert found_in(path.read_bytes(), secrets_of(path)) == []


def every_command(group: click.Group, name: str = "") -> list[tuple[str, click.Command]]:
    with click.Context(group) as context:
        found = []
        for each in group.list_commands(context):
            command = group.get_command(context, each)
            assert command is not None
            if isinstance(command, click.Group):
                found += every_command(command, f"{name}{each} ")
            else:
                found.append((name + each, command))
        return found


def test_no_command_with_a_card_lacks_the_option() -> None:
    assert isinstance(app, LazyGroup)
    assert COMMANDS
    with_card = {
        name: {parameter.name for parameter in command.params}
        for name, command in every_command(app)
        if any("--card" in parameter.opts for parameter in command.params)
    }
    assert len(with_card) > 8
    assert {name for name, names in with_card.items() if "trace" not in names} == set()
    assert {name for name, names in with_card.items() if "trace_secrets" not in names} == set()


def test_the_demo_can_be_traced(path: Path) -> None:
    assert run(["demo", "--json", "--trace", str(path)]) == 0
    assert len(list(messages(path))) == 4


@pytest.mark.parametrize(
    "argv",
    [
        ["card", "info", "--card", "emulated", "--trace-secrets"],
        ["card", "info", "--card", "emulated", "--trace", "/nowhere/trace.pcapng"],
    ],
)
def test_what_cannot_be_meant(argv: list[str]) -> None:
    assert run(argv) == 2


def test_a_full_disk_is_told_and_changes_nothing(
    profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["card", "info", "--card", f"emulated:{profile.path}", "--json"]
    assert run([*argv, "--trace", "/dev/full"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "ok"
    assert "the trace in /dev/full is not complete" in printed.err


def test_a_killed_process_leaves_what_has_happened(
    profile: Profile, path: Path, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile])
    argv = [sys.executable, "-m", "cli", "register", "--stay", "--trace", str(path)]
    argv += ["--card", f"emulated:{profile.path}", "--pcscf", str(core.hop("UDP"))]
    with subprocess.Popen(
        argv, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert "Ctrl-C" in process.stderr.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    found = list(contents(path))
    seen = [each.data.split(b" ")[:2] for each in found if isinstance(each, CapturedMessage)]
    assert [words[words[0] == b"SIP/2.0"] for words in seen] == [
        *(b"REGISTER", b"401"),
        *(b"REGISTER", b"200"),
    ]
    assert any(isinstance(each, CapturedApdu) for each in found)


def test_without_the_option_nothing_of_it_is_loaded(
    profile: Profile, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile])
    argv = ["sipua", "register", "--json", "--card", f"emulated:{profile.path}"]
    argv += ["--pcscf", str(core.hop("UDP"))]
    script = (
        "import sys\n"
        f"sys.argv = {argv!r}\n"
        "from cli.__main__ import main\n"
        "print('\\n', main(), *sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "SIPUA_PIN": PIN},
    )
    status, *loaded = done.stderr.splitlines()[-1].split()
    assert status == "0", done.stdout
    assert not [name for name in loaded if name.startswith(("sipua.capture", "sipua.trace"))]
