"""``sipua profile``: what is known of networks."""

from __future__ import annotations

from typing import Any

import click

from cli.app import LazyGroup
from cli.options import json_option
from cli.render import print_json

COMMANDS = {
    "list": "cli.profile:list_command",
    "show": "cli.profile:show",
}

ONE_OF_MANY = {"headers": "--header", "features": "--feature"}
"""Options that are given once for each value."""


@click.group(cls=LazyGroup, lazy=COMMANDS, epilog="Example:  sipua profile show carrier")
def profile() -> None:
    """What differs between networks; --profile NAME|FILE takes it for defaults."""


@click.command(epilog="Example:  sipua profile list --json")
@json_option
def list_command(as_json: bool) -> int:
    """List the network profiles that ship."""
    from sipua.profiles.network_profile import load, names

    found = [load(name) for name in names()]
    if as_json:
        print_json({"profiles": [{"name": each.name, "about": each.about} for each in found]})
        return 0
    width = max(len(each.name) for each in found)
    for each in found:
        click.echo(f"{each.name:{width}}  {each.about}")
    return 0


@click.command(epilog="Example:  sipua profile show carrier")
@click.argument("name", metavar="NAME|FILE")
@json_option
def show(name: str, as_json: bool) -> int:
    """Show what a profile sets, as options of the command line; a file is checked."""
    from sipua.profiles.network_profile import load

    found = load(name)
    if as_json:
        print_json(
            {
                "name": found.name,
                "about": found.about,
                "sources": list(found.sources),
                "options": found.options,
            }
        )
        return 0
    click.echo(f"{found.name}: {found.about}")
    for source in found.sources:
        click.echo(f"  known from: {source}")
    for option, value in found.options.items():
        for text in _spelled(option, value):
            click.echo(f"  {text}")
    return 0


def _spelled(option: str, value: Any) -> list[str]:
    """An option as it would be typed; a list as many times as it has entries."""
    name = ONE_OF_MANY.get(option) or f"--{option.replace('_', '-')}"
    if isinstance(value, list):
        return [f"{name} '{each}'" for each in value]
    if isinstance(value, bool):
        return [name if value else f"({name} not set)"]
    return [f"{name} {value}"]
