"""``sipua register``."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.options import card_options, json_option, option, read_pin, verbose_option
from cli.render import observer, print_json, print_result

if TYPE_CHECKING:
    from types import FrameType

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
    help="Answer these only: aka, umts, digest-umts, pgp-umts, or algorithms as AKAv2-MD5.",
)
@click.option(
    "--plain-res",
    is_flag=True,
    help="Answer AKAv2 with RES as the password, as servers do that know it by name only.",
)
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Add a header field."
)
@option("--user-agent", metavar="TEXT", help="Value of User-Agent; none is sent without it.")
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
    as_json: bool,
    verbose: int,
    stay: bool,
    deregister: bool,
    dry_run: bool,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Register with the card's identity and print how it went.

    With --dry-run the card is read and nothing else happens: what would be
    asked of it is printed, and no network is touched.

    With --stay the result is printed once registered; the exit status is that
    of the end.
    """
    if stay and deregister:
        raise click.UsageError("--stay and --deregister contradict each other")
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(as_json=as_json, pin_file=pin_file, **options)
    with build_agent(read_pin(pin_file), verbose, as_json, **options) as agent:
        if deregister:
            result = agent.deregister()
        else:
            result = _register(agent, may_ask=not as_json and sys.stdin.isatty())
        if stay and result.exit_status == 0:
            end_stay_on_signal(agent)
        show(result, as_json)
        if not stay or result.exit_status:
            return result.exit_status
        click.echo("Staying registered; Ctrl-C de-registers and ends.", err=True)
        result = agent.stay()
    if as_json:
        click.echo(f"{result.verdict.value}: {result.reason}", err=True)
    else:
        show(result, as_json)
    return result.exit_status


def end_stay_on_signal(agent: UserAgent) -> None:
    """SIGINT and SIGTERM end the stay by de-registration; a second one ends that too."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        agent.interrupt()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _register(agent: UserAgent, may_ask: bool) -> RegistrationResult:
    """Register; a person is asked for a PIN that the card wants and nobody gave."""
    from sipua.verdict import Verdict

    result = agent.register()
    if result.verdict is not Verdict.PIN_REQUIRED or not may_ask:
        return result
    tries = agent.pin_tries()
    click.echo(f"The card asks for PIN1; {tries} tries are left.", err=True)
    agent.use_pin(click.prompt("PIN1", hide_input=True, err=True))
    return agent.register()


def show(result: RegistrationResult, as_json: bool) -> None:
    """Print the outcome as asked for."""
    if as_json:
        print_json(result.to_json())
    else:
        print_result(result)


def build_agent(pin: str | None, verbose: int, as_json: bool, **options: Any) -> UserAgent:
    """A user agent for the options of ``register``; raises click.UsageError."""
    from sipua.agent import UserAgent
    from sipua.identity_module import CardChoice
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
        scheme=tuple(
            name.strip() for name in (options.pop("scheme") or "").split(",") if name.strip()
        ),
        headers=tuple(_header(text) for text in options.pop("headers")),
        user_agent=options.pop("user_agent") or "",
        **options,
    )
    return UserAgent(choice, settings, observer(verbose, as_json))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise click.UsageError(f"--header {text!r}: expected 'Name: value'")
    return name.strip(), value.strip()
