"""``sipua message``."""

from __future__ import annotations

import sys
from typing import Any

import click

from cli.agent_options import agent_options, asking_for_pin, build_agent, show
from cli.options import json_option, read_pin, verbose_option


@click.command(
    epilog='Example:  sipua message sip:bob@ims.example "See you at eight" --card pcsc',
)
@click.argument("uri")
@click.argument("text")
@agent_options
@json_option
@verbose_option
def message(
    uri: str,
    text: str,
    as_json: bool,
    verbose: int,
    dry_run: bool,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Register, then send TEXT to URI, which is sip:USER@DOMAIN or tel:+NUMBER.

    With - for TEXT it is read from standard input. Whoever challenges on the
    way, by 401 or 407, is answered with the card. The verdict is ok when the
    far end has taken the text, or a server that keeps it until then.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    if text == "-":
        text = sys.stdin.read()
    with build_agent(read_pin(pin_file), verbose, ladder=not as_json, **options) as agent:
        result = asking_for_pin(agent, lambda: agent.message(uri, text), as_json)
        show(result, as_json)
        return result.exit_status
