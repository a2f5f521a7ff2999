"""What an endpoint tells its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.sip.transaction.client import ClientTransaction
    from sipua.sip.transaction.server import ServerTransaction


class RequestReceived(NamedTuple):
    """A new request, to be answered with Endpoint.respond."""

    transaction: ServerTransaction
    request: Request
    source: Hop


class AckReceived(NamedTuple):
    """The ACK for a 2xx; ``transaction`` is the INVITE's where the branch tells."""

    transaction: ServerTransaction | None
    request: Request
    source: Hop


class ResponseReceived(NamedTuple):
    """A response to a request of ours."""

    transaction: ClientTransaction
    response: Response


class TransactionTimeout(NamedTuple):
    """No final response (Timer B, F), or no ACK for ours (Timer H)."""

    transaction: ClientTransaction | ServerTransaction


class TransportFailed(NamedTuple):
    """The transport could not carry a message of this transaction."""

    transaction: ClientTransaction | ServerTransaction
    error: Exception


class Discarded(NamedTuple):
    """A message that went no further. ``reason`` is one of a few, ``detail`` for people."""

    reason: str
    data: bytes
    source: Hop
    detail: str = ""


Event = (
    RequestReceived
    | AckReceived
    | ResponseReceived
    | TransactionTimeout
    | TransportFailed
    | Discarded
)
