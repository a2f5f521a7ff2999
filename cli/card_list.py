"""``sipua card list``."""

from __future__ import annotations

import click

from cli.card_session import card_failure
from cli.options import json_option
from cli.render import print_json


@click.command(epilog="Example:  sipua card list --json")
@json_option
def list_command(as_json: bool) -> int:
    """List the PC/SC readers and what they hold."""
    from card.errors import CardError
    from card.readers.locate import list_readers

    try:
        readers = list_readers()
    except CardError as error:
        return card_failure(error, as_json)
    if as_json:
        print_json(
            {"readers": [reader._asdict() | {"atr": reader.atr.hex()} for reader in readers]}
        )
        return 0
    for index, reader in enumerate(readers):
        state = f"card, ATR {reader.atr.hex()}" if reader.present else "empty"
        click.echo(f"pcsc:{index}  {reader.name}  ({state})")
    if not readers:
        click.echo("PC/SC runs, but there is no reader.")
    return 0
