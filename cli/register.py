"""``sipua register``."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from cli.options import card_options, json_option, option, read_pin, verbose_option

if TYPE_CHECKING:
    from sipua.agent import UserAgent
    from sipua.result import RegistrationResult


@click.command(
    epilog="Example:  sipua register --card pcsc --pcscf udp:192.0.2.10:5060",
)
@card_options
@option("--impi", metavar="IMPI", help="Private identity, in place of the card's.")
@option("--impu", metavar="URI", help="Public identity to register, in place of the card's.")
@option("--domain", metavar="NAME", help="Home network domain, in place of the card's.")
@option(
    "--impu-index",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Which EF_IMPU record of the ISIM to register.",
)
@option(
    "--pcscf",
    metavar="[udp:|tcp:|tls:]HOST[:PORT]",
    help="Where to send requests; without it the ISIM's P-CSCF records, then DNS.",
)
@option("--bind", metavar="ADDR[:PORT]", help="Local address to send from.")
@option("--interface", metavar="NAME", help="Network interface to send through.")
@option(
    "--transport",
    type=click.Choice(["auto", "udp", "tcp", "tls"]),
    default="auto",
    show_default=True,
    help="Transport, where --pcscf does not say.",
)
@option("--ca-file", metavar="FILE", help="PEM file of the authorities trusted for TLS.")
@option(
    "--expires",
    type=click.IntRange(0),
    default=600000,
    show_default=True,
    metavar="SECONDS",
    help="Registration time to ask for.",
)
@option(
    "--algorithm",
    metavar="NAME",
    default="AKAv1-MD5",
    show_default=True,
    help="Algorithm named in the first REGISTER; 'none' leaves it out.",
)
@option(
    "--scheme",
    metavar="NAME[,NAME]",
    help="Answer only these: AKAv1-MD5, AKAv2-MD5.",
)
@option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Add a header field.")
@option("--user-agent", metavar="TEXT", help="Value of User-Agent; empty sends none.")
@option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=32.0,
    show_default=True,
    metavar="SECONDS",
    help="Give the whole attempt up after this time.",
)
@click.option("--stay", is_flag=True, help="Keep the registration alive until interrupted.")
@click.option("--deregister", is_flag=True, help="Remove all registrations of the identity.")
@json_option
@verbose_option
def register(
    as_json: bool, verbose: int, stay: bool, deregister: bool, pin_file: str | None, **options: Any
) -> int:
    """Register with the card's identity and print how it went."""
    if stay and deregister:
        raise click.UsageError("--stay and --deregister contradict each other")
    agent = build_agent(read_pin(pin_file), as_json, verbose, **options)
    with agent:
        if deregister:
            result = agent.deregister()
        else:
            result = ask_for_pin_and_retry(agent, as_json)
        if stay and result.exit_status == 0:
            show(result, as_json)
            result = stay_registered(agent)
    show(result, as_json)
    return result.exit_status
