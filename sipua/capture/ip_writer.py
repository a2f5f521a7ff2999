"""IP packets around what a transport carried, as a capture on the wire would have had them."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from struct import Struct

from sipua.capture.ip import TCP, UDP

HOP_LIMIT = 64
MAX_SEGMENT = 60_000  # octets; an IP packet holds 65535
PUSH_ACK = 0x18
WINDOW = 0xFFFF

_IPV4 = Struct("!BBHHHBBH8s")
_IPV6 = Struct("!IHBB32s")
_UDP = Struct("!HHHH")
_TCP = Struct("!HHIIBBHHH")

End = tuple[str, int]
"""Numeric address and port."""


class Way:
    """From one end to another: all that is the same in each packet. Both of one IP version."""

    __slots__ = ("_addresses", "_ip_sum", "_is_4", "_ports", "_tcp_sum", "_udp_sum")

    def __init__(self, source: End, destination: End) -> None:
        """Raises ValueError for addresses that are not numeric."""
        addresses = [ip_address(each[0].partition("%")[0]) for each in (source, destination)]
        self._is_4 = all(isinstance(each, IPv4Address) for each in addresses)
        packed = [each.packed for each in addresses]
        if not self._is_4:
            # IPv4 addresses of a socket that serves both are written as RFC 4291 §2.5.5.2 has it.
            packed = [bytes(10) + b"\xff\xff" + each if len(each) == 4 else each for each in packed]
        self._addresses = b"".join(packed)
        self._ports = near, far = source[1], destination[1]
        # Sums that checksums begin with: the addresses, and ports or the first word of IPv4.
        addressed = int.from_bytes(self._addresses, "big") % 0xFFFF
        self._udp_sum = addressed + UDP + near + far
        self._tcp_sum = addressed + TCP
        self._ip_sum = addressed + sum((0x4500, 0x4000, HOP_LIMIT << 8))

    def udp(self, data: bytes) -> bytes:
        """A datagram (RFC 768)."""
        size = 8 + len(data)
        # The length stands in the pseudo header, and in the header.
        check = checksum(data, self._udp_sum + 2 * size) or 0xFFFF
        return self._ip(UDP, size) + _UDP.pack(*self._ports, size, check) + data

    def tcp(self, data: bytes, sequence: int, acknowledged: int) -> bytes:
        """A segment (RFC 9293 §3.1) of at most MAX_SEGMENT octets."""
        fields = *self._ports, sequence, acknowledged, 5 << 4, PUSH_ACK, WINDOW
        head = _TCP.pack(*fields, 0, 0)
        size = len(head) + len(data)
        check = checksum(head + data, self._tcp_sum + size)
        return self._ip(TCP, size) + _TCP.pack(*fields, check, 0) + data

    def _ip(self, protocol: int, size: int) -> bytes:
        """The header for a payload of ``size`` octets."""
        if not self._is_4:
            return _IPV6.pack(6 << 28, size, protocol, HOP_LIMIT, self._addresses)
        size += 20
        check = -(self._ip_sum + protocol + size) % 0xFFFF
        return _IPV4.pack(0x45, 0, size, 0, 0x4000, HOP_LIMIT, protocol, check, self._addresses)


class TcpWay:
    """Both directions of one connection, as segments that follow one another.

    Where each direction begins is made up: this program sees the octets, not
    the segments.
    """

    __slots__ = ("_back", "_forth", "_received", "_sent")

    def __init__(self, local: End, peer: End) -> None:
        self._forth, self._back = Way(local, peer), Way(peer, local)
        self._sent = self._received = 1  # sequence numbers of the next octets

    def sent(self, data: bytes) -> list[bytes]:
        """The segments for what we sent."""
        packets = []
        for piece in _pieces(data):
            packets.append(self._forth.tcp(piece, self._sent, self._received))
            self._sent = (self._sent + len(piece)) & 0xFFFFFFFF
        return packets

    def received(self, data: bytes) -> list[bytes]:
        """The segments for what the peer sent."""
        packets = []
        for piece in _pieces(data):
            packets.append(self._back.tcp(piece, self._received, self._sent))
            self._received = (self._received + len(piece)) & 0xFFFFFFFF
        return packets


def _pieces(data: bytes) -> list[bytes]:
    if len(data) <= MAX_SEGMENT:
        return [data]
    return [data[at : at + MAX_SEGMENT] for at in range(0, len(data), MAX_SEGMENT)]


def checksum(data: bytes, start: int) -> int:
    """The checksum of RFC 1071, ``start`` being the sum of what else it covers.

    A sum with end-around carry is a remainder by 65535.
    """
    if len(data) & 1:
        data += b"\0"
    return -(int.from_bytes(data, "big") + start) % 0xFFFF  # of 0 and 0xFFFF, which are the same, 0
