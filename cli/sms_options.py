"""What the commands of ``sipua sms`` have in common: options, the user agent, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.agent_options import agent_settings
from cli.call_words import who
from cli.options import option
from cli.render import observer, shown
from cli.trace import open_recorder

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport
    from sipua.agent.texts.texter import Texter

F = TypeVar("F", bound=Callable[..., Any])


def sms_options(command: F) -> F:
    """Which service centre, and ``--json``."""
    for decorate in reversed(
        (
            option(
                "--service-centre",
                metavar="NUMBER",
                default="",
                help="Number of the service centre, in place of the card's (EF_SMSP).",
            ),
            option(
                "--psi",
                metavar="URI",
                default="",
                help="Where short messages are sent to, in place of tel: and that number.",
            ),
            click.option(
                "--json",
                "as_json",
                is_flag=True,
                help="Print one JSON document a line: each event, then the verdict.",
            ),
        )
    ):
        command = decorate(command)
    return command


def build_texter(
    pin: str | None, verbose: int, *, service_centre: str, psi: str, **options: Any
) -> Texter:
    """A user agent for the options of ``sms``; raises click.UsageError, LocalError."""
    from sipua.agent.texts.texter import Texter

    watching = observer(verbose, ladder=False)
    watching.recorder = open_recorder(options.pop("trace"), options.pop("trace_secrets"))
    choice, settings = agent_settings(pin, **options)
    return Texter(choice, settings, watching, psi=psi, service_centre=service_centre)


def line(report: CallReport) -> str:
    """One thing that happened, for people; what peers wrote is made harmless."""
    told = report.details
    if report.event == "registered":
        return f"Registered {told['impu']} at {told['registrar']}; texts are taken."
    if report.event == "sms":
        missing = (
            f"  ({told['missing']} of {told['parts']} parts missing)" if told["missing"] else ""
        )
        flash = "  (flash)" if told["flash"] else ""
        head = shown(f"{told['from']}  {told['sent']}{missing}{flash}")
        return f"{head}\n{_indented(told['text'])}"
    if report.event == "message":
        sender = shown(who(told["from"], told["from_name"]))
        return f"{sender}\n{_indented(told['text'])}"
    if report.event == "submitted":
        parts = told["parts"]
        return f"The service centre has it{f', in {parts} parts' if parts > 1 else ''}."
    if report.event == "reported":
        part = f"part {told['part']}: " if told["parts"] > 1 else ""
        return f"Delivery report: {part}{told['why']} ({told['discharged']})"
    return shown(f"{report.event}: {told.get('reason', '')}")


def _indented(text: str) -> str:
    return "\n".join(f"  {shown(each)}" for each in text.splitlines())
