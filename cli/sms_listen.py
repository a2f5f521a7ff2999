"""``sipua sms listen``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options, asking_for_pin, show
from cli.interruption import Interruption
from cli.options import option, read_pin, verbose_option
from cli.sms_options import build_texter, line, sms_options

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport


@click.command(
    epilog="""\b
Examples:
  sipua sms listen --card pcsc
  sipua sms listen --count 1 --json
""",
)
@option(
    "--count",
    type=click.IntRange(1),
    metavar="N",
    help="End after so many texts; without it Ctrl-C ends it.",
)
@sms_options
@agent_options
@verbose_option
def listen(
    count: int | None,
    as_json: bool,
    dry_run: bool,
    verbose: int,
    pin_file: str | None,
    service_centre: str,
    psi: str,
    **options: Any,
) -> int:
    """Register, print the texts that come, then de-register.

    The parts of a long text are put together. Delivery reports are printed as
    they come. The exit status is that of the de-registration.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    agent = build_texter(
        read_pin(pin_file), verbose, service_centre=service_centre, psi=psi, **options
    )
    with agent, Interruption(agent) as interruption:

        def tell(report: CallReport) -> None:
            if report.event == "registered":
                interruption.arm()
            click.echo(json.dumps(report.to_json()) if as_json else line(report))

        result = asking_for_pin(agent, lambda: agent.listen(count, tell), as_json)
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        show(result, as_json=False)
    return result.exit_status
