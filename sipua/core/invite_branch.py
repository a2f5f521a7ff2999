"""The branch of an INVITE: it rings, is cancelled, and may be answered all the same.

RFC 3261 §16.7, §16.8 and §16.10. A CANCEL must wait for a provisional response
(§9.1), and may cross a 2xx, which counts then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.branch import (
    GLOBAL_REFUSAL,
    HUNDRED,
    PROGRESS,
    REFUSAL,
    SILENCE,
    WITHDRAWAL,
    Branch,
    forward,
    keep,
    keep_unanswered,
    keep_unreachable,
)
from sipua.sip.grammar import quote
from sipua.sip.transaction.machine import (
    ACCEPTED,
    CALLING,
    PROCEEDING,
    START,
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    Row,
    Table,
)

if TYPE_CHECKING:
    from sipua.sip.message import Response

# States besides those of sipua.sip.transaction.machine
WITHDRAWN = "Withdrawn"  # to be cancelled as soon as it rings
CANCELLED = "Cancelled"

# Timers
TIMER_C = "Timer C"
LAST_WORD = "64*T1 after CANCEL"
LINGER = "64*T1 after 2xx"

MAX_RINGING = 181.0
"""Seconds of Timer C, which must be larger than three minutes (RFC 3261 §16.6 step 11)."""


def start_c(branch: InviteBranch, _: object, now: float) -> None:
    """Timer C from its beginning."""
    branch.start_timer(TIMER_C, MAX_RINGING, now)


def start_linger(branch: InviteBranch, _: object, now: float) -> None:
    """Time for the 2xx to be repeated, or to come from elsewhere beyond this target."""
    branch.start_timer(LINGER, branch.layer.timers.transaction, now)


def cancel(branch: InviteBranch, _: object, now: float) -> None:
    """CANCEL, and time for what has to come of it (RFC 3261 §9.1)."""
    context = branch.context
    context.endpoint.send_cancel(branch.client, now, context.reasons)
    branch.start_timer(LAST_WORD, branch.layer.timers.transaction, now)


def cancel_others(branch: InviteBranch, response: Response, now: float) -> None:
    """CANCEL to all other branches, telling why (RFC 3326 §2)."""
    text = "Call completed elsewhere" if response.status < 300 else response.reason
    branch.context.cancel([f"SIP;cause={response.status};text={quote(text)}"], now)


def abandon(branch: InviteBranch, _: object, __: float) -> None:
    """Wait no longer for a final response."""
    branch.context.endpoint.abandon(branch.client)


ANSWERED = Row(ACCEPTED, (forward, cancel_others, start_linger), "3261 §16.7 steps 5, 10")
REFUSED = Row(TERMINATED, (keep,), "3261 §16.7 step 4")
REFUSED_BY_ALL = Row(TERMINATED, (keep, cancel_others), "3261 §16.7 steps 5, 10")
RINGS = Row(PROCEEDING, (forward, start_c), "3261 §16.7 steps 2, 5")

TRANSITIONS: Table = {
    (CALLING, START): Row(CALLING, (start_c,), "3261 §16.6 step 11"),
    (CALLING, HUNDRED): Row(PROCEEDING, (), "3261 §16.7 step 5"),
    (CALLING, PROGRESS): RINGS,
    (CALLING, SUCCESS): ANSWERED,
    (CALLING, REFUSAL): REFUSED,
    (CALLING, GLOBAL_REFUSAL): REFUSED_BY_ALL,
    (CALLING, SILENCE): Row(TERMINATED, (keep_unanswered,), "3261 §16.7 step 6"),
    (CALLING, TIMER_C): Row(TERMINATED, (abandon, keep_unanswered), "3261 §16.8"),
    (CALLING, TRANSPORT_ERROR): Row(TERMINATED, (keep_unreachable,), "3261 §16.9"),
    (CALLING, WITHDRAWAL): Row(WITHDRAWN, (), "3261 §9.1"),
    (PROCEEDING, PROGRESS): RINGS,
    (PROCEEDING, SUCCESS): ANSWERED,
    (PROCEEDING, REFUSAL): REFUSED,
    (PROCEEDING, GLOBAL_REFUSAL): REFUSED_BY_ALL,
    (PROCEEDING, TIMER_C): Row(CANCELLED, (cancel,), "3261 §16.8"),
    (PROCEEDING, WITHDRAWAL): Row(CANCELLED, (cancel,), "3261 §16.10"),
    (WITHDRAWN, HUNDRED): Row(CANCELLED, (cancel,), "3261 §9.1"),
    (WITHDRAWN, PROGRESS): Row(CANCELLED, (forward, cancel), "3261 §9.1"),
    (WITHDRAWN, SUCCESS): ANSWERED,
    (WITHDRAWN, REFUSAL): REFUSED,
    (WITHDRAWN, GLOBAL_REFUSAL): REFUSED,
    (WITHDRAWN, SILENCE): Row(TERMINATED, (keep_unanswered,), "3261 §16.7 step 6"),
    (WITHDRAWN, TRANSPORT_ERROR): Row(TERMINATED, (keep_unreachable,), "3261 §16.9"),
    (CANCELLED, PROGRESS): Row(CANCELLED, (forward,), "3261 §16.7 step 5"),
    (CANCELLED, SUCCESS): ANSWERED,
    (CANCELLED, REFUSAL): REFUSED,
    (CANCELLED, GLOBAL_REFUSAL): REFUSED,
    (CANCELLED, LAST_WORD): Row(TERMINATED, (abandon, keep_unanswered), "3261 §9.1"),
    (ACCEPTED, SUCCESS): Row(ACCEPTED, (forward,), "3261 §16.7 step 5"),
    (ACCEPTED, LINGER): Row(TERMINATED, (), "6026 §7.2"),
}


class InviteBranch(Branch):
    """An INVITE at one of its targets."""

    __slots__ = ()

    TRANSITIONS = TRANSITIONS
    INITIAL = CALLING
