"""The verdict of a call of ours, from how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.call_events import Cause
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.call_events import CallEnded

VERDICTS = {
    Cause.HUNG_UP: Verdict.OK,
    Cause.PEER_HUNG_UP: Verdict.OK,
    Cause.CANCELLED: Verdict.CANCELLED,
    Cause.BUSY: Verdict.BUSY,
    Cause.DECLINED: Verdict.DECLINED,
    Cause.NO_ANSWER: Verdict.NO_ANSWER,
    Cause.MOVED: Verdict.REJECTED,
    Cause.REFUSED: Verdict.REJECTED,
    Cause.NOT_AUTHENTICATED: Verdict.REJECTED,
    Cause.TIMEOUT: Verdict.TIMEOUT,
    Cause.UNREACHABLE: Verdict.UNREACHABLE,
    Cause.LOST: Verdict.CALL_LOST,
    Cause.FAILED: Verdict.REJECTED,
}


def verdict_of_call(ended: CallEnded, *, challenged: bool) -> Verdict:
    """``challenged`` tells whether the card answered for the INVITE."""
    if ended.verdict is not None:
        return ended.verdict
    if ended.cause == Cause.REFUSED:
        if ended.status >= 500 and ended.status < 600:
            return Verdict.SERVER_ERROR
        if challenged and ended.status in (401, 403, 407):
            return Verdict.WRONG_RESPONSE
    return VERDICTS[ended.cause]


def reason_of_call(ended: CallEnded, verdict: Verdict) -> str:
    """One sentence: what the other side said, else what it means."""
    if ended.status:
        said = f"{ended.status} {ended.reason}".strip()
        if verdict is Verdict.REJECTED:
            return f"The call was refused: {said}."
        return f"{verdict.sentence} It was answered {said}."
    return ended.reason or verdict.sentence


def as_expected(verdict: Verdict, expected: int, seen: int) -> tuple[Verdict, str]:
    """What ``--expect`` makes of a verdict and the final status that was seen, and why."""
    if seen != expected:
        return Verdict.UNEXPECTED, f"{expected} was expected, and {seen} came."
    if verdict is Verdict.CALL_LOST:  # what came after the status was not in order
        return verdict, verdict.sentence
    return Verdict.OK, f"The call was answered {expected}, as expected."
