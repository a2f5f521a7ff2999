"""What both server transactions do (RFC 3261 §17.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.sip.events import TransactionTimeout, TransportFailed
from sipua.sip.transaction.machine import (
    FAILURE,
    PROVISIONAL,
    RELEASED,
    SUCCESS,
    Transaction,
)

if TYPE_CHECKING:
    from sipua.sip.hop import Hop
    from sipua.sip.matching import ServerKey
    from sipua.sip.message import Request, Response
    from sipua.sip.transaction.machine import Layer


class ServerTransaction(Transaction):
    """A request of the peer's. ``hop`` is where responses go, ``data`` the last one sent.

    ``second_hop`` is where they go when the connection the request came by is
    gone (RFC 3261 §18.2.2). ``octets`` is the size of the request while it is
    held here.
    """

    __slots__ = ("data", "keys", "octets", "second_hop")

    def __init__(self, layer: Layer, request: Request, hop: Hop, key: ServerKey) -> None:
        super().__init__(layer, request, hop)
        self.keys = [key]
        self.data = b""
        self.octets = len(request.raw)
        self.second_hop: Hop | None = None

    def respond(self, response: Response, now: float) -> None:
        """Send a response of the transaction user's.

        Raises LocalError when a final one was sent before.
        """
        if not self.feed(status_class(response.status), now, response):
            raise LocalError(
                f"{self.method} can no longer be answered {response.status}: "
                f"its transaction is {self.state}"
            )

    def repeat(self) -> None:
        """Send the last response again, if there is one."""
        if self.data:
            self.layer.transmit(self.data, self.hop)


def status_class(status: int) -> str:
    """The stimulus a response of this status is."""
    if status < 200:
        return PROVISIONAL
    return SUCCESS if status < 300 else FAILURE


def send(transaction: ServerTransaction, response: Response, _: float) -> None:
    """The response, kept for retransmissions."""
    transaction.data = response.to_bytes()
    transaction.layer.transmit(transaction.data, transaction.hop)


def send_again(transaction: ServerTransaction, _: object, __: float) -> None:
    """The last response, if there is one."""
    transaction.repeat()


def release_request(transaction: ServerTransaction, _: object, __: float) -> None:
    """An answered request lingers for half a minute; only its name is kept for that."""
    transaction.request = RELEASED
    transaction.layer.release(transaction.octets)
    transaction.octets = 0


def report_timeout(transaction: ServerTransaction, _: object, __: float) -> None:
    """That no ACK came."""
    transaction.layer.report(TransactionTimeout(transaction))


def report_error(transaction: ServerTransaction, error: Exception, _: float) -> None:
    """That the transport failed."""
    transaction.layer.report(TransportFailed(transaction, error))
