"""A subscription as tables: one of its own requests, one of what the notifier says.

As in the other tables guards stand in the input: what a response or a NOTIFY means
is decided before a table is asked.
"""

from __future__ import annotations

from typing import NamedTuple

from sipua.ims.table import (
    CHALLENGE_STEPS,
    COMMON_ENDS,
    OPEN,
    End,
    Input,
    State,
    Step,
    ending_rows,
    rows,
)
from sipua.verdict import Verdict


class Subscribed:
    """States beside those of every request (``sipua.ims.table.State``)."""

    NEUTRAL = "neutral"  # accepted, no NOTIFY yet
    ACTIVE = "active"  # a NOTIFY came; active or pending for the notifier
    LEAVING = "leaving"  # unsubscribed, the last NOTIFY may still come


class Heard:
    """What happened, beside the inputs of every request (``sipua.ims.table.Input``)."""

    START = "start"
    STOP = "stop"
    DUE = "due"
    ACCEPTED = "accepted"
    ACCEPTED_LATE = "accepted-late"  # the NOTIFY was here before
    ACCEPTED_LEAVING = "accepted-leaving"  # and STOP came in between
    LEFT = "left"  # 2xx, or anything else, to our leaving
    LEFT_LATE = "left-late"  # and there is nothing left to come
    TOO_BRIEF = "too-brief"
    GONE = "gone"  # 481 to a refresh
    PASSING = "passing"  # a failure that may pass, and the subscription goes on
    NOTIFIED = "notified"
    MISSED = "missed"  # a NOTIFY that shows that one before it never came
    ENDED_RETRY = "ended-retry"  # by the notifier, who expects us again at once
    ENDED_LATER = "ended-later"  # … after a while
    ENDED_FOR_GOOD = "ended-for-good"


_S, _U, _H, _V = State, Subscribed, Heard, Verdict
_LIVE = (_U.NEUTRAL, _U.ACTIVE)
_WHENEVER = (*OPEN, *_LIVE)

_STEPS: tuple[Step, ...] = (
    *CHALLENGE_STEPS,
    ((_S.IDLE, _S.ENDED), _H.START, "begin", _S.TRYING, "RFC 6665 §4.1.2.1"),
    (OPEN, _H.ACCEPTED, "expect_notify", _U.NEUTRAL, "RFC 6665 §4.1.2.4"),
    (OPEN, _H.ACCEPTED_LATE, "keep", _U.ACTIVE, "RFC 6665 §4.1.2.4"),
    (OPEN, _H.ACCEPTED_LEAVING, "leave", _S.TRYING, "RFC 6665 §4.1.2.3"),
    (OPEN, _H.LEFT, "expect_notify", _U.LEAVING, "RFC 6665 §4.1.2.3"),
    (OPEN, _H.TOO_BRIEF, "ask_longer", _S.TRYING, "RFC 6665 §4.2.1.1"),
    (OPEN, _H.GONE, "begin", _S.TRYING, "RFC 6665 §4.1.2.2"),
    (OPEN, _H.PASSING, "wait", _S.WAITING, "TS 24.229 §5.1.1.3"),
    ((*OPEN, _S.ASKING, _S.REFUSING), _H.STOP, "leave_later", "", "RFC 6665 §4.1.2.3"),
    ((*OPEN, _S.ASKING, _S.REFUSING), _H.NOTIFIED, "note", "", "RFC 6665 §4.1.2.4"),
    ((*OPEN, _S.ASKING, _S.REFUSING), _H.MISSED, "note", "", "RFC 6665 §4.1.2.4"),
    (_LIVE, _H.NOTIFIED, "keep", _U.ACTIVE, "RFC 6665 §4.1.3"),
    (_LIVE, _H.MISSED, "refresh", _S.TRYING, "RFC 3680 §5.2"),
    ((_U.NEUTRAL,), _H.DUE, "wait", _S.WAITING, "RFC 6665 §4.1.2.4"),
    ((_U.ACTIVE,), _H.DUE, "refresh", _S.TRYING, "RFC 6665 §4.1.2.2"),
    ((_U.ACTIVE,), _H.STOP, "leave", _S.TRYING, "RFC 6665 §4.1.2.3"),
    ((_S.WAITING,), _H.DUE, "resume", _S.TRYING, "RFC 6665 §4.1.2.2"),
    (_WHENEVER, _H.ENDED_RETRY, "begin", _S.TRYING, "RFC 6665 §4.1.3"),
    (_WHENEVER, _H.ENDED_LATER, "wait_anew", _S.WAITING, "RFC 6665 §4.1.3"),
    ((_S.WAITING,), _H.NOTIFIED, "note", "", "RFC 6665 §4.1.3"),
    ((_S.WAITING,), _H.MISSED, "note", "", "RFC 6665 §4.1.3"),
    ((_S.WAITING,), _H.ENDED_RETRY, "wait_anew", "", "RFC 6665 §4.1.3"),
    ((_S.WAITING,), _H.ENDED_LATER, "wait_anew", "", "RFC 6665 §4.1.3"),
)

