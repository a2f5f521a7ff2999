"""``sipua card emulate``: emulated cards in pcscd's readers, or served on a port."""

from __future__ import annotations

import signal

import click

from cli.card_session import card_failure


@click.command(epilog="Example:  sipua card emulate first.toml second.toml")
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
def emulate(profiles: tuple[str, ...], vpcd: str, serve: str | None, allow_remote: bool) -> int:
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
