"""Every hint the program can give, read off its source, and those that tests have provoked.

A hint is a text of several words in a place where hints are written. What is filled in at run time
may be anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sipua.agent.registrant import Registrant
from sipua.verdict import Verdict

ROOT = Path(__file__).parents[2]

PLACES: dict[str, tuple[str, ...]] = {
    "sipua/verdict.py": ("NEXT_STEPS",),
    "sipua/agent/failure_advice.py": (),
    "sipua/ims/advice.py": (),
    "sipua/ims/request_advice.py": (),
    "sipua/ims/call_advice.py": (),
    "sipua/ims/registration_attempt.py": ("_hints_of_success",),
    "sipua/ims/request.py": ("_end",),
    "sipua/agent/registrant.py": ("deregister",),
    "sipua/agent/conversation.py": ("__init__",),
}
"""Files in which hints are written, and the functions or tables of a file that has other
sentences, too."""


PIECES = ("One try is left", "… tries are left")
"""What only becomes a part of a hint."""


class Declared(NamedTuple):
    """A hint as it is written at ``place``. ``verdict`` is that of its table's row, "" elsewhere:
    a VERDICT by its name."""

    place: str
    verdict: str
    text: str
    pattern: str

    def is_said_by(self, verdict: str, hint: str) -> bool:
        return self.verdict in ("", verdict) and re.fullmatch(self.pattern, hint, re.S) is not None


def declared() -> list[Declared]:
    """All of them."""
    return [each for path, names in PLACES.items() for each in _in_file(path, names)]


def _in_file(path: str, names: tuple[str, ...]) -> Iterator[Declared]:
    tree = ast.parse((ROOT / path).read_text())
    roots = [tree] if not names else [node for node in ast.walk(tree) if _name(node) in names]
    assert len(roots) >= len(names), f"{path} has no longer all of {names}"
    for root in roots:
        yield from _under(root, path, "")


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _under(node: ast.AST, path: str, verdict: str) -> Iterator[Declared]:
    """The sentences below ``node``, but those which only describe the source."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        pattern, text = _pattern(node)
        if " " in text.strip() and text not in PIECES:
            yield Declared(f"{path}:{node.lineno}", verdict, text, pattern)
        return
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            row = key.attr if isinstance(key, ast.Attribute) and _is_verdict(key) else verdict
            yield from _under(value, path, row)
        return
    for child in ast.iter_child_nodes(node):
        yield from _under(child, path, verdict)


def _is_verdict(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Verdict"


def _pattern(node: ast.Constant | ast.JoinedStr) -> tuple[str, str]:
    """A regular expression for what it becomes, and how people may read it."""
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
        return re.escape(text), text
    pattern, text = "", ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            pattern, text = pattern + re.escape(str(part.value)), text + str(part.value)
        else:
            pattern, text = f"{pattern}.+", f"{text}…"
    return pattern, text


SAID: set[tuple[str, str]] = set()
"""Verdict by its NAME, and hint, of all that was provoked so far."""


def never_said() -> list[Declared]:
    """Hints that nothing has provoked."""
    return [each for each in declared() if not any(each.is_said_by(*said) for said in SAID)]


def undeclared() -> set[str]:
    """Hints that were given, and are written nowhere that is looked at here."""
    known = declared()
    return {hint for said, hint in SAID if not any(each.is_said_by(said, hint) for each in known)}


def note(verdict: str, hints: Iterable[str]) -> None:
    """Take what an attempt ended in, by the VALUE of its verdict."""
    name = Verdict(verdict).name
    SAID.update((name, hint) for hint in hints)


@pytest.fixture(autouse=True)
def collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every attempt of a test noted, however it was asked for."""
    for name in ("_attempt", "deregister"):
        original = getattr(Registrant, name)

        def noted(*arguments: Any, original: Any = original) -> Any:
            ended = original(*arguments)
            note(ended.verdict.value, ended.hints)
            return ended

        monkeypatch.setattr(Registrant, name, noted)
