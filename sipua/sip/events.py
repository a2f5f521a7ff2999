"""What an endpoint tells its user.

Plain classes: named tuples would double the time this wing takes to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.sip.transaction.client import ClientTransaction
    from sipua.sip.transaction.server import ServerTransaction


class Event:
    """Any of the following; equal when of one kind and with the same things in it."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._values()!r}"

    def _values(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])


class RequestReceived(Event):
    """A new request, to be answered with Endpoint.respond."""

    __slots__ = ("request", "source", "transaction")

    def __init__(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        self.transaction = transaction
        self.request = request
        self.source = source


class AckReceived(Event):
    """The ACK for a 2xx; ``transaction`` is the INVITE's where the branch tells."""

    __slots__ = ("request", "source", "transaction")

    def __init__(
        self, transaction: ServerTransaction | None, request: Request, source: Hop
    ) -> None:
        self.transaction = transaction
        self.request = request
        self.source = source


class ResponseReceived(Event):
    """A response to a request of ours."""

    __slots__ = ("response", "transaction")

    def __init__(self, transaction: ClientTransaction, response: Response) -> None:
        self.transaction = transaction
        self.response = response


class TransactionTimeout(Event):
    """No final response (Timer B, F), or no ACK for ours (Timer H)."""

    __slots__ = ("transaction",)

    def __init__(self, transaction: ClientTransaction | ServerTransaction) -> None:
        self.transaction = transaction


class TransportFailed(Event):
    """The transport could not carry a message of this transaction."""

    __slots__ = ("error", "transaction")

    def __init__(
        self, transaction: ClientTransaction | ServerTransaction, error: Exception
    ) -> None:
        self.transaction = transaction
        self.error = error


class Discarded(Event):
    """A message that went no further. ``reason`` is one of a few, ``detail`` for people."""

    __slots__ = ("data", "detail", "reason", "source")

    def __init__(self, reason: str, data: bytes, source: Hop, detail: str = "") -> None:
        self.reason = reason
        self.data = data
        self.source = source
        self.detail = detail

    def __repr__(self) -> str:
        # the octets may hold credentials
        return (
            f"Discarded({self.reason!r}, {len(self.data)} octets, {self.source}, {self.detail!r})"
        )
