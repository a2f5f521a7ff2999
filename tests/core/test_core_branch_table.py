"""The tables of the proxy's branches: every row is reached by a test, and none can be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import test_core_cancel as cancel
import test_core_forking as forking
import test_core_proxy as proxy

from sipua.core.branch import Branch
from sipua.core.invite_branch import InviteBranch

Key = tuple[str, str]


class Recorder(dict[Key, Any]):
    """A table which remembers the rows that were used, and by which tests."""

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
    return [
        test
        for module in (cancel, forking, proxy)
        for name, test in vars(module).items()
        if name.startswith("test_") and not test.__code__.co_argcount
    ]


def passes(test: Callable[[], None]) -> bool:
    try:
        test()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("kind", [Branch, InviteBranch])
def test_every_row_is_reached_and_missed(
    kind: type[Branch], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = kind.TRANSITIONS
    recorder = Recorder(table)
    with monkeypatch.context() as patch:
        patch.setattr(kind, "TRANSITIONS", recorder)
        for test in scenarios():
            recorder.test = test
            test()
    assert sorted(set(table) - set(recorder.used)) == []
    unnoticed = []
    for key, candidates in recorder.used.items():
        smaller = {other: row for other, row in table.items() if other != key}
        with monkeypatch.context() as patch:
            patch.setattr(kind, "TRANSITIONS", smaller)
            if all(passes(test) for test in candidates):
                unnoticed.append(key)
    assert sorted(unnoticed) == []


@pytest.mark.parametrize("kind", [Branch, InviteBranch])
def test_every_row_names_its_rule(kind: type[Branch]) -> None:
    for row in kind.TRANSITIONS.values():
        assert "§" in row.source
