"""What every command that registers has in common: its options, its user agent, its result."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.options import card_options, option
from cli.render import observer, print_json, print_result
from cli.trace import open_recorder

if TYPE_CHECKING:
    from sipua.agent.identity_module import CardChoice
    from sipua.agent.registrant import Registrant
    from sipua.agent.user_agent import UserAgent
    from sipua.result import RegistrationResult
    from sipua.settings import AgentSettings

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound="RegistrationResult")


def agent_options(command: F) -> F:
    """Which card, who the subscriber is, where the network is, and what is said to it."""
    for decorate in reversed(
        (
            option(
                "--profile",
                metavar="NAME|FILE",
                is_eager=True,
                expose_value=False,
                callback=_take_profile,
                help="Defaults for a kind of network: see sipua profile list.",
            ),
            option("--impi", metavar="IMPI", help="Private identity, in place of the card's."),
            option(
                "--impu", metavar="URI", help="Public identity to register, in place of the card's."
            ),
            option("--domain", metavar="NAME", help="Home network domain, in place of the card's."),
            option(
                "--impu-index",
                type=click.IntRange(1),
                default=1,
                show_default=True,
                help="Which EF_IMPU record of the ISIM to register.",
            ),
            option(
                "--pcscf",
                metavar="[udp:|tcp:|tls:]HOST[:PORT]",
                help="Where to send requests; without it the ISIM's P-CSCF records, then DNS.",
            ),
            option("--bind", metavar="ADDR[:PORT]", help="Local address to send from."),
            option("--interface", metavar="NAME", help="Network interface to send through."),
            option(
                "--transport",
                type=click.Choice(["auto", "udp", "tcp", "tls"]),
                default="auto",
                show_default=True,
                help="Transport, where --pcscf does not say.",
            ),
            option(
                "--udp-limit",
                type=click.IntRange(200, 65507),
                default=1300,
                show_default=True,
                metavar="OCTETS",
                help="Longer requests go by TCP where UDP was chosen for them.",
            ),
            option(
                "--ca-file", metavar="FILE", help="PEM file of the authorities trusted for TLS."
            ),
            option(
                "--expires",
                type=click.IntRange(0),
                default=600000,
                show_default=True,
                metavar="SECONDS",
                help="Registration time to ask for.",
            ),
            option(
                "--algorithm",
                metavar="NAME",
                default="AKAv1-MD5",
                show_default=True,
                help="Algorithm named in the first REGISTER; 'none' leaves it out.",
            ),
            option(
                "--scheme",
                metavar="NAME[,NAME]",
                help="Answer these only: aka, umts, digest-umts, pgp-umts, or as AKAv2-MD5.",
            ),
            click.option(
                "--plain-res",
                is_flag=True,
                help="Answer AKAv2 with RES as the password: some servers know its name only.",
            ),
            click.option(
                "--header",
                "headers",
                multiple=True,
                metavar="'NAME: VALUE'",
                help="Add a header field.",
            ),
            option(
                "--user-agent", metavar="TEXT", help="Value of User-Agent; none is sent without it."
            ),
            option(
                "--imei",
                metavar="DIGITS",
                default="",
                help="IMEI of the device: +sip.instance of the Contact.",
            ),
            click.option(
                "--feature",
                "features",
                multiple=True,
                metavar="TAG",
                help='Feature tag of the Contact: mmtel, smsip, audio, video, or NAME[="VALUE"].',
            ),
            click.option(
                "--gruu", is_flag=True, help="Ask for a URI of this device alone (RFC 5627)."
            ),
            option(
                "--access-network",
                metavar="VALUE",
                default="",
                help="P-Access-Network-Info; some networks want it, others refuse it.",
            ),
            option(
                "--visited-network",
                metavar="VALUE",
                default="",
                help="P-Visited-Network-ID.",
            ),
            option(
                "--ipsec",
                type=click.Choice(("auto", "require", "off")),
                default="off",
                show_default=True,
                help="Agree on IPsec with the P-CSCF (RFC 3329, TS 33.203); needs root.",
            ),
            option(
                "--mechanisms",
                metavar="ALG/EALG,…",
                help="What is offered for that, the best first, as hmac-sha-1-96/aes-cbc.",
            ),
            click.option(
                "--ims-timers",
                is_flag=True,
                help="Patience for radio links: T1 2 s, T2 16 s (TS 24.229).",
            ),
            click.option(
                "--keep-trying",
                is_flag=True,
                help="A registration that is to stay and was lost is made anew, again and again.",
            ),
            click.option(
                "--reg-event",
                is_flag=True,
                help="Follow what the network does with a registration that is to stay (RFC 3680).",
            ),
            click.option(
                "--stun",
                is_flag=True,
                help="Keep NATs open for a registration that stays over UDP (RFC 5626 §4.4.2).",
            ),
            option(
                "--timeout",
                type=click.FloatRange(min=0, min_open=True),
                default=32.0,
                show_default=True,
                metavar="SECONDS",
                help="Give the whole attempt up after this time.",
            ),
        )
    ):
        command = decorate(command)
    return card_options(command)


def _take_profile(ctx: click.Context, _option: click.Parameter, name: str | None) -> None:
    """Put a network profile's values below those of the configuration file."""
    if name is not None:
        from sipua.profiles.network_profile import load

        ctx.default_map = load(name).options | dict(ctx.default_map or {})


def asking_for_pin(agent: Registrant, act: Callable[[], R], as_json: bool) -> R:
    """Do it; a person is asked for a PIN that the card wants and nobody gave."""
    from sipua.verdict import Verdict

    result = act()
    if result.verdict is not Verdict.PIN_REQUIRED or as_json or not sys.stdin.isatty():
        return result
    tries = agent.pin_tries()
    click.echo(f"The card asks for PIN1; {tries} tries are left.", err=True)
    agent.use_pin(click.prompt("PIN1", hide_input=True, err=True))
    return act()


def show(result: RegistrationResult, as_json: bool) -> None:
    """Print the outcome as asked for."""
    if as_json:
        print_json(result.to_json())
    else:
        print_result(result)


def build_agent(pin: str | None, verbose: int, *, ladder: bool, **options: Any) -> UserAgent:
    """A user agent for the options of ``register``, watched as ``observer`` says.

    Raises click.UsageError.
    """
    from sipua.agent.user_agent import UserAgent

    watching = observer(verbose, ladder=ladder)
    watching.recorder = open_recorder(options.pop("trace"), options.pop("trace_secrets"))
    choice, settings = agent_settings(pin, **options)
    return UserAgent(choice, settings, watching)


def agent_settings(pin: str | None, **options: Any) -> tuple[CardChoice, AgentSettings]:
    """Which card the options of ``register`` mean, and what they say of the network.

    Raises click.UsageError.
    """
    from sipua.agent.identity_module import CardChoice
    from sipua.settings import AgentSettings

    choice = CardChoice(
        options.pop("card"),
        options.pop("application"),
        pin,
        options.pop("force_pin"),
        protected=options.pop("protected"),
        waiting=options.pop("waiting"),
    )
    algorithm = options.pop("algorithm")
    settings = AgentSettings(
        algorithm="" if algorithm == "none" else algorithm,
        scheme=_listed(options.pop("scheme")),
        headers=tuple(_header(text) for text in options.pop("headers")),
        features=tuple(options.pop("features")),
        mechanisms=_listed(options.pop("mechanisms")),
        user_agent=options.pop("user_agent") or "",
        **options,
    )
    return choice, settings


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise click.UsageError(f"--header {text!r}: expected 'Name: value'")
    return name.strip(), value.strip()
