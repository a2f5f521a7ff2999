"""Runs ``sipua explain`` in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.app import run
from explain.seen_on_the_wire import KEY_FILE

Explain = Callable[..., dict[str, Any]]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.toml"
    path.write_text(KEY_FILE)
    return path


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    """The document of ``explain --json``, its exit status checked against it."""

    def command(*argv: object) -> dict[str, Any]:
        capsys.readouterr()
        status = run(["explain", *(str(each) for each in argv), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert document["exit_status"] == status
        return document

    return command
