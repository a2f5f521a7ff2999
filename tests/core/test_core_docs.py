"""The page about the embedded network lists every fault, in the words of the command."""

from __future__ import annotations

import re
from pathlib import Path

from sipua.core.faults import table
from sipua.core.invite_branch import MAX_RINGING

PAGE = (Path(__file__).parents[2] / "docs/network.md").read_text()


def test_the_faults_are_those_there_are() -> None:
    rows = re.findall(r"^\| `([\w=\[\]-]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == table()


def test_timer_c_is_as_long_as_told() -> None:
    assert f"{MAX_RINGING:.0f} s from the last provisional response" in PAGE
