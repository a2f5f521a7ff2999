"""``sipua card``: readers, what is on a card, PINs, one AKA run by hand, a card for others."""

from __future__ import annotations

import click

from cli.app import LazyGroup

COMMANDS = {
    "list": "cli.card_list:list_command",
    "info": "cli.card_info:info",
    "read": "cli.card_read:read",
    "authenticate": "cli.card_authenticate:authenticate",
    "pin": "cli.card_pin:pin",
    "emulate": "cli.card_emulate:emulate",
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def card() -> None:
    """Readers and cards."""
