"""The life of the security associations as a table: state, input, action, next state, rule."""

from __future__ import annotations

from typing import NamedTuple


class State:
    """What there is. Old sets that wait for their last transactions are apart from this."""

    NONE = "none"
    TEMPORARY = "temporary"  # challenged for the first time
    PROTECTED = "protected"  # registered
    RENEWING = "renewing"  # registered, and challenged again


class Input:
    """What happened."""

    AGREED = "agreed"  # a challenge the card accepted, with a mechanism both can do
    FAILED = "failed"  # AUTS or MAC failure, or no mechanism
    ACCEPTED = "accepted"  # 200 to the REGISTER
    REFUSED = "refused"  # any other final response to it, or none
    FINISHED = "finished"  # no transaction uses the older sets any more
    LAPSED = "lapsed"  # the temporary set was not confirmed in time
    EXPIRED = "expired"  # the set in use has outlived its registration
    CLOSED = "closed"  # de-registered, or the end of the program


class Row(NamedTuple):
    """``action`` is a word of SecurityAssociations."""

    action: str
    next_state: str
    rule: str


_S, _I = State, Input

TRANSITIONS = {
    (_S.NONE, _I.AGREED): Row("set_up", _S.TEMPORARY, "TS 33.203 §7.2"),
    (_S.NONE, _I.FAILED): Row("nothing", _S.NONE, "TS 33.203 §7.3.1"),
    (_S.NONE, _I.ACCEPTED): Row("nothing", _S.NONE, "TS 24.229 §5.1.1.2.1"),
    (_S.NONE, _I.REFUSED): Row("nothing", _S.NONE, "TS 24.229 §5.1.1.2.1"),
    (_S.NONE, _I.FINISHED): Row("drop_old", _S.NONE, "TS 33.203 §7.4.1a"),
    (_S.NONE, _I.CLOSED): Row("close", _S.NONE, "TS 33.203 §7.4.1a"),
    (_S.TEMPORARY, _I.AGREED): Row("replace", _S.TEMPORARY, "TS 33.203 §7.4.1a"),
    (_S.TEMPORARY, _I.FAILED): Row("discard", _S.NONE, "TS 33.203 §7.3.1"),
    (_S.TEMPORARY, _I.ACCEPTED): Row("take_into_use", _S.PROTECTED, "TS 24.229 §5.1.1.5.1"),
    (_S.TEMPORARY, _I.REFUSED): Row("discard", _S.NONE, "TS 33.203 §7.4.1a"),
    (_S.TEMPORARY, _I.FINISHED): Row("drop_old", _S.TEMPORARY, "TS 33.203 §7.4.1a"),
    (_S.TEMPORARY, _I.LAPSED): Row("discard", _S.NONE, "TS 24.229 §5.1.1.5.1"),
    (_S.TEMPORARY, _I.CLOSED): Row("close", _S.NONE, "TS 33.203 §7.4.1a"),
    (_S.PROTECTED, _I.AGREED): Row("set_up", _S.RENEWING, "TS 33.203 §7.4.1a"),
    (_S.PROTECTED, _I.FAILED): Row("nothing", _S.PROTECTED, "TS 33.203 §7.3.1"),
    (_S.PROTECTED, _I.ACCEPTED): Row("prolong", _S.PROTECTED, "TS 33.203 §7.4.1"),
    (_S.PROTECTED, _I.REFUSED): Row("nothing", _S.PROTECTED, "TS 33.203 §7.4.1a"),
    (_S.PROTECTED, _I.FINISHED): Row("drop_old", _S.PROTECTED, "TS 33.203 §7.4.1a"),
    (_S.PROTECTED, _I.EXPIRED): Row("expire", _S.NONE, "TS 33.203 §7.4.1"),
    (_S.PROTECTED, _I.CLOSED): Row("close", _S.NONE, "TS 33.203 §7.4.1a"),
    (_S.RENEWING, _I.AGREED): Row("replace", _S.RENEWING, "TS 33.203 §7.4.1a"),
    (_S.RENEWING, _I.FAILED): Row("discard", _S.PROTECTED, "TS 33.203 §7.3.1"),
    (_S.RENEWING, _I.ACCEPTED): Row("take_into_use", _S.PROTECTED, "TS 33.203 §7.4.1a"),
    (_S.RENEWING, _I.REFUSED): Row("discard", _S.PROTECTED, "TS 33.203 §7.4.1a"),
    (_S.RENEWING, _I.FINISHED): Row("drop_old", _S.RENEWING, "TS 33.203 §7.4.1a"),
    (_S.RENEWING, _I.LAPSED): Row("discard", _S.PROTECTED, "TS 24.229 §5.1.1.5.1"),
    (_S.RENEWING, _I.EXPIRED): Row("expire", _S.TEMPORARY, "TS 33.203 §7.4.1"),
    (_S.RENEWING, _I.CLOSED): Row("close", _S.NONE, "TS 33.203 §7.4.1a"),
}
"""LAPSED needs a temporary set and EXPIRED one in use: the other pairs cannot come about."""
