"""The tables of a call: every row is reached by a test, and none can be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import test_call_basics as basics
import test_call_branches as branches
import test_call_challenges as challenges
import test_call_corners as corners
import test_call_sessions as sessions

from sipua.ims import call, modification
from sipua.ims.call_table import TRANSITIONS
from sipua.ims.called import Called
from sipua.ims.caller import Caller

Key = tuple[str, str]


class Recorder(dict[Key, Any]):
    """A table which remembers the rows that were used, and by which test first."""

    def __init__(self, table: dict[Key, Any]) -> None:
        super().__init__(table)
        self.used: dict[Key, list[Callable[[], None]]] = {}
        self.test: Callable[[], None] = lambda: None

    def get(self, key: Key, default: Any = None) -> Any:
        if key in self:
            tests = self.used.setdefault(key, [])
            if self.test not in tests:
                tests.append(self.test)
        return super().get(key, default)


def scenarios() -> list[Callable[[], None]]:
    found = []
    for module in (basics, branches, challenges, corners, sessions):
        for name, test in vars(module).items():
            if name.startswith("test_") and not test.__code__.co_argcount:
                found.append(test)
    return found


def used(monkeypatch: pytest.MonkeyPatch, module: object) -> Recorder:
    recorder = Recorder(module.TRANSITIONS)  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(module, "TRANSITIONS", recorder)
        for test in scenarios():
            recorder.test = test
            test()
    return recorder


def needed(monkeypatch: pytest.MonkeyPatch, module: object, recorder: Recorder) -> list[Key]:
    """Rows whose absence no test notices."""
    unnoticed = []
    for key, candidates in recorder.used.items():
        smaller = {other: row for other, row in recorder.items() if other != key}
        with monkeypatch.context() as patch:
            patch.setattr(module, "TRANSITIONS", smaller)
            if all(_passes(test) for test in candidates):
                unnoticed.append(key)
    return unnoticed


def _passes(test: Callable[[], None]) -> bool:
    try:
        test()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("module", [call, modification])
def test_every_row_is_reached_and_missed(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = used(monkeypatch, module)
    assert sorted(set(module.TRANSITIONS) - set(recorder.used)) == []
    assert sorted(needed(monkeypatch, module, recorder)) == []


def test_every_row_names_its_rule_and_an_action() -> None:
    for row in TRANSITIONS.values():
        assert row.rule.startswith("RFC ")
        assert "§" in row.rule
        assert callable(getattr(Caller, f"_{row.action}", None)) or callable(
            getattr(Called, f"_{row.action}", None)
        )
