"""A branch: one request at one of its targets, and what comes back from there (RFC 3261 §16.7).

It is a machine above the client transaction, run by a table like that, with its
timers in the same schedule. This is the branch of any request but INVITE, whose
table is in ``invite_branch``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip.transaction.machine import (
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    TRYING,
    Row,
    Table,
    Transaction,
)

if TYPE_CHECKING:
    from sipua.core.context import Context
    from sipua.core.routing import Way
    from sipua.sip.endpoint import Endpoint
    from sipua.sip.message import Response
    from sipua.sip.transaction.client import ClientTransaction

# Stimuli besides those of sipua.sip.transaction.machine
HUNDRED = "100"
PROGRESS = "101-199"
REFUSAL = "300-599"
GLOBAL_REFUSAL = "600-699"
SILENCE = "Timer B or F"
WITHDRAWAL = "cancelled"

UNREACHABLE = 480
"""Known here, but no valid way to him is (RFC 3261 §21.4.18)."""

UNANSWERED = 408


def stimulus_of(status: int) -> str:
    """The stimulus that a response of this status is."""
    if status < 200:
        return HUNDRED if status == 100 else PROGRESS
    if status < 300:
        return SUCCESS
    return REFUSAL if status < 600 else GLOBAL_REFUSAL


def forward(branch: Branch, response: Response, now: float) -> None:
    """The response to who sent the request, at once."""
    branch.context.forward(response, branch, now)


def keep(branch: Branch, response: Response, now: float) -> None:
    """The response as a candidate for the best one."""
    branch.context.keep(response, branch, now)


def keep_unanswered(branch: Branch, _: object, now: float) -> None:
    """No response came (RFC 3261 §16.8)."""
    branch.context.keep_own(UNANSWERED, now)


def keep_unreachable(branch: Branch, _: object, now: float) -> None:
    """The request could not be sent; the 503 of RFC 3261 §16.9 would blame us, as a 500."""
    branch.context.keep_own(UNREACHABLE, now)


TRANSITIONS: Table = {
    (TRYING, SUCCESS): Row(TERMINATED, (forward,), "3261 §16.7 step 5"),
    (TRYING, REFUSAL): Row(TERMINATED, (keep,), "3261 §16.7 step 4"),
    (TRYING, GLOBAL_REFUSAL): Row(TERMINATED, (keep,), "3261 §16.7 step 4"),
    (TRYING, SILENCE): Row(TERMINATED, (keep_unanswered,), "3261 §16.7 step 6"),
    (TRYING, TRANSPORT_ERROR): Row(TERMINATED, (keep_unreachable,), "3261 §16.9"),
}
"""Provisional responses end here: to all but INVITE, only 100 is allowed (RFC 4320 §4.1)."""


class Branch(Transaction):
    """``client`` is its client transaction, ``way`` where that leads."""

    __slots__ = ("client", "context", "way")

    TRANSITIONS = TRANSITIONS
    INITIAL = TRYING

    def __init__(
        self, endpoint: Endpoint, context: Context, client: ClientTransaction, way: Way
    ) -> None:
        super().__init__(endpoint, client.request, client.hop)
        self.context = context
        self.client = client
        self.way = way

    def feed(self, stimulus: str, now: float, message: object = None) -> bool:
        """Run the row for this stimulus; the context forgets a branch that has ended."""
        known = super().feed(stimulus, now, message)
        if known and self.state is TERMINATED:
            self.context.forget(self)
        return known
