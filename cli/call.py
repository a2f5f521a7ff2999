"""``sipua call``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options
from cli.call_options import Seconds, call_options, carry_calls
from cli.options import option, verbose_option

if TYPE_CHECKING:
    from sipua.agent.call_report import OnReport
    from sipua.agent.user_agent import UserAgent
    from sipua.result import CallResult


@click.command(
    epilog="""\b
Examples:
  sipua call sip:bob@ims.example --card pcsc
  sipua call tel:+15550100 --duration 10 --dtmf 123# --json
  sipua call sip:busy@ims.example --expect 486     # a script wants it busy
""",
)
@click.argument("uri")
@option(
    "--cancel-after",
    type=Seconds(),
    metavar="SECONDS",
    help="Give the call up if it is not answered by then: the verdict is cancelled.",
)
@option(
    "--ring-timeout",
    type=Seconds(),
    default=180.0,
    show_default=True,
    metavar="SECONDS",
    help="Let it ring so long; then the verdict is no-answer.",
)
@option(
    "--expect",
    type=click.IntRange(200, 699),
    metavar="STATUS",
    help="Final status that is ok, instead of 200; any other is unexpected.",
)
@option("--display-name", metavar="NAME", default="", help="Your name, for the other side.")
@call_options
@agent_options
@verbose_option
def call(
    uri: str,
    dry_run: bool,
    duration: float | None,
    cancel_after: float | None,
    ring_timeout: float,
    expect: int | None,
    display_name: str,
    media: str,
    digits: str | None,
    digits_by: str,
    follow_refer: bool,
    **options: Any,
) -> int:
    """Register, then call URI, which is sip:USER@DOMAIN or tel:+NUMBER.

    Whoever challenges on the way, by 401 or 407, is answered with the card. The
    verdict is ok when the call was answered and ended in order.

    Ctrl-C hangs up: by BYE once the call was answered, and the verdict is ok; by
    CANCEL before that, and the verdict is interrupted (exit status 130). A second
    Ctrl-C does not wait for what the network says to it.
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(**options)
    from sipua.agent.call_plan import CallPlan

    plan = CallPlan(
        duration=duration,
        cancel_after=cancel_after,
        expect=expect,
        media=media,
        digits=(digits or "").upper(),
        digits_by=digits_by,
        follow_refer=follow_refer,
        ring_timeout=ring_timeout,
        display_name=display_name,
    )

    def act(agent: UserAgent, tell: OnReport) -> CallResult:
        return agent.call(uri, plan, tell)

    return carry_calls(act, armed_by="calling", numbered=follow_refer, **options)
