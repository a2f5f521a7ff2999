"""The registration machine as a table: state, input, action, next state, and by which rule."""

from __future__ import annotations

from sipua.ims.table import OPEN, End, Input, State, Step, transitions
from sipua.verdict import Verdict

_S, _I, _V = State, Input, Verdict
_STAY = ""

_STEPS: tuple[Step, ...] = (
    ((_S.IDLE, _S.ENDED), _I.START, "begin", _S.TRYING, "TS 24.229 §5.1.1.2.1"),
    ((_S.IDLE,), _I.STOP, "begin_removal", _S.TRYING, "TS 24.229 §5.1.1.6.1"),
    ((_S.REGISTERED,), _I.START, "renew", _S.TRYING, "TS 24.229 §5.1.1.4.1"),
    ((_S.REGISTERED,), _I.DUE, "renew", _S.TRYING, "TS 24.229 §5.1.1.4.1"),
    ((_S.REGISTERED,), _I.STOP, "remove", _S.TRYING, "TS 24.229 §5.1.1.6.1"),
    ((*OPEN, _S.ASKING, _S.REFUSING), _I.STOP, "leave_later", _STAY, "RFC 3261 §10.2"),
    (OPEN, _I.ACCEPTED, "register", _S.REGISTERED, "TS 24.229 §5.1.1.2.1"),
    (OPEN, _I.ACCEPTED_LEAVING, "remove", _S.TRYING, "TS 24.229 §5.1.1.6.1"),
    ((_S.TRYING,), _I.TOO_BRIEF, "ask_longer", _S.TRYING, "RFC 3261 §10.2.8"),
    ((_S.ANSWERED,), _I.TOO_BRIEF, "ask_longer", _S.ANSWERED, "RFC 3261 §10.2.8"),
    (OPEN, _I.REDIRECTED, "follow", _S.TRYING, "RFC 3261 §8.1.3.4"),
    (OPEN, _I.BUSY, "wait", _S.WAITING, "RFC 3261 §21.5.4"),
    ((_S.WAITING,), _I.DUE, "try_again", _S.TRYING, "RFC 3261 §20.33"),
    (OPEN, _I.LOST, "renew_later", _S.REGISTERED, "RFC 5626 §4.5"),
)

_ENDS: tuple[End, ...] = (
    (OPEN, _I.REMOVED, _V.DEREGISTERED, "RFC 3261 §10.2.2"),
    (OPEN, _I.ACCEPTED_UNBOUND, _V.REJECTED, "RFC 3261 §10.2.4"),
    ((_S.ANSWERED,), _I.REFUSED, _V.WRONG_RESPONSE, "TS 24.229 §5.1.1.5.1"),
    ((_S.RESYNCHRONISING,), _I.REFUSED, _V.SYNC_FAILURE, "TS 24.229 §5.1.1.5.3"),
    ((_S.WAITING,), _I.STOP, _V.INTERRUPTED, "RFC 3261 §10.2"),
)

TRANSITIONS = transitions(_STEPS, _ENDS)
