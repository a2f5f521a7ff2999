"""IP packets as a TUN device and a raw socket exchange them: just what transport mode needs."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from sipua.ipsec.errors import EspError, Truncated

TCP = 6
UDP = 17
PROTOCOLS = {UDP: "udp", TCP: "tcp"}

_IPV4_HEADER = 20
_IPV6_HEADER = 40
_HOP_LIMIT = 64
_FRAGMENT = 0x3FFF  # more fragments, and the offset
_MAX_PAYLOAD = 0xFFFF - _IPV4_HEADER


class Packet(NamedTuple):
    """One whole packet, not a fragment; ``payload`` begins with the transport header."""

    source: str
    destination: str
    protocol: int
    payload: bytes

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination port of UDP or TCP; raises EspError for anything else."""
        if self.protocol not in PROTOCOLS:
            raise EspError(f"IP protocol {self.protocol} is neither UDP nor TCP")
        if len(self.payload) < 4:
            raise Truncated("a packet without ports")
        return (
            int.from_bytes(self.payload[:2], "big"),
            int.from_bytes(self.payload[2:4], "big"),
        )


def read(data: bytes) -> Packet:
    """Take an IPv4 or IPv6 packet apart; raises Truncated or EspError."""
    if not data:
        raise Truncated("an empty packet")
    if data[0] >> 4 == 6:
        return _read_ipv6(data)
    if data[0] >> 4 != 4:
        raise EspError(f"IP version {data[0] >> 4}")
    header = (data[0] & 15) * 4
    total = int.from_bytes(data[2:4], "big")
    if header < _IPV4_HEADER or not header <= total <= len(data):
        raise Truncated("an IPv4 packet shorter than it says")
    if int.from_bytes(data[6:8], "big") & _FRAGMENT:
        raise EspError("a fragment: transport mode takes whole packets (RFC 4303 §3.3.4)")
    return Packet(
        str(IPv4Address(data[12:16])),
        str(IPv4Address(data[16:20])),
        data[9],
        data[header:total],
    )


def _read_ipv6(data: bytes) -> Packet:
    end = _IPV6_HEADER + int.from_bytes(data[4:6], "big")
    if not _IPV6_HEADER <= end <= len(data):
        raise Truncated("an IPv6 packet shorter than it says")
    return Packet(
        str(IPv6Address(data[8:24])),
        str(IPv6Address(data[24:40])),
        data[6],
        data[_IPV6_HEADER:end],
    )


def write(packet: Packet) -> bytes:
    """Put an IP header before the payload; raises EspError when it is too long for one."""
    size = len(packet.payload)
    if size > _MAX_PAYLOAD:
        raise EspError(f"{size} octets do not fit in an IP packet")
    if ":" in packet.source:
        return (
            b"\x60\0\0\0"
            + size.to_bytes(2, "big")
            + bytes((packet.protocol, _HOP_LIMIT))
            + ip_address(packet.source).packed
            + ip_address(packet.destination).packed
            + packet.payload
        )
    head = (
        b"\x45\0"
        + (_IPV4_HEADER + size).to_bytes(2, "big")
        + b"\0\0\0\0"
        + bytes((_HOP_LIMIT, packet.protocol))
    )
    addresses = ip_address(packet.source).packed + ip_address(packet.destination).packed
    return head + _checksum(head + addresses) + addresses + packet.payload


def _checksum(header: bytes) -> bytes:
    """RFC 791 §3.1: the ones' complement of the sum of the 16-bit words."""
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")
