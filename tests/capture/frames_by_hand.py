"""Packets and capture files written octet by octet, as a foreign program would."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from sipua.capture.link_layer import RAW

NEAR, FAR = "192.0.2.1", "192.0.2.2"
NEAR6, FAR6 = "2001:db8::1", "2001:db8::2"


def sip(number: int, size: int = 0) -> bytes:
    """A SIP request of its own, with a body of ``size`` octets."""
    return (
        "MESSAGE sip:bob@ims.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {NEAR}:5060;branch=z9hG4bK{number}\r\n"
        "From: <sip:alice@ims.example>;tag=1\r\n"
        "To: <sip:bob@ims.example>\r\n"
        f"Call-ID: call{number}\r\n"
        f"CSeq: {number} MESSAGE\r\n"
        f"Content-Length: {size}\r\n\r\n"
    ).encode() + bytes((number + each) % 251 for each in range(size))


def ipv4(payload: bytes, protocol: int, source: str = NEAR, destination: str = FAR,
         identification: int = 1, offset: int = 0, more: bool = False) -> bytes:  # fmt: skip
    position = offset // 8 | (0x2000 if more else 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), identification, position,
                       64, protocol, 0)  # fmt: skip
    return head + ip_address(source).packed + ip_address(destination).packed + payload


def ipv6(payload: bytes, protocol: int, source: str = NEAR6, destination: str = FAR6) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
    return head + ip_address(source).packed + ip_address(destination).packed + payload


def udp(data: bytes, near: int = 5060, far: int = 5060) -> bytes:
    return struct.pack("!HHHH", near, far, 8 + len(data), 0) + data


def tcp(data: bytes, sequence: int, near: int = 40000, far: int = 5060, flags: int = 0x18,
        acknowledged: int = 0) -> bytes:  # fmt: skip
    return struct.pack("!HHIIBBHHH", near, far, sequence % 2**32, acknowledged % 2**32, 0x50,
                       flags, 65535, 0, 0) + data  # fmt: skip


def pcap(
    packets: list[bytes], link: int = RAW, order: str = "<", nanoseconds: bool = False
) -> bytes:
    """A classic capture: packet n at second 1000 + n and a half."""
    half = 500_000_000 if nanoseconds else 500_000
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for number, packet in enumerate(packets):
        size = len(packet)
        parts.append(struct.pack(order + "IIII", 1000 + number, half, size, size) + packet)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """A pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    """A pcapng section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = RAW, order: str = "<", options: bytes = b"", snapshot: int = 0) -> bytes:
    """A pcapng interface description."""
    return block(1, struct.pack(order + "HHI", link, 0, snapshot) + options, order)


def enhanced(
    packet: bytes, ticks: int, order: str = "<", options: bytes = b"", index: int = 0
) -> bytes:
    """A pcapng enhanced packet block."""
    size = len(packet)
    head = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
    return block(6, head + packet + bytes(-size % 4) + options, order)
