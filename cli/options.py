"""Options that several commands share, each also an environment variable ``SIPUA_…``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from card.errors import NoSuchWay
from card.readers.locate import WAYS, way_to

if TYPE_CHECKING:
    from card.readers.waiting import Waiting

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


class CardText(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.2
    """A text that names a card, or a usage error that lists the spellings."""

    name = "card"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            way_to(value)
        except NoSuchWay as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Patience(click.ParamType):  # type: ignore[type-arg]
    """Seconds to wait for a card; what is waited for is said on standard error."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Waiting:
        from card.readers.waiting import Waiting

        if isinstance(value, Waiting):
            return value
        seconds = click.FloatRange(min=0).convert(value, param, ctx)
        return Waiting(seconds, lambda what: click.echo(what, err=True))


def card_options(command: F) -> F:
    """Which card, how long to wait for it, which application on it, and its PIN."""
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
            "--wait-card",
            "waiting",
            type=Patience(),
            is_flag=False,
            flag_value="inf",
            metavar="[SECONDS]",
            help="Wait for a card that is not there, or is gone when it is needed.",
        ),
        option(
            "--card",
            type=CardText(),
            default="pcsc",
            show_default=True,
            metavar="CARD",
            help=f"{', '.join(way.spelling for way in WAYS)}.",
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
