"""``sipua sms send``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options, asking_for_pin, show
from cli.interruption import Interruption
from cli.options import read_pin, verbose_option
from cli.sms_options import build_texter, line, sms_options

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport


@click.command(
    epilog="""\b
Examples:
  sipua sms send +15550100001 "See you at eight" --card pcsc
  sipua sms send +15550100001 "Are you there?" --status-report 60
""",
)
@click.argument("number")
@click.argument("text")
@click.option(
    "--status-report",
    "report_wait",
    type=click.FloatRange(min=0, max=86400),
    default=0.0,
    metavar="SECONDS",
    help="Ask for a delivery report, and wait for it so long.",
)
@click.option("--flash", is_flag=True, help="To be shown at once and not kept (class 0).")
@sms_options
@agent_options
@verbose_option
def send(
    number: str,
    text: str,
    report_wait: float,
    flash: bool,
    as_json: bool,
    dry_run: bool,
    verbose: int,
    pin_file: str | None,
    service_centre: str,
    psi: str,
    **options: Any,
) -> int:
    """Register, then send TEXT to the telephone number NUMBER.

    With - for TEXT it is read from standard input. A long text goes in several
    parts. The verdict is ok when the service centre has taken all of it; with
    --status-report, when the recipient has.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    if text == "-":
        text = sys.stdin.read().removesuffix("\n")

    def tell(report: CallReport) -> None:
        click.echo(json.dumps(report.to_json()) if as_json else line(report))

    agent = build_texter(
        read_pin(pin_file), verbose, service_centre=service_centre, psi=psi, **options
    )
    with agent, Interruption(agent) as interruption:
        interruption.arm()
        result = asking_for_pin(
            agent,
            lambda: agent.send(
                number,
                text,
                message_class=0 if flash else -1,
                report_wait=report_wait,
                on_report=tell,
            ),
            as_json,
        )
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        show(result, as_json=False)
    return result.exit_status
