"""``sipua sms``: short messages over IP."""

from __future__ import annotations

import click

from cli.app import LazyGroup

COMMANDS = {
    "send": "cli.sms_send:send",
    "listen": "cli.sms_listen:listen",
}


@click.group(cls=LazyGroup, lazy=COMMANDS, epilog='Example:  sipua sms send +15550100001 "Hello"')
def sms() -> None:
    """Short messages (SMS) over IP, by the service centre of the network."""
