"""docs/explain.md names every code that can be found, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explain.md").read_text()
MAKERS = {"Finding", "Mistake", "WrongKey", "AutnMistake", "AutsMistake", "_fault"}
ELSEWHERE = {"auth-int-for-auth", "auth-for-auth-int"}  # made from the two values of qop
ELSEWHERE |= {"sqn-not-fresh", "sqn-too-far-ahead", "username-differs", "impu-for-impi"}
ELSEWHERE |= {"network-other-algorithm", "mac-failure"}


def codes_in_source() -> set[str]:
    found = set(ELSEWHERE)
    for path in (ROOT / "sipua/explain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            first = node.args[0] if node.args else None
            if node.func.id not in MAKERS or not isinstance(first, ast.Constant):
                continue
            code = str(first.value)
            found.add(f"network-{code}" if node.func.id == "WrongKey" else code)
            found.add(code)
    return found


def test_every_code_is_told_and_no_other() -> None:
    tables = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    told = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`", tables))
    assert told == codes_in_source()
