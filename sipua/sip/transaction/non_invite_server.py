"""Server transaction for all other methods: RFC 3261 §17.2.2."""

from __future__ import annotations

from sipua.sip import timers
from sipua.sip.transaction.machine import (
    COMPLETED,
    FAILURE,
    PROCEEDING,
    PROVISIONAL,
    REQUEST,
    START,
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    TRYING,
    Row,
    Table,
)
from sipua.sip.transaction.server import (
    ServerTransaction,
    release_request,
    report_error,
    send,
    send_again,
)


def start_j(transaction: NonInviteServer, _: object, now: float) -> None:
    """Time for the request to be repeated."""
    transaction.start_timer(
        timers.J, 0 if transaction.reliable else transaction.layer.timers.transaction, now
    )


TRANSITIONS: Table = {
    (TRYING, START): Row(TRYING, (), "3261 §17.2.2"),
    (TRYING, REQUEST): Row(TRYING, (), "3261 §17.2.2"),
    (TRYING, PROVISIONAL): Row(PROCEEDING, (send,), "3261 §17.2.2"),
    (TRYING, SUCCESS): Row(COMPLETED, (send, release_request, start_j), "3261 §17.2.2"),
    (TRYING, FAILURE): Row(COMPLETED, (send, release_request, start_j), "3261 §17.2.2"),
    (PROCEEDING, REQUEST): Row(PROCEEDING, (send_again,), "3261 §17.2.2"),
    (PROCEEDING, PROVISIONAL): Row(PROCEEDING, (send,), "3261 §17.2.2"),
    (PROCEEDING, SUCCESS): Row(COMPLETED, (send, release_request, start_j), "3261 §17.2.2"),
    (PROCEEDING, FAILURE): Row(COMPLETED, (send, release_request, start_j), "3261 §17.2.2"),
    (PROCEEDING, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.2.4"),
    (COMPLETED, REQUEST): Row(COMPLETED, (send_again,), "3261 §17.2.2"),
    (COMPLETED, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.2.4"),
    (COMPLETED, timers.J): Row(TERMINATED, (), "3261 §17.2.2"),
}


class NonInviteServer(ServerTransaction):
    """A request of the peer's with any method but INVITE and ACK."""

    __slots__ = ()

    TRANSITIONS = TRANSITIONS
    INITIAL = TRYING
