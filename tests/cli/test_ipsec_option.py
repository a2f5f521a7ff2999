"""``--ipsec`` where it cannot be: what is missing is named, and there is one verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from card.profile import Profile
from cli.app import run
from sipua.core.server import CoreServer

ROOT = Path(__file__).parents[2]


def powerless(*argv: str) -> dict[str, Any]:
    """What a process without any capability prints; it is root's child or not."""
    command = [sys.executable, "-m", "cli", *argv, "--json"]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is not installed")
        command = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    assert found["exit_status"] == done.returncode
    return found


def test_without_capabilities_require_is_refused_and_auto_goes_on(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    common = (
        "register",
        "--card",
        f"emulated:{sipua_card_profile.path}",
        "--pcscf",
        str(sipua_core.hop("UDP")),
    )
    refused = powerless(*common, "--ipsec", "require")
    assert refused["verdict"] == "security-agreement"
    assert refused["exit_status"] == 33
    assert "IPsec cannot be used on this machine: kernel: " in refused["reason"]
    assert "user space: CAP_NET_RAW is missing" in refused["reason"]
    assert refused["exchange"] == []

    went_on = powerless(*common, "--ipsec", "auto")
    assert went_on["verdict"] == "registered"
    assert went_on["protection"] is None
    assert any("CAP_NET_RAW is missing" in hint for hint in went_on["hints"])

    plain = powerless(*common)
    assert plain["hints"] == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--ipsec", "perhaps"], "perhaps"),
        (["--ipsec", "require", "--mechanisms", "rot13/null"], "rot13/null"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    options: list[str],
    why: str,
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = ["--card", f"emulated:{sipua_card_profile.path}"]
    argv = ["register", *card, "--pcscf", str(sipua_core.hop("UDP")), *options]
    assert run(argv) == 2
    assert why in capsys.readouterr().err
