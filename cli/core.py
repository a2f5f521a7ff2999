"""``sipua core``: the embedded network in the foreground."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option, option, verbose_option
from cli.render import print_json, print_message

if TYPE_CHECKING:
    from types import FrameType

    from sipua.core.server import CoreServer


def parse_listen(text: str) -> tuple[str, str, int]:
    """``udp:127.0.0.1:5060`` as transport, address and port; raises click.UsageError."""
    transport, _, place = text.partition(":")
    host, _, port = place.rpartition(":")
    if transport.upper() not in ("UDP", "TCP", "TLS") or not host or not port.isdecimal():
        raise click.UsageError(f"--listen {text}: expected udp:ADDR:PORT, tcp:… or tls:…")
    return transport.upper(), host.strip("[]"), int(port)


@click.command(
    epilog="Example:  sipua core --listen udp:127.0.0.1:5060 --fault sqn-behind",
)
@click.option(
    "--listen",
    multiple=True,
    metavar="TRANSPORT:ADDR:PORT",
    default=("udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"),
    show_default=True,
    help="Where to listen; port 0 takes a free one, which is then printed.",
)
@click.option(
    "--subscriber",
    "subscribers",
    multiple=True,
    metavar="PROFILE.toml",
    help="Card profile of a subscriber (default: the one that ships).",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=VALUE][@IMSI]",
    help="Misbehave on purpose; --list-faults shows how.",
)
@click.option("--list-faults", is_flag=True, help="List the faults and end.")
@option(
    "--scheme",
    metavar="NAME",
    default="aka",
    show_default=True,
    help="How AKA is carried: aka, or umts, digest-umts, pgp-umts, which let RES be seen.",
)
@option(
    "--algorithm",
    metavar="NAME",
    help="Algorithm of the challenges (default: as the user agent hints, else AKAv1-MD5).",
)
@click.option(
    "--challenge",
    "demands",
    multiple=True,
    metavar="METHOD=407[:SCHEME]",
    help="Challenge requests of METHOD, * for all, by 407 or 401 (default: REGISTER only).",
)
@option(
    "--ipsec",
    type=click.Choice(("off", "auto", "require")),
    default="off",
    show_default=True,
    help="Agree on IPsec with who offers it, or require it of everybody; needs root, and user "
    "agents on other machines or in other network namespaces.",
)
@option("--state-dir", metavar="DIR", help="Keep sequence numbers here (default: in memory).")
@option("--tls-certificate", metavar="FILE", help="PEM certificate chain for TLS.")
@option("--tls-key", metavar="FILE", help="PEM private key for TLS.")
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen on other addresses than loopback. The subscribers' keys are test keys.",
)
@json_option
@verbose_option
def core(
    listen: tuple[str, ...],
    subscribers: tuple[str, ...],
    faults: tuple[str, ...],
    list_faults: bool,
    as_json: bool,
    verbose: int,
    **options: Any,
) -> int:
    """Run a registrar and a proxy with an AuC, for the subscribers of card profiles.

    The proxy carries requests from one registered subscriber to another.
    """
    from sipua.core.faults import table

    if list_faults:
        known = table()
        width = max(len(name) for name, _ in known)
        for name, sentence in known:
            click.echo(f"{name:<{width}} {sentence}")
        return 0
    if (options["tls_certificate"] is None) != (options["tls_key"] is None):
        raise click.UsageError("--tls-certificate and --tls-key belong together")
    from card.errors import CardError
    from sipua.errors import SipuaError

    try:
        server = build_server(listen, subscribers, faults, verbose, **options)
        server.open()
    except (CardError, SipuaError) as error:
        raise click.UsageError(str(error)) from error
    announce(server, as_json)
    if server.protection is not None and not as_json:
        click.echo(f"{server.protection.told}.", err=True)
    try:
        serve_until_signalled(server)
    except CardError as error:
        click.echo(f"The network ends: {error}", err=True)
        return 1
    return 0


def build_server(
    listen: tuple[str, ...],
    subscribers: tuple[str, ...],
    faults: tuple[str, ...],
    verbose: int,
    **options: Any,
) -> CoreServer:
    """The network that the options describe. Raises ProfileError, LocalError, UsageError."""
    from card.profile import load, shipped
    from sipua.core.gate import parse_demand
    from sipua.core.server import CoreServer
    from sipua.net.tls_settings import TlsSettings

    tls = None
    if options["tls_certificate"]:
        tls = TlsSettings(certificate=options["tls_certificate"], key=options["tls_key"])
    return CoreServer(
        [load(path) for path in subscribers] or [shipped()],
        [parse_listen(text) for text in listen],
        faults=faults,
        scheme=options["scheme"],
        algorithm=options["algorithm"],
        challenge=dict(parse_demand(text) for text in options["demands"]),
        state_dir=options["state_dir"],
        tls=tls,
        allow_remote=options["allow_remote"],
        on_message=print_message if verbose else None,
        ipsec=options["ipsec"],
    )


def announce(server: CoreServer, as_json: bool) -> None:
    """Say on one line, at once, that requests are served now, and where."""
    hops = [str(hop) for hop in server.hops]
    if as_json:
        print_json({"ready": True, "listen": hops, "subscribers": list(server.subscribers)})
    else:
        click.echo(f"ready {' '.join(hops)} for {', '.join(server.subscribers)}")
    sys.stdout.flush()


def serve_until_signalled(server: CoreServer) -> None:
    """Serve until SIGINT or SIGTERM."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.run()
