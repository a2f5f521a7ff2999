"""Runs ``sipua card …`` in this process on a card of the fixtures folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from card.profile import Profile, load
from cli.app import run

CARDS = Path(__file__).parent.parent.parent / "fixtures" / "cards"


class CardCommand:
    """One emulated card with a state of its own, and the command line on it."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], folder: Path, name: str, *changes: tuple[str, str]
    ) -> None:
        text = (CARDS / f"{name}.toml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = folder / f"{name}.toml"
        path.write_text(text)
        self.profile: Profile = load(str(path))
        self.card = ("--card", f"emulated:{path}")
        self._capsys = capsys

    def json(self, *argv: str) -> tuple[int, dict[str, Any]]:
        """Exit status and the one document printed."""
        status = run(["card", *argv, *self.card, "--json"])
        document: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert document["exit_status"] == status
        return status, document

    def text(self, *argv: str) -> tuple[int, str]:
        """Exit status and everything printed."""
        status = run(["card", *argv, *self.card])
        seen = self._capsys.readouterr()
        return status, seen.out + seen.err

    def state(self) -> dict[str, Any]:
        """What the card remembers."""
        path = Path(self.profile.path).with_suffix(".state.json")
        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return kept
