"""``sipua options``."""

from __future__ import annotations

from typing import Any

import click

from cli.agent_options import agent_options, asking_for_pin, build_agent, show
from cli.options import json_option, read_pin, verbose_option


@click.command(
    "options",
    epilog="Example:  sipua options tel:+15550100 --card pcsc --json",
)
@click.argument("uri")
@agent_options
@json_option
@verbose_option
def ask_options(
    uri: str, as_json: bool, verbose: int, dry_run: bool, pin_file: str | None, **options: Any
) -> int:
    """Register, then ask what URI can do: sip:USER@DOMAIN, tel:+NUMBER, or sip:DOMAIN itself.

    Whoever challenges on the way, by 401 or 407, is answered with the card.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    with build_agent(read_pin(pin_file), verbose, ladder=not as_json, **options) as agent:
        result = asking_for_pin(agent, lambda: agent.options(uri), as_json)
        show(result, as_json)
        return result.exit_status
