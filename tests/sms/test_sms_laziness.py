"""A registration costs nothing of what it does not use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_NEEDED = (
    *(
        "sipua.sms",
        "sipua.profiles",
        "sipua.agent.texts.texter",
        "sipua.agent.texts.ussd_agent",
        "gsm0338",
    ),
    *("sipua.core.short_messages", "sipua.ims.ussd", "sipua.ims.ussd_data", "pyexpat"),
    *("sipua.ims.reginfo", "sipua.ims.reg_event", "sipua.ims.subscription"),
)


@pytest.mark.parametrize("argv", [["demo", "--json"], ["register", "--help"]])
def test_a_registration_loads_none_of_it(argv: list[str]) -> None:
    script = (
        "import sys\n"
        f"from cli.app import run\nassert run({argv!r}) == 0\n"
        "print('\\n' + ' '.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = done.stderr.rsplit("\n", 2)[-2].split()
    assert "cli.app" in loaded
    for name in NOT_NEEDED:
        assert not [each for each in loaded if each == name or each.startswith(name + ".")]
