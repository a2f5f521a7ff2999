"""What both client transactions do (RFC 3261 §17.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip.events import ResponseReceived, TransactionTimeout, TransportFailed
from sipua.sip.transaction.machine import CALLING, START, TRYING, Transaction

if TYPE_CHECKING:
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.sip.transaction.machine import Layer


class ClientTransaction(Transaction):
    """A request of ours, ``request`` with the Via it was sent with.

    ``oversize`` tells that it goes over TCP only for its size, so that UDP is
    tried when TCP is refused (RFC 3261 §18.1.1).
    """

    __slots__ = ("branch", "data", "oversize", "sent_by")

    def __init__(
        self, layer: Layer, request: Request, hop: Hop, branch: str, sent_by: tuple[str, int]
    ) -> None:
        super().__init__(layer, request, hop)
        self.branch = branch
        self.sent_by = sent_by
        self.data = b""
        self.oversize = False

    @property
    def key(self) -> tuple[str, str]:
        """What a response is matched by (RFC 3261 §17.1.3)."""
        return self.branch, self.request.method

    @property
    def is_waiting(self) -> bool:
        """Whether nothing has come back yet."""
        return self.state in (CALLING, TRYING)

    def start(self, request: Request, data: bytes, hop: Hop, now: float) -> None:
        """Send, or send anew by another transport, and start the first state's timers."""
        self.request = request
        self.data = data
        self.hop = hop
        self.reliable = hop.transport != "UDP"
        self.running.clear()
        self.feed(START, now)


def send(transaction: ClientTransaction, _: object, __: float) -> None:
    """The request, for the first time or once more."""
    transaction.layer.transmit(transaction.data, transaction.hop)


def pass_up(transaction: ClientTransaction, response: Response, _: float) -> None:
    """The response to the transaction user."""
    transaction.layer.report(ResponseReceived(transaction, response))


def report_timeout(transaction: ClientTransaction, _: object, __: float) -> None:
    """That no final response came."""
    transaction.layer.report(TransactionTimeout(transaction))


def report_error(transaction: ClientTransaction, error: Exception, _: float) -> None:
    """That the transport failed."""
    transaction.layer.report(TransportFailed(transaction, error))
