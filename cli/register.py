"""``sipua register``."""

from __future__ import annotations

from typing import Any

import click

from cli.agent_options import agent_options, asking_for_pin, build_agent, show
from cli.options import json_option, read_pin, verbose_option


@click.command(
    epilog="Example:  sipua register --card pcsc --pcscf udp:192.0.2.10:5060",
)
@agent_options
@click.option("--stay", is_flag=True, help="Keep the registration alive until interrupted.")
@click.option("--deregister", is_flag=True, help="Remove all registrations of the identity.")
@click.option(
    "--emergency",
    is_flag=True,
    help="An emergency registration (sos): at a network on this machine only.",
)
@click.option(
    "--test-network",
    is_flag=True,
    help="Allow that elsewhere: this network is there for tests, and nobody's emergencies.",
)
@json_option
@verbose_option
def register(
    as_json: bool,
    verbose: int,
    stay: bool,
    deregister: bool,
    dry_run: bool,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Register with the card's identity and print how it went.

    With --dry-run the card is read and nothing else happens: what would be
    asked of it is printed, and no network is touched.

    With --stay the result is printed once registered; the exit status is that
    of the end.
    """
    if stay and deregister:
        raise click.UsageError("--stay and --deregister contradict each other")
    if options["test_network"] and not options["emergency"]:
        raise click.UsageError("--test-network belongs to --emergency")
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    with build_agent(read_pin(pin_file), verbose, ladder=not as_json, **options) as agent:
        if deregister:
            result = agent.deregister()
        else:
            result = asking_for_pin(agent, agent.register, as_json)
        if stay and result.exit_status == 0:
            from cli.interruption import Interruption

            Interruption(agent).arm()
        show(result, as_json)
        if not stay or result.exit_status:
            return result.exit_status
        ending = "ends" if agent.settings.emergency else "de-registers and ends"
        click.echo(f"Staying registered; Ctrl-C {ending}.", err=True)
        result = agent.stay()
    if as_json:
        click.echo(f"{result.verdict.value}: {result.reason}", err=True)
    else:
        show(result, as_json)
    return result.exit_status
