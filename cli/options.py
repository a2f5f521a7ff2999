"""Options that several commands share, each also an environment variable ``SIPUA_…``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def option(name: str, *more: str, **settings: Any) -> Callable[[F], F]:
    """A click option ``--name`` that may also come from ``SIPUA_NAME``."""
    variable = "SIPUA_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *more, envvar=variable, **settings)


def json_option(command: F) -> F:
    """``--json``: one document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def verbose_option(command: F) -> F:
    """``-v``: steps; ``-vv``: SIP messages; ``-vvv``: APDUs. Redacted, on standard error."""
    return click.option(
        "-v",
        "--verbose",
        count=True,
        help="Say more on standard error: -v steps, -vv SIP messages, -vvv APDUs (redacted).",
    )(command)


def card_options(command: F) -> F:
    """Which card, which application on it, and its PIN."""
    for decorate in (
        click.option(
            "--force-pin",
            is_flag=True,
            help="Send the PIN even when fewer than two tries are left. May block the card.",
        ),
        option("--pin-file", metavar="FILE", help="File that holds PIN1 (or set SIPUA_PIN)."),
        option(
            "--application",
            type=click.Choice(["auto", "isim", "usim"]),
            default="auto",
            show_default=True,
            help="Application to authenticate with; auto takes the ISIM if there is one.",
        ),
        option(
            "--card",
            default="pcsc",
            show_default=True,
            metavar="CARD",
            help="pcsc, pcsc:2, pcsc:PART-OF-READER-NAME, pcsc:iccid=…, pcsc:imsi=…, "
            "emulated, emulated:PROFILE.toml.",
        ),
    ):
        command = decorate(command)
    return command


def read_pin(pin_file: str | None) -> str | None:
    """PIN1 from the file or from SIPUA_PIN; None where neither is given.

    Raises click.UsageError when the file cannot be read.
    """
    if pin_file is None:
        return os.environ.get("SIPUA_PIN") or None
    try:
        with open(pin_file, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read the PIN from {pin_file}: {error}") from error
