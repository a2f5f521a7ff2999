"""``sipua card pin``: the state of PINs, and what a user may do with them.

PINs and PUKs come from a file, the environment or a prompt without echo, never
from an argument.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.app import Group
from cli.card_info import pin_sentence
from cli.card_session import Document, Outcome, run
from cli.options import card_options, json_option, option, read_secret, verbose_option

if TYPE_CHECKING:
    from card.session import CardSession
    from card.user_pin import PinState, UserPin

F = TypeVar("F", bound=Callable[..., Any])
BLANK: Document = dict.fromkeys(("pin", "sent", "before", "after"))
DRY = "0000"  # what a dry run takes for a PIN; it goes nowhere
DRY_PUK = "00000000"


@click.group(cls=Group)
def pin() -> None:
    """PINs: status, verify, change, enable, disable, unblock.

    How many tries are left is asked of the card and said before anything is
    sent. With fewer than two left nothing is sent unless --force-pin is given.
    """


def pin_options(command: F) -> F:
    """Which PIN, on which card."""
    which = click.option(
        "--pin",
        "which",
        type=click.Choice(["1", "universal"]),
        default="1",
        show_default=True,
        help="PIN1 of the application, under the key that its FCP names, or the universal PIN.",
    )
    return card_options(which(json_option(verbose_option(command))))


new_pin_option = option(
    "--new-pin-file", metavar="FILE", help="File that holds the new PIN (or set SIPUA_NEW_PIN)."
)
puk_option = option("--puk-file", metavar="FILE", help="File that holds the PUK (or SIPUA_PUK).")


@pin.command("status", epilog="Example:  sipua card pin status --card pcsc")
@card_options
@json_option
@verbose_option
def status_command(**options: Any) -> int:
    """Tell which PINs are enabled and how many tries are left. Spends none."""

    def work(session: CardSession) -> Outcome:
        from card.user_pin import states

        found = states(session.uicc, session.application.application)
        return Outcome(
            "ok", "The card was asked; no try was spent.", {"pins": [*map(_plain, found)]}
        )

    def show(document: Document) -> None:
        for each in document["pins"]:
            click.echo(f"  {each['name']:<24}{pin_sentence(each)}")

    return run(work, show, with_pin=False, blank={"pins": None}, **options)


@pin.command("verify", epilog="Example:  sipua card pin verify --pin-file pin.txt")
@pin_options
def verify_command(**options: Any) -> int:
    """Present the PIN, to see whether it is right."""

    def work(user_pin: UserPin, secrets: Secrets) -> tuple[bool, str]:
        sent = user_pin.verify(secrets.pin(), force=secrets.force)
        return (
            sent,
            "the PIN is right" if sent else "the card does not ask for it; nothing was sent",
        )

    return _operate(work, **options)


@pin.command("change", epilog="Example:  sipua card pin change --card pcsc")
@pin_options
@new_pin_option
def change_command(**options: Any) -> int:
    """Give the PIN another value; it must be enabled."""

    def work(user_pin: UserPin, secrets: Secrets) -> tuple[bool, str]:
        old = secrets.pin()
        return user_pin.change(old, secrets.new_pin(), force=secrets.force), "the PIN is changed"

    return _operate(work, **options)


@pin.command("enable", epilog="Example:  sipua card pin enable --pin-file pin.txt")
@pin_options
def enable_command(**options: Any) -> int:
    """Let the card ask for the PIN from now on."""

    def work(user_pin: UserPin, secrets: Secrets) -> tuple[bool, str]:
        if user_pin.state().enabled:
            return False, "it was enabled already; nothing was sent"
        return user_pin.enable(secrets.pin(), force=secrets.force), "the PIN is enabled"

    return _operate(work, **options)


@pin.command("disable", epilog="Example:  sipua card pin disable --pin-file pin.txt")
@pin_options
@click.option(
    "--universal-instead",
    is_flag=True,
    help="Let the card ask for the universal PIN instead.",
)
def disable_command(universal_instead: bool, **options: Any) -> int:
    """Let the card no longer ask for the PIN."""
    if universal_instead and options["which"] == "universal":
        raise click.UsageError("--universal-instead replaces PIN1, not the universal PIN itself")

    def work(user_pin: UserPin, secrets: Secrets) -> tuple[bool, str]:
        if user_pin.state().enabled is False:
            return False, "it was disabled already; nothing was sent"
        sent = user_pin.disable(secrets.pin(), universal=universal_instead, force=secrets.force)
        return sent, "the PIN is disabled"

    return _operate(work, **options)


@pin.command("unblock", epilog="Example:  sipua card pin unblock --puk-file puk.txt")
@pin_options
@puk_option
@new_pin_option
def unblock_command(**options: Any) -> int:
    """Give a blocked PIN a new value by its PUK. A card whose PUK is blocked is lost."""

    def work(user_pin: UserPin, secrets: Secrets) -> tuple[bool, str]:
        puk = secrets.puk()
        sent = user_pin.unblock(puk, secrets.new_pin(), force=secrets.force)
        return sent, "the PIN has its new value and is enabled"

    return _operate(work, **options)


class Secrets:
    """Where PINs and PUKs come from: a file, the environment, or a person at a terminal.

    A person sees the tries left before the first question.
    """

    def __init__(self, state: PinState, options: dict[str, Any], may_ask: bool) -> None:
        self.force: bool = options["force_pin"]
        self._state = state
        self._options = options
        self._may_ask = may_ask
        self._told = False

    def pin(self) -> str:
        """The PIN as it is now."""
        return self._get("PIN", "pin", DRY)

    def new_pin(self) -> str:
        """The PIN as it shall be; a person types it twice."""
        return self._get("new PIN", "new_pin", DRY, twice=True)

    def puk(self) -> str:
        """The PUK."""
        return self._get("PUK", "puk", DRY_PUK)

    def tell(self) -> None:
        """Say the tries left, once."""
        if not self._told:
            self._told = True
            click.echo(f"{self._state.name}: {pin_sentence(_plain(self._state))}", err=True)

    def _get(self, name: str, key: str, dry: str, *, twice: bool = False) -> str:
        self.tell()
        if self._options["dry_run"]:
            return dry
        given = read_secret(name, self._options.get(f"{key}_file"), f"SIPUA_{key.upper()}")
        if given:
            return given
        if not self._may_ask:
            from card.errors import PinRequired

            raise PinRequired(
                f"no {name} was given: name a file by --{key.replace('_', '-')}-file,"
                f" set SIPUA_{key.upper()}, or type it at a terminal without --json"
            )
        asked: str = click.prompt(
            f"{name} of {self._state.name}", hide_input=True, err=True, confirmation_prompt=twice
        )
        return asked


Work = Callable[["UserPin", Secrets], tuple[bool, str]]


def _operate(work: Work, which: str, **options: Any) -> int:
    """Run one operation on one PIN; the states before and after are part of the outcome."""
    may_ask = not options["as_json"] and sys.stdin.isatty()
    document = dict(BLANK)

    def with_session(session: CardSession) -> Outcome:
        from card.user_pin import UserPin

        chosen = session.application.application
        user_pin = UserPin(session.uicc, chosen, universal=which == "universal")
        before = user_pin.state()
        document.update(pin=user_pin.name, before=_plain(before))
        secrets = Secrets(before, options, may_ask)
        secrets.tell()
        try:
            document["sent"], sentence = work(user_pin, secrets)
        finally:
            if not options["dry_run"]:
                document["after"] = _after(user_pin)
        return Outcome("ok", f"{user_pin.name}: {sentence}.", document)

    return run(with_session, _show, with_pin=False, blank=document, **options)


def _after(user_pin: UserPin) -> Document | None:
    """The state after an attempt, also after one that failed; None when the card has gone."""
    from card.errors import CardError

    try:
        return _plain(user_pin.state())
    except CardError:
        return None


def _plain(state: PinState) -> Document:
    return state._asdict() | {"reference": f"{state.reference:02X}"}


def _show(document: Document) -> None:
    if document["after"]:
        click.echo(f"  now: {pin_sentence(document['after'])}")
