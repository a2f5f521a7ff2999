"""What Network.poll() reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.errors import NetworkError
    from sipua.sip.hop import Hop


class Received(NamedTuple):
    """The octets of one message; an answer that is sent to ``source`` takes the way back."""

    data: bytes
    source: Hop


class StunReceived(NamedTuple):
    """A STUN message on a socket that carries SIP (RFC 5626 §8)."""

    data: bytes
    source: Hop


class Failed(NamedTuple):
    """Nothing more is to be expected from ``hop``: refused, unreachable, distrusted or closed.

    ``hop.local`` is None for a way that send() chose or opened, and set when
    a connection that the peer opened is gone.
    """

    hop: Hop
    error: NetworkError


class Woken(NamedTuple):
    """Another thread called wake()."""


NetEvent = Received | StunReceived | Failed | Woken
