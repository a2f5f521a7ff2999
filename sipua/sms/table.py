"""One message on its way to the service centre, as a table; and what is done about those
that come."""

from __future__ import annotations

from sipua.ims.table import Row, Step, rows


class SmsState:
    """Where a message stands."""

    WAITING = "waiting"  # for the one before it
    SENT = "sent"  # in a MESSAGE that has no answer yet
    TAKEN = "taken"  # by the network: 2xx
    SUBMITTED = "submitted"  # the service centre said so
    REPORTED = "reported"  # its fate is known
    FAILED = "failed"


class SmsInput:
    """What happened."""

    SEND = "send"
    ACCEPTED = "accepted"  # 2xx
    REFUSED = "refused"  # any other final response
    LOST = "lost"  # none
    ACK = "ack"  # RP-ACK
    ERROR = "error"  # RP-ERROR
    DUE = "due"
    REPORTED = "reported"  # a status report that is final
    STILL_TRYING = "still-trying"


_S, _I = SmsState, SmsInput
_OUT = (_S.SENT, _S.TAKEN)

_ROWS: tuple[Step, ...] = (
    ((_S.WAITING,), _I.SEND, "transmit", _S.SENT, "TS 24.341 §5.3.1.2"),
    ((_S.SENT,), _I.ACCEPTED, "nothing", _S.TAKEN, "TS 24.341 §5.3.1.2"),
    ((_S.SENT,), _I.REFUSED, "fail", _S.FAILED, "RFC 3428 §7"),
    ((_S.SENT,), _I.LOST, "fail", _S.FAILED, "RFC 3261 §8.1.3.1"),
    (_OUT, _I.ACK, "proceed", _S.SUBMITTED, "TS 24.341 §5.3.1.3"),
    (_OUT, _I.ERROR, "fail", _S.FAILED, "TS 24.341 §5.3.1.3"),
    (_OUT, _I.DUE, "fail", _S.FAILED, "TS 24.011 §10"),
    # the report may overtake RP-ACK
    (_OUT, _I.REPORTED, "proceed_and_report", _S.REPORTED, "TS 24.341 §5.3.2.3"),
    (_OUT, _I.STILL_TRYING, "proceed_and_report", _S.SUBMITTED, "TS 24.341 §5.3.2.3"),
    ((_S.SUBMITTED,), _I.REPORTED, "report", _S.REPORTED, "TS 24.341 §5.3.2.3"),
    ((_S.SUBMITTED,), _I.STILL_TRYING, "report", "", "TS 24.341 §5.3.2.3"),
)

TRANSITIONS = rows(_ROWS)


class Came:
    """What a MESSAGE of the network holds."""

    TEXT = "text"
    TEXT_AGAIN = "text-again"  # acknowledged before, but the network does not know
    SILENT = "silent"  # a short message of type 0
    STATUS = "status"
    ACK = "ack"
    ERROR = "error"
    NO_ROOM = "no-room"
    BAD_TPDU = "bad-tpdu"
    BAD_RP_DATA = "bad-rp-data"
    NONSENSE = "nonsense"


DELIVERIES = {
    Came.TEXT: Row("keep", "", "TS 24.341 §5.3.2.3"),
    Came.TEXT_AGAIN: Row("acknowledge", "", "TS 24.011 §6.4.2"),
    Came.SILENT: Row("acknowledge", "", "TS 23.040 §9.2.3.9"),
    Came.STATUS: Row("heed_status", "", "TS 24.341 §5.3.2.3"),
    Came.ACK: Row("heed_answer", "", "TS 24.341 §5.3.1.3"),
    Came.ERROR: Row("heed_answer", "", "TS 24.341 §5.3.1.3"),
    Came.NO_ROOM: Row("refuse", "", "TS 23.040 §9.2.3.22"),
    Came.BAD_TPDU: Row("refuse", "", "TS 24.011 §9.2"),
    Came.BAD_RP_DATA: Row("refuse", "", "TS 24.011 §9.2"),
    Came.NONSENSE: Row("discard", "", "TS 24.011 §9.2"),
}
"""The action for each; no state is left behind."""
