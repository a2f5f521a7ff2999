"""The command line of this project, run as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cli
from interop.program import Program

# The packages that this test run has imported, checkout or installed, and no other.
IMPORTED_FROM = str(Path(cli.__path__[0]).parent)
SIPUA = (sys.executable, "-P", "-m", "cli")


class Outcome(NamedTuple):
    """How one run ended: exit status, the JSON document on stdout, and stderr."""

    exit_status: int
    document: dict[str, Any]
    errors: str


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without options for sipua, with a home folder of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIPUA_")}
    folders = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    return {**kept, **folders, "PYTHONPATH": IMPORTED_FROM, **(more or {})}


def sipua(home: Path, *arguments: str, seconds: float = 60) -> Outcome:
    """Run ``sipua … --json`` to its end. Anything but one JSON document on stdout is an error."""
    done = subprocess.run(
        [*SIPUA, *arguments, "--json"],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    try:
        document = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"stdout is not JSON:\n{done.stdout}\n{done.stderr}") from None
    return Outcome(done.returncode, document, done.stderr)


def start_sipua(home: Path, name: str, *arguments: str) -> Program:
    """Start a ``sipua`` that goes on until it is stopped; its output is in ``home/NAME.log``."""
    return Program([*SIPUA, *arguments], home / f"{name}.log", env=environment(home), cwd=home)
