"""Where a message goes to or came from."""

from __future__ import annotations

from typing import NamedTuple


class Hop(NamedTuple):
    """One transport address of a peer.

    ``transport`` is UDP, TCP or TLS as Via spells it; ``address`` a numeric
    IPv4 or IPv6 address without brackets. ``local`` is our own address and
    port, known for what was received: an answer leaves by the same socket.
    """

    transport: str
    address: str
    port: int
    local: tuple[str, int] | None = None

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.transport.lower()}:{host}:{self.port}"
