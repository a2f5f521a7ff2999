"""``sipua demo``: the embedded network, the emulated card and one registration between them."""

from __future__ import annotations

import sys

import click

from cli.options import json_option, verbose_option
from cli.render import LiveLadder, observer
from cli.trace import open_recorder, trace_options


@click.command(epilog="Example:  sipua demo --fault sqn-behind")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Let the network misbehave; `sipua core --list-faults` shows how.",
)
@trace_options
@json_option
@verbose_option
def demo(
    faults: tuple[str, ...], trace: str | None, trace_secrets: bool, as_json: bool, verbose: int
) -> int:
    """Register an emulated card at an embedded network, all on this machine."""
    from card.profile import shipped
    from card.readers.emulated import EmulatedLink
    from cli.agent_options import show
    from sipua.agent.identity_module import CardChoice
    from sipua.agent.user_agent import UserAgent
    from sipua.core.server import CoreServer
    from sipua.errors import LocalError
    from sipua.settings import AgentSettings

    watcher = observer(verbose, ladder=False)
    watcher.recorder = open_recorder(trace, trace_secrets)
    if not as_json:
        watcher.on_step = LiveLadder(sys.stdout)
    try:
        server = CoreServer([shipped()], faults=faults)
    except LocalError as error:
        raise click.UsageError(str(error)) from error
    with server:
        settings = AgentSettings(pcscf=str(server.hops[0]))
        # The demo's card forgets: each run tells the same story.
        with UserAgent(CardChoice(EmulatedLink(remember=False)), settings, watcher) as agent:
            result = agent.register()
    if not as_json:
        click.echo()
    show(result, as_json)
    return result.exit_status
