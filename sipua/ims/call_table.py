"""The life of a call as a table: state, input, action, next state, and by which rule.

What goes on inside an established call without ending it stands in ``session``,
``modification`` and ``sipua.sip.session_timer``.
"""

from __future__ import annotations

from sipua.ims.table import Step, rows


class CallState:
    """Where a call stands."""

    IDLE = "idle"
    # the caller's
    CALLING = "calling"  # INVITE sent, no response yet
    ASKING = "asking"  # the card has the challenge to INVITE
    PROCEEDING = "proceeding"  # a provisional response came
    WITHDRAWING = "withdrawing"  # to be cancelled once a provisional response comes
    CANCELLING = "cancelling"  # CANCEL sent
    # the called's
    PREPARING = "preparing"  # preconditions are not met yet
    INVITED = "invited"
    ALERTING = "alerting"  # 180 or 183 sent
    ANSWERING = "answering"  # 2xx waits for a PRACK
    ANSWERED = "answered"  # 2xx sent, no ACK yet
    LEAVING = "leaving"  # to be hung up once the ACK comes
    # both sides'
    ACTIVE = "active"
    ENDING = "ending"  # BYE sent
    ENDED = "ended"


class CallInput:
    """What happened."""

    PLACE = "place"
    CHALLENGED = "challenged"
    SENT_AGAIN = "sent-again"
    PROVISIONAL = "provisional"
    ACCEPTED = "accepted"  # the first 2xx
    ACCEPTED_AGAIN = "accepted-again"  # the same 2xx once more
    ACCEPTED_ELSEWHERE = "accepted-elsewhere"  # a 2xx of another branch
    REDIRECTED = "redirected"  # to where we follow
    TOO_SMALL = "too-small"  # 422 that we can do something about
    REFUSED = "refused"  # any other final response
    FAILED = "failed"  # no response, or none to be had
    UNUSABLE = "unusable"  # a 2xx whose session cannot be used

    INVITE = "invite"
    INVITE_EARLY = "invite-early"  # with preconditions that are not met
    MET = "met"
    RING = "ring"
    ANSWER = "answer"
    ANSWER_LATER = "answer-later"  # a reliable response waits for its PRACK
    ACKNOWLEDGED = "acknowledged"  # PRACK came for all
    REFUSE = "refuse"
    CANCELLED = "cancelled"
    UNPRACKED = "unpracked"
    ACK = "ack"
    UNACKED = "unacked"

    HANG_UP = "hang-up"
    PEER_BYE = "peer-bye"
    LOST = "lost"
    GONE = "gone"  # BYE was answered, or never will be
    DUE = "due"


_S, _I = CallState, CallInput
_OUT = (_S.CALLING, _S.PROCEEDING)
_UNDOING = (_S.WITHDRAWING, _S.CANCELLING)
_OFFERED = (_S.PREPARING, _S.INVITED, _S.ALERTING, _S.ANSWERING)
_AFTER = (_S.ACTIVE, _S.ENDING, _S.ENDED)

