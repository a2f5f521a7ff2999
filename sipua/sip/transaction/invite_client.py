"""INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2.

Timer B ends Calling only: a call may ring for minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip import timers
from sipua.sip.message import Request
from sipua.sip.transaction.client import (
    ClientTransaction,
    pass_up,
    report_error,
    report_timeout,
    send,
)
from sipua.sip.transaction.machine import (
    ACCEPTED,
    CALLING,
    COMPLETED,
    FAILURE,
    PROCEEDING,
    PROVISIONAL,
    START,
    SUCCESS,
    TERMINATED,
    TRANSPORT_ERROR,
    Row,
    Table,
)

if TYPE_CHECKING:
    from sipua.sip.message import Response


def start_a_and_b(transaction: InviteClient, _: object, now: float) -> None:
    """Timer A over UDP only, Timer B always."""
    values = transaction.layer.timers
    if not transaction.reliable:
        transaction.interval = values.t1
        transaction.start_timer(timers.A, values.t1, now)
    transaction.start_timer(timers.B, values.transaction, now)


def double_a(transaction: InviteClient, _: object, now: float) -> None:
    """Timer A doubles without limit."""
    transaction.interval *= 2
    transaction.start_timer(timers.A, transaction.interval, now)


def start_d(transaction: InviteClient, _: object, now: float) -> None:
    """Time for final responses to be repeated."""
    transaction.start_timer(
        timers.D, 0 if transaction.reliable else transaction.layer.timers.d, now
    )


def start_m(transaction: InviteClient, _: object, now: float) -> None:
    """Time for 2xx to be repeated, or to come from other branches."""
    transaction.start_timer(timers.M, transaction.layer.timers.transaction, now)


def send_ack(transaction: InviteClient, response: Response, _: float) -> None:
    """The ACK for a non-2xx, to where the INVITE went."""
    transaction.layer.transmit(transaction.ack_for(response), transaction.hop)


TRANSITIONS: Table = {
    (CALLING, START): Row(CALLING, (send, start_a_and_b), "3261 §17.1.1.2"),
    (CALLING, timers.A): Row(CALLING, (send, double_a), "3261 §17.1.1.2"),
    (CALLING, timers.B): Row(TERMINATED, (report_timeout,), "3261 §17.1.1.2"),
    (CALLING, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.1.4"),
    (CALLING, PROVISIONAL): Row(PROCEEDING, (pass_up,), "3261 §17.1.1.2"),
    (CALLING, SUCCESS): Row(ACCEPTED, (pass_up, start_m), "6026 §7.2"),
    (CALLING, FAILURE): Row(COMPLETED, (pass_up, send_ack, start_d), "6026 §8.4"),
    (PROCEEDING, PROVISIONAL): Row(PROCEEDING, (pass_up,), "3261 §17.1.1.2"),
    (PROCEEDING, SUCCESS): Row(ACCEPTED, (pass_up, start_m), "6026 §7.2"),
    (PROCEEDING, FAILURE): Row(COMPLETED, (pass_up, send_ack, start_d), "6026 §8.4"),
    (ACCEPTED, SUCCESS): Row(ACCEPTED, (pass_up,), "6026 §7.2"),
    (ACCEPTED, timers.M): Row(TERMINATED, (), "6026 §7.2"),
    (COMPLETED, FAILURE): Row(COMPLETED, (send_ack,), "6026 §8.4"),
    (COMPLETED, TRANSPORT_ERROR): Row(TERMINATED, (report_error,), "3261 §17.1.4"),
    (COMPLETED, timers.D): Row(TERMINATED, (), "6026 §8.4"),
}


class InviteClient(ClientTransaction):
    """An INVITE of ours."""

    __slots__ = ()

    TRANSITIONS = TRANSITIONS
    INITIAL = CALLING

    @property
    def is_open(self) -> bool:
        """Whether the final response is still to come."""
        return self.state in (CALLING, PROCEEDING)

    def cancel(self) -> Request:
        """CANCEL for this INVITE, without its Via (RFC 3261 §9.1)."""
        invite = self.request.headers
        headers = [
            ("Max-Forwards", "70"),
            *[("Route", route) for route in invite.all("Route")],
            ("From", invite.get("From") or ""),
            ("To", invite.get("To") or ""),
            ("Call-ID", invite.get("Call-ID") or ""),
            ("CSeq", f"{self.request.cseq.number} CANCEL"),
        ]
        return Request("CANCEL", self.request.uri, headers)

    def ack_for(self, response: Response) -> bytes:
        """ACK for a final response that is not 2xx (RFC 3261 §17.1.1.3)."""
        invite = self.request.headers
        headers = [
            ("Via", self.via),
            ("Max-Forwards", "70"),
            *[("Route", route) for route in invite.all("Route")],
            ("From", invite.get("From") or ""),
            ("To", response.headers.get("To") or ""),
            ("Call-ID", invite.get("Call-ID") or ""),
            ("CSeq", f"{self.request.cseq.number} ACK"),
        ]
        return Request("ACK", self.request.uri, headers).to_bytes()
