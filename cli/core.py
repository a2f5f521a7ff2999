"""``sipua core``: the embedded network in the foreground."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import click

from cli.options import json_option, option, verbose_option


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
    "--algorithm",
    type=click.Choice(["AKAv1-MD5", "AKAv2-MD5"]),
    default="AKAv1-MD5",
    show_default=True,
    help="Algorithm of the challenges.",
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
    """Run a registrar with an AuC, for the subscribers of card profiles."""
    from sipua.core.faults import FAULTS, parse_fault

    if list_faults:
        for name, fault in FAULTS.items():
            click.echo(f"{name:<18}{fault.help}")
        return 0
    print((listen, subscribers, faults, as_json, verbose, options, parse_fault, signal, FrameType))
    return 0
