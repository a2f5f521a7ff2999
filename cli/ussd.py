"""``sipua ussd``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options, agent_settings, asking_for_pin, show
from cli.interruption import Interruption
from cli.options import option, read_pin, verbose_option
from cli.render import observer, shown
from cli.trace import open_recorder

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport


@click.command(
    epilog="""\b
Examples:
  sipua ussd '*100#' --card pcsc
  sipua ussd '*123#' --answer 1 --answer 2
""",
)
@click.argument("code")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="TEXT",
    help="Answer to the network's next question; without one a person is asked.",
)
@option("--language", metavar="CODE", default="en", show_default=True, help="Language asked for.")
@option(
    "--patience",
    type=click.FloatRange(min=1, max=3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the network may take for each word of its.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document a line: each event, then the verdict.",
)
@agent_options
@verbose_option
def ussd(
    code: str,
    answers: tuple[str, ...],
    language: str,
    patience: float,
    as_json: bool,
    dry_run: bool,
    verbose: int,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Register, then ask the network what CODE means, as *100# is dialled.

    What the network says is printed. Its questions are answered by --answer, one
    after the other, then by whoever sits there; nobody there, or an empty answer,
    ends it.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    from sipua.agent.texts.ussd_agent import UssdAgent

    waiting = list(answers)

    def ask(_question: str) -> str:
        if waiting:
            return waiting.pop(0)
        if as_json or not sys.stdin.isatty():
            return ""
        return str(click.prompt("Answer", default="", show_default=False, err=True))

    def tell(report: CallReport) -> None:
        if as_json:
            click.echo(json.dumps(report.to_json()))
        elif "text" in report.details and report.event != "answer":
            for line in str(report.details["text"]).splitlines():
                click.echo(shown(line))
        elif "reason" in report.details:
            click.echo(f"{report.event}: {shown(str(report.details['reason']))}", err=True)

    watching = observer(verbose, ladder=False)
    watching.recorder = open_recorder(options.pop("trace"), options.pop("trace_secrets"))
    agent = UssdAgent(*agent_settings(read_pin(pin_file), **options), watching)
    with agent, Interruption(agent) as interruption:
        interruption.arm()
        result = asking_for_pin(
            agent,
            lambda: agent.ussd(code, ask, language=language, patience=patience, on_report=tell),
            as_json,
        )
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        show(result, as_json=False)
    return result.exit_status
