"""The examples do what they show: each is run as a reader would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a command ``sipua`` that is this source tree, and folders of this test's own."""
    command = tmp_path / "bin" / "sipua"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    command.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
    }


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        cwd=environment["TMPDIR"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def files_of_examples() -> set[Path]:
    return {path for path in EXAMPLES.rglob("*") if "__pycache__" not in path.parts}


def test_a_call_in_shell(environment: dict[str, str]) -> None:
    before = files_of_examples()
    done = run(environment, "sh", str(EXAMPLES / "call.sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    checked = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in checked)
    assert "ok      its verdict: busy" in checked
    assert "ok      digits that Bob heard: 3" in checked
    assert checked[-1] == "ok      how listening ended: deregistered"
    assert files_of_examples() == before
    assert list(Path(environment["TMPDIR"]).iterdir()) == [], "it cleans up"


def test_the_shell_example_sees_a_failure(environment: dict[str, str], tmp_path: Path) -> None:
    """A script that cannot fail shows nothing: here the caller's SIM has another key."""
    for path in EXAMPLES.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_text(path.read_text())
    script = tmp_path / "call.sh"
    spoilt = script.read_text().replace(
        "# --- Bob answers",
        'sed -i s/^opc.*/opc=\\"cd63cb71954a9f4e48a5994e37a02bae\\"/ "$work/alice.toml"\n# ---',
        1,
    )
    script.write_text(spoilt)
    done = run(environment, "sh", str(script))
    assert done.returncode == 1
    assert "FAILED  exit status of an answered call: 20, not 0" in done.stdout
    assert list(Path(environment["TMPDIR"]).iterdir()) == [], "it cleans up then, too"


def test_a_call_in_python(environment: dict[str, str]) -> None:
    before = files_of_examples()
    done = run(environment, sys.executable, str(EXAMPLES / "call.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert "alice: established" in said
    assert [line for line in said if line.startswith("bob:   digit ")] != []
    assert said[-2:] == ["ok: Done.", "answers to INVITE: 407 200"]
    assert files_of_examples() == before