_PASSING = (
    Input.SERVER_FAILED,
    Input.TIMED_OUT,
    Input.UNREACHABLE,
    Input.DNS_FAILED,
    Input.TLS_FAILED,
)
"""What ends other requests is waited for here."""

_ENDS: tuple[End, ...] = (
    *(end for end in COMMON_ENDS if end[1] not in _PASSING),
    ((_S.ANSWERED,), Input.REFUSED, _V.WRONG_RESPONSE, "RFC 6665 §4.1.2.1"),
    ((_S.RESYNCHRONISING,), Input.REFUSED, _V.SYNC_FAILURE, "RFC 3310 §3.4"),
    ((*_WHENEVER, _S.WAITING), _H.ENDED_FOR_GOOD, _V.REJECTED, "RFC 6665 §4.1.3"),
    (OPEN, _H.LEFT_LATE, _V.OK, "RFC 6665 §4.1.2.3"),
    ((_S.WAITING, _U.NEUTRAL), _H.STOP, _V.OK, "RFC 6665 §4.1.2.3"),
    ((_U.LEAVING,), _H.ENDED_RETRY, _V.OK, "RFC 6665 §4.1.2.3"),
    ((_U.LEAVING,), _H.ENDED_LATER, _V.OK, "RFC 6665 §4.1.2.3"),
    ((_U.LEAVING,), _H.ENDED_FOR_GOOD, _V.OK, "RFC 6665 §4.1.2.3"),
    ((_U.LEAVING,), _H.DUE, _V.OK, "RFC 6665 §4.1.2.3"),
)

TRANSITIONS = {**rows(_STEPS), **ending_rows(_ENDS)}


class Reason(NamedTuple):
    """What a notifier's reason for ending a subscription asks for. ``heeds_retry_after``
    where that parameter has a meaning."""

    happened: str
    heeds_retry_after: bool = False


REASONS = {
    "deactivated": Reason(_H.ENDED_RETRY),
    "timeout": Reason(_H.ENDED_RETRY),
    "probation": Reason(_H.ENDED_LATER, heeds_retry_after=True),
    "giveup": Reason(_H.ENDED_LATER, heeds_retry_after=True),
    "rejected": Reason(_H.ENDED_FOR_GOOD),
    "noresource": Reason(_H.ENDED_FOR_GOOD),
    "invariant": Reason(_H.ENDED_FOR_GOOD),
}
"""Reasons of RFC 6665 §4.1.3."""

OTHER_REASON = Reason(_H.ENDED_LATER, heeds_retry_after=True)
"""No reason, or one of another specification."""

DESTROYS = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""Statuses of a refresh after which there is no subscription any more (RFC 6665 §4.1.2.2)."""
