"""``sipua card``: readers, what is on a card, one AKA run by hand, a card shown to pcscd."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import click

from cli.options import card_options, json_option, read_pin, verbose_option
from cli.render import print_apdu, print_json

if TYPE_CHECKING:
    from card.errors import CardError
    from card.session import CardSession


@click.group()
def card() -> None:
    """Readers and cards."""


@card.command("list", epilog="Example:  sipua card list --json")
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


@card.command("info", epilog="Example:  sipua card info --card emulated")
@card_options
@json_option
@verbose_option
def info_command(as_json: bool, verbose: int, pin_file: str | None, **options: Any) -> int:
    """Print the card's applications, identities and PIN state. Reads only."""
    from card.errors import CardError
    from cli.card_info import describe, print_description

    try:
        with open_session(pin_file, verbose, **options) as session:
            description = describe(session)
    except CardError as error:
        return card_failure(error, as_json)
    if as_json:
        print_json(description)
    else:
        print_description(description)
    return 0


class Octets(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.2
    """A parameter of exactly ``count`` octets, given as hexadecimal digits."""

    name = "hex"

    def __init__(self, count: int) -> None:
        self._count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            self.fail("expected hexadecimal digits", param, ctx)
        if len(octets) != self._count:
            self.fail(f"expected {self._count} octets, got {len(octets)}", param, ctx)
        return octets


@card.command(
    "authenticate",
    epilog="Example:  sipua card authenticate --card pcsc --rand 00…00 --autn 00…00",
)
@card_options
@click.option("--rand", type=Octets(16), required=True, metavar="HEX", help="RAND, 16 octets.")
@click.option("--autn", type=Octets(16), required=True, metavar="HEX", help="AUTN, 16 octets.")
@click.option("--show-secrets", is_flag=True, help="Print RES, CK, IK and Kc, not their lengths.")
@json_option
@verbose_option
def authenticate_command(
    rand: bytes,
    autn: bytes,
    show_secrets: bool,
    as_json: bool,
    verbose: int,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Run AUTHENTICATE once and print what the card answers. Costs a sequence number."""
    from card.aka.result import MacFailure, SynchronisationFailure
    from card.errors import CardError

    document: dict[str, Any] = dict.fromkeys(
        ("verdict", "exit_status", "reason", "application", "res", "ck", "ik", "kc", "auts")
    )
    try:
        with open_session(pin_file, verbose, **options) as session:
            document["application"] = session.application.name
            answer = session.application.authenticate(rand, autn)
    except SynchronisationFailure as failure:
        document |= {"auts": failure.auts.hex()}
        reason = "The card holds the key, but the SQN in AUTN is not fresh; see AUTS."
        return finish(document, "sync-failure", reason, as_json)
    except MacFailure:
        return finish(document, "mac-failure", "AUTN was not made with this card's key.", as_json)
    except CardError as error:
        return card_failure(error, as_json, document)
    for name, value in answer._asdict().items():
        shown = value.hex() if show_secrets else f"<{len(value)} octets>"
        document[name] = shown if value else None
    return finish(document, "ok", "The card accepted AUTN.", as_json)


def finish(document: dict[str, Any], verdict: str, reason: str, as_json: bool) -> int:
    """Print the outcome of a card command and return its exit status."""
    from sipua.verdict import Verdict

    status = Verdict(verdict).exit_status
    document |= {"verdict": verdict, "exit_status": status, "reason": reason}
    if as_json:
        print_json(document)
        return status
    click.echo(f"{verdict}\n  {reason}")
    for name in ("application", "res", "ck", "ik", "kc", "auts"):
        if document.get(name):
            click.echo(f"  {name:<12}{document[name]}")
    return status


def card_failure(error: CardError, as_json: bool, document: dict[str, Any] | None = None) -> int:
    """Say why the card could not be used; the exit status is that of the verdict."""
    from card.errors import ProfileError
    from sipua.identity_module import verdict_of

    if isinstance(error, ProfileError):
        raise click.UsageError(str(error)) from error
    return finish(document or {}, verdict_of(error).value, str(error), as_json)


def open_session(pin_file: str | None, verbose: int, **options: Any) -> CardSession:
    """The card that the options name, opened. Raises CardError."""
    from card.session import CardSession

    return CardSession(
        options["card"],
        options["application"],
        read_pin(pin_file),
        options["force_pin"],
        print_apdu if verbose >= 3 else None,
        waiting=options["waiting"],
    )


@card.command("emulate", epilog="Example:  sipua card emulate first.toml second.toml")
@click.argument("profiles", metavar="[PROFILE]...", nargs=-1)
@click.option(
    "--vpcd",
    metavar="HOST:PORT",
    default="127.0.0.1:35963",
    show_default=True,
    help="The virtual reader of vsmartcard's vpcd; the next card is one port higher.",
)
@click.option(
    "--serve",
    metavar="HOST:PORT",
    help="Wait here for whoever wants the card, as --card vpcd:HOST:PORT; port 0: a free one.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Serve on other addresses than loopback. Whoever connects may use the card.",
)
def emulate_command(
    profiles: tuple[str, ...], vpcd: str, serve: str | None, allow_remote: bool
) -> int:
    """Show the card of each PROFILE.toml to pcscd, or serve it on a port, until interrupted.

    Without PROFILE it is the card that ships. What a card remembers is kept
    beside its profile.
    """
    from contextlib import ExitStack

    from card.emulator.card import EmulatedCard
    from card.emulator.vpcd import VpcdCard, show
    from card.emulator.vpcd_server import VpcdServer
    from card.errors import CardError
    from card.profile import load, shipped
    from card.statefile import StateFile, default_path

    host, port = place("--serve", serve) if serve else place("--vpcd", vpcd)
    if serve and not (allow_remote or host.startswith("127.") or host in ("::1", "localhost")):
        raise click.UsageError(
            f"--serve {serve}: other machines reach {host}, and whoever connects may use the card."
            " Take 127.0.0.1 and lead it through a tunnel, or say --allow-remote"
        )
    written = (serve or vpcd).rpartition(":")[0]
    try:
        with ExitStack() as held:
            ready: dict[VpcdServer | VpcdCard, str] = {}
            for index, described in enumerate([load(path) for path in profiles] or [shipped()]):
                state = held.enter_context(StateFile(default_path(described)))
                card = EmulatedCard(described, state)
                at = port + index if port else 0
                shown = VpcdServer(card, host, at) if serve else VpcdCard(card, host, at)
                held.callback(shown.close)
                ready[shown] = f"ready {described.iccid} at {written}:{shown.port}"
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: [each.stop() for each in ready])
            show(list(ready), lambda shown: click.echo(ready[shown]))
    except CardError as error:
        return card_failure(error, as_json=False)
    return 0


def place(option: str, text: str) -> tuple[str, int]:
    """The host and port in HOST:PORT. Raises click.UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise click.UsageError(f"{option} {text}: expected HOST:PORT")
    return host.strip("[]"), int(port)
