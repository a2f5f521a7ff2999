"""INVITE server transaction: RFC 3261 §17.2.1 as RFC 6026 §7.1 changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip import timers
from sipua.sip.events import AckReceived
from sipua.sip.response import create_response
from sipua.sip.transaction.machine import (
    ACCEPTED,
    ACK,
    COMPLETED,
    CONFIRMED,
    FAILURE,
    PROCEEDING,
    PROVISIONAL,
    REQUEST,
    START,
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    Row,
    Table,
)
from sipua.sip.transaction.server import (
    ServerTransaction,
    report_error,
    report_timeout,
    send,
    send_again,
)

if TYPE_CHECKING:
    from sipua.sip.message import Request


def start_trying(transaction: InviteServer, _: object, now: float) -> None:
    """The transaction user has 200 ms to answer before a 100 is sent for it."""
    transaction.start_timer(timers.TRYING, transaction.layer.timers.trying, now)


def send_trying(transaction: InviteServer, _: object, now: float) -> None:
    """100, so that the peer stops sending the INVITE."""
    if not transaction.data:
        send(transaction, create_response(transaction.request, 100), now)


def start_g_and_h(transaction: InviteServer, _: object, now: float) -> None:
    """Timer G over UDP only, Timer H always."""
    values = transaction.layer.timers
    if not transaction.reliable:
        transaction.interval = values.t1
        transaction.start_timer(timers.G, values.t1, now)
    transaction.start_timer(timers.H, values.transaction, now)


def double_g(transaction: InviteServer, _: object, now: float) -> None:
    """Timer G doubles up to T2."""
    transaction.interval = min(2 * transaction.interval, transaction.layer.timers.t2)
    transaction.start_timer(timers.G, transaction.interval, now)


def start_i(transaction: InviteServer, _: object, now: float) -> None:
    """Time for ACKs to be repeated."""
    transaction.start_timer(
        timers.I, 0 if transaction.reliable else transaction.layer.timers.t4, now
    )


def start_l(transaction: InviteServer, _: object, now: float) -> None:
    """Time for the INVITE to be repeated after a 2xx."""
    transaction.start_timer(timers.L, transaction.layer.timers.transaction, now)


def pass_ack_up(transaction: InviteServer, ack: Request, _: float) -> None:
    """An ACK for the 2xx that came with the INVITE's own branch."""
    transaction.layer.report(AckReceived(transaction, ack, transaction.hop))


TRANSITIONS: Table = {
    (PROCEEDING, START): Row(PROCEEDING, (start_trying,), "3261 §17.2.1"),
    (PROCEEDING, timers.TRYING): Row(PROCEEDING, (send_trying,), "3261 §17.2.1"),
    (PROCEEDING, REQUEST): Row(PROCEEDING, (send_again,), "3261 §17.2.1"),
    (PROCEEDING, PROVISIONAL): Row(PROCEEDING, (send,), "3261 §17.2.1"),
    (PROCEEDING, SUCCESS): Row(ACCEPTED, (send, start_l), "6026 §7.1"),
    (PROCEEDING, FAILURE): Row(COMPLETED, (send, start_g_and_h), "3261 §17.2.1"),
    (PROCEEDING, TRANSPORT_ERROR): Row(PROCEEDING, (report_error,), "6026 §7.1"),
    (ACCEPTED, REQUEST): Row(ACCEPTED, (), "6026 §7.1"),
    (ACCEPTED, SUCCESS): Row(ACCEPTED, (send,), "6026 §7.1"),
    (ACCEPTED, ACK): Row(ACCEPTED, (pass_ack_up,), "6026 §7.1"),
    (ACCEPTED, TRANSPORT_ERROR): Row(ACCEPTED, (report_error,), "6026 §7.1"),
    (ACCEPTED, timers.L): Row(TERMINATED, (), "6026 §7.1"),
    (COMPLETED, REQUEST): Row(COMPLETED, (send_again,), "3261 §17.2.1"),
    (COMPLETED, timers.G): Row(COMPLETED, (send_again, double_g), "3261 §17.2.1"),
    (COMPLETED, timers.H): Row(TERMINATED, (report_timeout,), "3261 §17.2.1"),
    (COMPLETED, ACK): Row(CONFIRMED, (start_i,), "3261 §17.2.1"),
    (COMPLETED, TRANSPORT_ERROR): Row(COMPLETED, (report_error,), "6026 §7.1"),
    (CONFIRMED, REQUEST): Row(CONFIRMED, (), "3261 §17.2.1"),
    (CONFIRMED, ACK): Row(CONFIRMED, (), "3261 §17.2.1"),
    (CONFIRMED, timers.I): Row(TERMINATED, (), "3261 §17.2.1"),
}


class InviteServer(ServerTransaction):
    """An INVITE of the peer's."""

    __slots__ = ()

    TRANSITIONS = TRANSITIONS
    INITIAL = PROCEEDING
