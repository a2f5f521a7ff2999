"""A message, and what tests do with networks that take turns in one thread."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from sipua.net.network import Failed, Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.net.network import NetEvent, Network
    from sipua.sip.hop import Hop

BODY = b"\x00\r\n\r\nnot text\xff"
MESSAGE = (
    b"MESSAGE sip:a@example.org SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:b@example.org>;tag=1\r\nTo: <sip:a@example.org>\r\n"
    b"Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def run(
    networks: list[Network], until: Callable[[list[NetEvent]], bool], limit: float = 5.0
) -> list[NetEvent]:
    """Poll all networks in turn until their events satisfy; return the events."""
    seen: list[NetEvent] = []
    end = time.monotonic() + limit
    while not until(seen):
        assert time.monotonic() < end, seen
        for network in networks:
            seen += network.poll(0.005)
    return seen


def settle(networks: list[Network], seconds: float = 0.1) -> list[NetEvent]:
    """Poll all networks in turn for a while; return what happened."""
    seen: list[NetEvent] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for network in networks:
            seen += network.poll(0.005)
    return seen


def messages(events: list[NetEvent]) -> list[bytes]:
    return [event.data for event in events if isinstance(event, Received)]


def failures(events: list[NetEvent]) -> list[Failed]:
    return [event for event in events if isinstance(event, Failed)]


def connect(hop: Hop) -> socket.socket:
    return socket.create_connection((hop.address, hop.port), timeout=5)


def is_closed(peer: socket.socket) -> bool:
    """Whether the other side has closed; data on the way is skipped."""
    peer.setblocking(False)
    try:
        while peer.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True
