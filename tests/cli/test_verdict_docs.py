"""docs/verdicts.md tells the truth: what stands in it is what sipua/verdict.py says."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cli.app import app
from sipua.ims.advice import ALWAYS
from sipua.verdict import Verdict

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verdicts.md").read_text()


def test_every_verdict_with_its_exit_status_and_meaning() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| `")
    ]
    assert [(name.strip("`"), int(status), meaning) for name, status, meaning, _ in rows] == [
        (each.value, each.exit_status, each.sentence) for each in Verdict
    ]
    assert all(advice.endswith(".") for *_, advice in rows)


def test_a_failure_says_what_to_check_next() -> None:
    """Where no machine knows better, the verdict itself does."""
    told_by_the_attempt = {
        *(Verdict.NO_AKA_OFFERED, Verdict.WRONG_RESPONSE, Verdict.REJECTED),
        *(Verdict.INTERRUPTED,),
    }
    for each in Verdict:
        if each.exit_status and each not in told_by_the_attempt:
            assert each.next_steps or ALWAYS[each], each


def test_options_named_in_the_page_exist() -> None:
    """An option that was renamed must not live on in the documentation."""
    context = click.Context(app)
    known: set[str] = set()
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        known |= {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= known