_ROWS: tuple[Step, ...] = (
    # The caller
    ((_S.IDLE,), _I.PLACE, "invite", _S.CALLING, "RFC 3261 §13.2.1"),
    (_OUT, _I.CHALLENGED, "nothing", _S.ASKING, "RFC 3261 §22.2"),
    ((_S.ASKING,), _I.SENT_AGAIN, "nothing", _S.CALLING, "RFC 3261 §22.2"),
    (_OUT, _I.PROVISIONAL, "progress", _S.PROCEEDING, "RFC 3261 §13.2.2.1"),
    (_OUT, _I.ACCEPTED, "establish", _S.ACTIVE, "RFC 3261 §13.2.2.4"),
    (_OUT, _I.UNUSABLE, "leave_at_once", _S.ENDING, "RFC 3261 §13.2.2.4"),
    (_OUT, _I.REDIRECTED, "follow", _S.CALLING, "RFC 3261 §8.1.3.4"),
    (_OUT, _I.TOO_SMALL, "lengthen", _S.CALLING, "RFC 4028 §7.3"),
    (_OUT, _I.REFUSED, "end", _S.ENDED, "RFC 3261 §13.2.2.3"),
    ((*_OUT, _S.ASKING), _I.FAILED, "end", _S.ENDED, "RFC 3261 §8.1.3.1"),
    ((_S.ASKING,), _I.HANG_UP, "withdraw", _S.ENDED, "RFC 3261 §9.1"),
    ((_S.CALLING,), _I.HANG_UP, "withdraw_later", _S.WITHDRAWING, "RFC 3261 §9.1"),
    ((_S.PROCEEDING,), _I.HANG_UP, "cancel", _S.CANCELLING, "RFC 3261 §9.1"),
    ((_S.WITHDRAWING,), _I.PROVISIONAL, "cancel", _S.CANCELLING, "RFC 3261 §9.1"),
    (_UNDOING, _I.ACCEPTED, "leave_at_once", _S.ENDING, "RFC 3261 §15"),
    (_UNDOING, _I.UNUSABLE, "leave_at_once", _S.ENDING, "RFC 3261 §15"),
    (_UNDOING, _I.REFUSED, "end", _S.ENDED, "RFC 3261 §9.1"),
    (_UNDOING, _I.FAILED, "end", _S.ENDED, "RFC 3261 §9.1"),
    ((_S.CANCELLING,), _I.DUE, "end", _S.ENDED, "RFC 3261 §9.1"),
    (_AFTER, _I.ACCEPTED_AGAIN, "acknowledge_again", "", "RFC 3261 §13.2.2.4"),
    (_AFTER, _I.ACCEPTED_ELSEWHERE, "drop_branch", "", "RFC 3261 §13.2.2.4"),
    # The called
    ((_S.IDLE,), _I.INVITE, "announce", _S.INVITED, "RFC 3261 §13.3.1"),
    ((_S.IDLE,), _I.INVITE_EARLY, "prepare", _S.PREPARING, "RFC 3312 §6"),
    ((_S.PREPARING,), _I.MET, "announce", _S.INVITED, "RFC 3312 §6"),
    ((_S.INVITED, _S.ALERTING), _I.RING, "ring", _S.ALERTING, "RFC 3261 §13.3.1.1"),
    ((_S.INVITED, _S.ALERTING), _I.ANSWER, "answer", _S.ANSWERED, "RFC 3261 §13.3.1.4"),
    ((_S.INVITED, _S.ALERTING), _I.ANSWER_LATER, "nothing", _S.ANSWERING, "RFC 3262 §3"),
    ((_S.ANSWERING,), _I.ACKNOWLEDGED, "answer", _S.ANSWERED, "RFC 3262 §3"),
    (_OFFERED, _I.REFUSE, "refuse", _S.ENDED, "RFC 3261 §13.3.1.3"),
    (_OFFERED, _I.HANG_UP, "refuse", _S.ENDED, "RFC 3261 §13.3.1.3"),
    (_OFFERED, _I.CANCELLED, "refuse", _S.ENDED, "RFC 3261 §9.2"),
    (_OFFERED, _I.PEER_BYE, "refuse", _S.ENDED, "RFC 3261 §15.1.2"),
    (_OFFERED, _I.UNPRACKED, "refuse", _S.ENDED, "RFC 3262 §3"),
    ((_S.ANSWERED,), _I.ACK, "join", _S.ACTIVE, "RFC 3261 §13.3.1.4"),
    ((_S.ANSWERED,), _I.HANG_UP, "nothing", _S.LEAVING, "RFC 3261 §15"),
    ((_S.ANSWERED,), _I.LOST, "nothing", _S.LEAVING, "RFC 3261 §15"),
    ((_S.LEAVING,), _I.ACK, "leave", _S.ENDING, "RFC 3261 §15"),
    ((_S.ANSWERED, _S.LEAVING), _I.UNACKED, "leave", _S.ENDING, "RFC 3261 §13.3.1.4"),
    ((_S.ANSWERED, _S.LEAVING), _I.PEER_BYE, "end", _S.ENDED, "RFC 3261 §15.1.2"),
    # Both sides
    ((_S.ACTIVE,), _I.HANG_UP, "leave", _S.ENDING, "RFC 3261 §15.1.1"),
    ((_S.ACTIVE,), _I.LOST, "leave", _S.ENDING, "RFC 3261 §12.2.1.2"),
    ((_S.ACTIVE,), _I.UNACKED, "leave", _S.ENDING, "RFC 3261 §14.2"),
    ((_S.ACTIVE,), _I.PEER_BYE, "end", _S.ENDED, "RFC 3261 §15.1.2"),
    ((_S.ENDING,), _I.PEER_BYE, "end", _S.ENDED, "RFC 3261 §15.1.2"),
    ((_S.ENDING,), _I.GONE, "end", _S.ENDED, "RFC 3261 §15.1.1"),
)

TRANSITIONS = rows(_ROWS)
