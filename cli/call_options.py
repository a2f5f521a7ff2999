"""What ``sipua call`` and ``sipua listen`` have in common: options, views, the way to an end."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.agent_options import asking_for_pin, build_agent
from cli.call_view import choose_view
from cli.interruption import Interruption
from cli.options import option, read_pin

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport, OnReport
    from sipua.agent.user_agent import UserAgent
    from sipua.result import RegistrationResult

F = TypeVar("F", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A time of 0 seconds or more that ends some day."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail("not a number of seconds", param, ctx)
        return seconds


def call_options(command: F) -> F:
    """How long a call lasts, what its media do, which digits are sent, and ``--json``."""
    for decorate in reversed(
        (
            option(
                "--duration",
                type=Seconds(),
                metavar="SECONDS",
                help="Hang up so long after the answer; without it somebody else must.",
            ),
            option(
                "--media",
                type=click.Choice(["sink", "echo", "none"]),
                default="sink",
                show_default=True,
                help="Count the RTP packets that come, send them back, or offer no media.",
            ),
            option("--dtmf", "digits", metavar="DIGITS", help="Send 0-9*#A-D after the answer."),
            option(
                "--dtmf-by",
                "digits_by",
                type=click.Choice(["rtp", "info"]),
                default="rtp",
                show_default=True,
                help="Carry the digits in RTP (RFC 4733) or in INFO requests.",
            ),
            click.option(
                "--follow-refer",
                is_flag=True,
                help="Call whom the other side refers us to; without it REFER is declined.",
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


def carry_calls(
    act: Callable[[UserAgent, OnReport], RegistrationResult],
    *,
    armed_by: str,
    numbered: bool,
    as_json: bool,
    verbose: int,
    pin_file: str | None,
    **options: Any,
) -> int:
    """Do it with a user agent, showing what happens; returns the exit status.

    From the event ``armed_by`` on a signal hangs up in order; before that it
    ends the attempt. Raises click.UsageError, LocalError.
    """
    # What -v prints would tear a line that is drawn anew.
    view = choose_view(as_json=as_json, live=not verbose, numbered=numbered)
    agent = build_agent(read_pin(pin_file), verbose, ladder=False, **options)
    with view, agent, Interruption(agent) as interruption:

        def tell(report: CallReport) -> None:
            if report.event == armed_by:
                interruption.arm()
            try:
                view.report(report)
            except BrokenPipeError:
                # Nobody reads any more: calls are not left standing behind his back.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                agent.interrupt()

        result = asking_for_pin(agent, lambda: act(agent, tell), as_json)
    view.result(result)
    return result.exit_status
