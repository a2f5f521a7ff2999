"""docs/messages.md against the code: every event with its fields, every field of the results."""

from __future__ import annotations

import re
from pathlib import Path

from sipua.agent.texts import texter, ussd_agent
from sipua.agent.texts.sms_result import SmsResult
from sipua.agent.texts.ussd_agent import UssdOutcome
from sipua.result import RequestResult

TEXT = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
ROW = re.compile(r"^\| `([a-z-]+)` \| (.*) \|$", re.MULTILINE)


def documented(text: str) -> dict[str, tuple[str, ...]]:
    """The events of a section, with the fields that stand before the first colon."""
    return {
        event: tuple(re.findall("`([a-z_]+)`", fields.partition(":")[0]))
        for event, fields in ROW.findall(text)
    }


def test_every_event_is_there_with_its_fields() -> None:
    messages, ussd = TEXT.split("## USSD over IMS")
    assert documented(messages) == texter.EVENTS
    assert documented(ussd) == ussd_agent.EVENTS


def test_every_field_of_the_results_is_named() -> None:
    common = set(RequestResult("", "").to_json())
    for result in (SmsResult(""), UssdOutcome("")):
        for field in set(result.to_json()) - common:
            assert f"`{field}`" in TEXT
