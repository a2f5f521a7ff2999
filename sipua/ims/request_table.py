"""The machine of one request outside a dialog as a table."""

from __future__ import annotations

from sipua.ims.table import OPEN, End, Input, State, Step, transitions
from sipua.verdict import Verdict

_S, _I, _V = State, Input, Verdict

_STEPS: tuple[Step, ...] = ((((_S.IDLE,)), _I.START, "begin", _S.TRYING, "RFC 3261 §8.1.1"),)

_ENDS: tuple[End, ...] = (
    (OPEN, _I.ACCEPTED, _V.OK, "RFC 3261 §8.1.3"),
    # Who is asked is seldom who challenged, so only a 403 may speak of the answer.
    ((_S.ANSWERED, _S.RESYNCHRONISING), _I.REFUSED, _V.REJECTED, "RFC 3261 §8.1.3.5"),
    ((_S.TRYING,), _I.FORBIDDEN, _V.REJECTED, "RFC 3261 §21.4.4"),
    ((_S.ANSWERED,), _I.FORBIDDEN, _V.WRONG_RESPONSE, "RFC 3310 §3.3"),
    ((_S.RESYNCHRONISING,), _I.FORBIDDEN, _V.SYNC_FAILURE, "RFC 3310 §3.4"),
)

TRANSITIONS = transitions(_STEPS, _ENDS)
