"""Client transaction for all other methods: RFC 3261 §17.1.2."""

from __future__ import annotations

from sipua.sip import timers
from sipua.sip.transaction.client import (
    ClientTransaction,
    pass_up,
    report_error,
    report_timeout,
    send,
)
from sipua.sip.transaction.machine import (
    COMPLETED,
    FAILURE,
    PROCEEDING,
    PROVISIONAL,
    START,
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    TRYING,
    Row,
    Table,
)


def start_e_and_f(transaction: NonInviteClient, _: object, now: float) -> None:
    """Timer E over UDP only, Timer F always."""
    values = transaction.layer.timers
    if not transaction.reliable:
        transaction.interval = values.t1
        transaction.start_timer(timers.E, values.t1, now)
    transaction.start_timer(timers.F, values.transaction, now)


def double_e(transaction: NonInviteClient, _: object, now: float) -> None:
    """Timer E doubles up to T2."""
    transaction.interval = min(2 * transaction.interval, transaction.layer.timers.t2)
    transaction.start_timer(timers.E, transaction.interval, now)


def set_e_to_t2(transaction: NonInviteClient, _: object, now: float) -> None:
    """The server is at work: retransmit at T2 only."""
    transaction.interval = transaction.layer.timers.t2
    transaction.start_timer(timers.E, transaction.interval, now)


def start_k(transaction: NonInviteClient, _: object, now: float) -> None:
    """Time for final responses to be repeated over UDP: only the name is kept for that."""
    if transaction.reliable:
        transaction.feed(timers.K, now)
    else:
        transaction.layer.linger(transaction, now + transaction.layer.timers.t4)


TRANSITIONS: Table = {
    (TRYING, START): Row(TRYING, (send, start_e_and_f), "3261 §17.1.2.2"),
    (TRYING, timers.E): Row(TRYING, (send, double_e), "3261 §17.1.2.2"),
    (TRYING, timers.F): Row(TERMINATED, (report_timeout,), "3261 §17.1.2.2"),
    (TRYING, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.1.4"),
    (TRYING, PROVISIONAL): Row(PROCEEDING, (pass_up,), "3261 §17.1.2.2"),
    (TRYING, SUCCESS): Row(COMPLETED, (pass_up, start_k), "3261 §17.1.2.2"),
    (TRYING, FAILURE): Row(COMPLETED, (pass_up, start_k), "3261 §17.1.2.2"),
    (PROCEEDING, timers.E): Row(PROCEEDING, (send, set_e_to_t2), "3261 §17.1.2.2"),
    (PROCEEDING, timers.F): Row(TERMINATED, (report_timeout,), "3261 §17.1.2.2"),
    (PROCEEDING, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.1.4"),
    (PROCEEDING, PROVISIONAL): Row(PROCEEDING, (pass_up,), "3261 §17.1.2.2"),
    (PROCEEDING, SUCCESS): Row(COMPLETED, (pass_up, start_k), "3261 §17.1.2.2"),
    (PROCEEDING, FAILURE): Row(COMPLETED, (pass_up, start_k), "3261 §17.1.2.2"),
    (COMPLETED, timers.K): Row(TERMINATED, (), "3261 §17.1.2.2"),
}


class NonInviteClient(ClientTransaction):
    """A request of ours with any method but INVITE and ACK."""

    __slots__ = ()

    TRANSITIONS = TRANSITIONS
    INITIAL = TRYING
