"""What both client transactions do (RFC 3261 §17.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sip.events import ResponseReceived, TransactionTimeout, TransportFailed
from sipua.sip.grammar import TOKEN
from sipua.sip.routing import own_via
from sipua.sip.transaction.machine import CALLING, TRYING, Transaction

if TYPE_CHECKING:
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.sip.transaction.machine import Layer


_ADDED = TOKEN + ";=:[]"  # of "=5060;received=192.0.2.1"; whatever else stands there is parsed


class ClientTransaction(Transaction):
    """A request of ours; ``data`` is ``request`` as sent, with ``via`` before its headers.

    ``oversize`` tells that it goes over TCP only for its size, so that UDP is
    tried when TCP is refused (RFC 3261 §18.1.1).
    """

    __slots__ = ("branch", "data", "host_port", "oversize", "via")

    def __init__(
        self, layer: Layer, request: Request, hop: Hop, branch: str, sent_by: tuple[str, int]
    ) -> None:
        super().__init__(layer, request, hop)
        self.branch = branch
        self.host_port = sent_by
        self.oversize = False
        self.write(hop)

    @property
    def key(self) -> tuple[str, str]:
        """What a response is matched by (RFC 3261 §17.1.3)."""
        return self.branch, self.method

    @property
    def sent_by(self) -> tuple[str, int]:
        """Our host and port as ``Via.sent_by`` tells them."""
        host, port = self.host_port
        return host.lower(), port

    @property
    def is_waiting(self) -> bool:
        """Whether nothing has come back yet."""
        return self.state in (CALLING, TRYING)

    def write(self, hop: Hop) -> None:
        """Have the request ready as it goes to this hop."""
        self.hop = hop
        self.reliable = hop.transport != "UDP"
        self.via = own_via(hop.transport, self.host_port, self.branch)
        self.data = self.request.to_bytes(self.via)

    def wrote(self, via: str) -> bool:
        """Whether it is our Via to the letter, with values that servers add at its end."""
        ours = self.via
        return via.startswith(ours) and not via[len(ours) :].strip(_ADDED)


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
