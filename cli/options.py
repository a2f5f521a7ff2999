"""Options that several commands share, each also an environment variable ``SIPUA_…``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from card.errors import NoSuchWay
from card.readers.locate import WAYS, way_to
from cli.trace import trace_options

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
        if math.isnan(seconds):
            self.fail("not a number of seconds", param, ctx)
        return Waiting(seconds, lambda what: click.echo(what, err=True))


class Entries(click.ParamType):  # type: ignore[type-arg]
    """Several texts, separated by commas or blanks; a list in the configuration file."""

    name = "entries"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, str):
            return tuple(value.replace(",", " ").split())
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return tuple(value)
        return self.fail("expected texts", param, ctx)


def card_options(command: F) -> F:
    """Which card, how long to wait for it, which application on it, its PIN, and what not to do;
    and a trace of it.
    """
    for decorate in (
        trace_options,
        click.option(
            "--dry-run",
            is_flag=True,
            help="Read the card, but print what would cost it something instead of sending it.",
        ),
        click.option(
            "--protected",
            type=Entries(),
            default=(),
            metavar="ICCID[,ICCID]",
            help="Cards that are only read, whatever is asked for; SIPUA_PROTECTED adds to them.",
        ),
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
    return read_secret("PIN", pin_file, "SIPUA_PIN")


def read_secret(name: str, path: str | None, variable: str) -> str | None:
    """What a file holds, or an environment variable; None where neither is given.

    Raises click.UsageError when the file cannot be read.
    """
    if path is None:
        return os.environ.get(variable) or None
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read the {name} from {path}: {error}") from error
