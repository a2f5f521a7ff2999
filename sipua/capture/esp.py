"""ESP that only protects integrity (RFC 4303 with NULL encryption, RFC 2410), as IMS allows.

Nothing in a packet tells which algorithms it uses: it is taken for such ESP if
everything that can be checked behind the guess fits. TS 33.203 has UDP and TCP
carried in transport mode.
"""

from __future__ import annotations

from sipua.capture.ip import TCP, UDP, Packet

PROTOCOL = 50
PORT = b"\x11\x94"  # UDP port 4500: ESP through NAT (RFC 3948)
HEAD = 8  # octets: SPI, sequence number
INTEGRITY_VALUES = (12, 16)  # octets: HMAC-MD5-96 and HMAC-SHA-1-96; AES-GMAC
MARK = "ESP without encryption"


def protected(packet: Packet) -> bytes:
    """The ESP packet in an IP packet, perhaps through NAT; empty if it is none."""
    payload = packet.payload
    if packet.protocol == PROTOCOL:
        return payload
    if packet.protocol == UDP and PORT in (payload[:2], payload[2:4]):
        inner = payload[8:]
        if len(inner) > HEAD and inner[:4] != bytes(4):  # else a keep-alive, or IKE
            return inner
    return b""


def clear_payload(data: bytes) -> tuple[int, bytes] | None:
    """The protocol and the datagram or segment in an ESP packet; None if it is encrypted."""
    for size in INTEGRITY_VALUES:
        end = len(data) - size
        if end < HEAD + 2:
            continue
        padded, protocol = data[end - 2], data[end - 1]
        inner = data[HEAD : end - 2 - padded]
        padding = data[end - 2 - padded : end - 2]
        if end - 2 - padded < HEAD or padding != bytes(range(1, padded + 1)):
            continue
        if _fits(protocol, inner):
            return protocol, inner
    return None


def _fits(protocol: int, inner: bytes) -> bool:
    if protocol == UDP and len(inner) >= 8:
        return int.from_bytes(inner[4:6], "big") == len(inner)
    return protocol == TCP and len(inner) >= 20 and 20 <= (inner[12] >> 4) * 4 <= len(inner)
