"""docs/calls.md tells the truth: its events and fields are those that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from sipua.agent.call_report import EVENTS
from sipua.ims.call_events import Cause
from sipua.media.port import Statistics
from sipua.result import CallResult, RequestResult

PAGE = (Path(__file__).parents[2] / "docs/calls.md").read_text()


def names(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([\w-]+)`", text))


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_event_with_its_fields() -> None:
    assert {names(event)[0]: names(fields) for event, fields, _ in rows("Events")} == EVENTS


def test_every_cause() -> None:
    causes = re.search(r"`cause` is one of ([^.]*)\.", PAGE)
    assert causes is not None
    assert set(names(causes[1])) == {
        value for name, value in vars(Cause).items() if not name.startswith("_")
    }


def test_every_figure_of_the_media() -> None:
    told = [name for fields, _ in rows("Media") for name in names(fields)]
    assert tuple(told) == Statistics._fields


def test_every_field_of_the_verdict() -> None:
    verdict = PAGE.split("\n## The verdict\n")[1]
    more = set(CallResult("sip:b@x").to_json()) - set(RequestResult("X", "y").to_json())
    besides = re.search(r"besides (.*?), all digits", verdict, re.DOTALL)
    assert besides is not None
    assert set(names(besides[1])) == more
