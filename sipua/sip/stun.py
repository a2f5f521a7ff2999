"""STUN as a keep-alive of a UDP flow (RFC 5389 §6, RFC 5626 §4.4.2 and §8), without I/O.

Of STUN this is Binding requests without attributes, and what answers them. The
addresses are numeric texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError

if TYPE_CHECKING:
    from sipua.randomness import Randomness

MAGIC_COOKIE = b"\x21\x12\xa4\x42"
HEADER = 20  # octets
REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
XOR_MAPPED_ADDRESS = 0x0020

LEAST, MOST = 24.0, 29.0
"""Seconds between two requests, by chance (RFC 5626 §4.4.2)."""

RTO = 0.5
RETRANSMISSIONS = 7
LAST = 16
"""The request is repeated after RTO, 2 RTO …; 16 RTO after the last the flow has failed."""


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN and no SIP: no text begins with two zero bits so (§8)."""
    return len(data) >= HEADER and data[0] < 0x40 and data[4:8] == MAGIC_COOKIE


def binding_request(transaction: bytes) -> bytes:
    """A Binding request; ``transaction`` is 12 octets by chance."""
    return REQUEST.to_bytes(2, "big") + bytes(2) + MAGIC_COOKIE + transaction


def read_response(data: bytes) -> tuple[bytes, tuple[str, int] | None]:
    """Transaction and mapped address of a Binding response, None in one that is an error.

    Raises ParseError for anything else.
    """
    kind, length = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
    if not is_stun(data) or length % 4 or HEADER + length > len(data):
        raise ParseError("no STUN message")
    transaction = data[8:HEADER]
    if kind == ERROR:
        return transaction, None
    if kind != SUCCESS:
        raise ParseError(f"a STUN message of type {kind:04X} is no answer")
    position, end = HEADER, HEADER + length
    while position + 4 <= end:
        name = int.from_bytes(data[position : position + 2], "big")
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        value = data[position + 4 : position + 4 + size]
        if len(value) < size:
            break
        if name == XOR_MAPPED_ADDRESS:
            return transaction, _address(value, transaction)
        position += 4 + size + -size % 4
    raise ParseError("a STUN answer without XOR-MAPPED-ADDRESS")


def _address(value: bytes, transaction: bytes) -> tuple[str, int]:
    """§15.2."""
    family, mask = value[1:2], MAGIC_COOKIE + transaction
    size = {b"\x01": 4, b"\x02": 16}.get(family)
    if size is None or len(value) != 4 + size:
        raise ParseError("a mapped address of neither IPv4 nor IPv6")
    port = int.from_bytes(value[2:4], "big") ^ 0x2112
    octets = bytes(octet ^ key for octet, key in zip(value[4:], mask, strict=False))
    if size == 4:
        return ".".join(str(octet) for octet in octets), port
    groups = [octets[at : at + 2].hex() for at in range(0, 16, 2)]
    return ":".join(groups), port


class StunKeepAlive:
    """Keeps one flow open. ``failed`` says why it is of no use any more, "" while it is."""

    def __init__(self, rng: Randomness, now: float) -> None:
        self.failed = ""
        self._rng = rng
        self._transaction = b""
        self._mapped: tuple[str, int] | None = None
        self._sent = 0
        self._wait = 0.0
        self._at = now
        self._requests: list[bytes] = []

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return None if self.failed else self._at

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.failed or now < self._at:
            return
        if not self._transaction:
            self._transaction = self._rng.getrandbits(96).to_bytes(12, "big")
            self._sent, self._wait = 0, RTO
        elif self._sent > RETRANSMISSIONS:
            self.failed = "the network does not answer STUN any more"
            return
        self._sent += 1
        self._at = now + (self._wait if self._sent <= RETRANSMISSIONS else LAST * RTO)
        self._wait *= 2
        self._requests.append(binding_request(self._transaction))

    def received(self, data: bytes, now: float) -> None:
        """Take a STUN message; one that answers nothing of ours is passed over."""
        try:
            transaction, mapped = read_response(data)
        except ParseError:
            return
        if transaction != self._transaction or self.failed:
            return
        if mapped is None:
            self.failed = "the network refuses STUN"
        elif self._mapped is not None and mapped != self._mapped:
            self.failed = "our address behind the NAT has changed"
        self._mapped = mapped
        self._transaction = b""
        self._at = now + LEAST + (MOST - LEAST) * self._rng.getrandbits(16) / 2**16

    def take_requests(self) -> list[bytes]:
        """Datagrams to be sent now."""
        taken, self._requests = self._requests, []
        return taken
