"""``sipua listen``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options
from cli.call_options import Seconds, call_options, carry_calls
from cli.options import option, verbose_option

if TYPE_CHECKING:
    from sipua.agent.call_report import OnReport
    from sipua.agent.user_agent import UserAgent
    from sipua.result import RegistrationResult


@click.command(
    epilog="""\b
Examples:
  sipua listen --card pcsc --media echo
  sipua listen --ring 5 --duration 10 --count 1 --json
  sipua listen --busy
""",
)
@click.option("--answer", is_flag=True, help="Answer each call (this is the default).")
@click.option("--busy", is_flag=True, help="Be busy: 486.")
@click.option("--decline", is_flag=True, help="Decline each call: 603.")
@click.option("--no-answer", is_flag=True, help="Let it ring and do nothing.")
@option(
    "--ring",
    type=Seconds(),
    default=0.0,
    metavar="SECONDS",
    help="Let it ring so long before that.",
)
@option(
    "--count",
    type=click.IntRange(1),
    metavar="N",
    help="End after so many calls; without it Ctrl-C ends it.",
)
@click.option(
    "--ussd-answer",
    "ussd_answers",
    multiple=True,
    metavar="TEXT",
    help="Answer to the next question that the network asks by USSD; without one it is declined.",
)
@call_options
@agent_options
@verbose_option
def listen(
    answer: bool,
    busy: bool,
    decline: bool,
    no_answer: bool,
    dry_run: bool,
    ring: float,
    count: int | None,
    ussd_answers: tuple[str, ...],
    duration: float | None,
    media: str,
    digits: str | None,
    digits_by: str,
    follow_refer: bool,
    **options: Any,
) -> int:
    """Register and take the calls that come, then de-register.

    Each call is answered, or what the options say. Texts are shown, short messages
    (SMS) and those by SIP alone, and what the network says by USSD; none of that
    counts as a call. Ctrl-C hangs up on calls that
    are there and de-registers; as with register --stay the exit status is that
    of the de-registration. A second Ctrl-C waits for neither, and one before the
    registration stands ends the attempt: interrupted (130).
    """
    if dry_run:
        from cli.register_dry_run import rehearse

        return rehearse(**options)
    from sipua.agent.call_plan import ListenPlan

    asked = {"answer": answer, "busy": busy, "decline": decline, "ring": no_answer}
    chosen = [what for what, is_wanted in asked.items() if is_wanted]
    if len(chosen) > 1:
        raise click.UsageError("--answer, --busy, --decline and --no-answer contradict each other")
    plan = ListenPlan(
        ring=ring,
        what=chosen[0] if chosen else "answer",
        duration=duration,
        calls=count,
        ussd_answers=ussd_answers,
        media=media,
        digits=(digits or "").upper(),
        digits_by=digits_by,
        follow_refer=follow_refer,
    )

    def act(agent: UserAgent, tell: OnReport) -> RegistrationResult:
        return agent.listen(plan, tell)

    return carry_calls(act, armed_by="registered", numbered=True, **options)
