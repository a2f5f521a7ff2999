"""From a link-layer frame to the IP packet in it.

Numbers are LINKTYPE values of https://www.tcpdump.org/linktypes.html.
"""

from __future__ import annotations

NULL = 0  # BSD loopback: four octets of address family in the byte order of who captured
ETHERNET = 1
RAW_OF_BSD = (12, 14)  # what some systems wrote for RAW
RAW = 101
LOOP = 108  # as NULL, in network byte order
LINUX_COOKED = 113
IPV4 = 228
IPV6 = 229
LINUX_COOKED_2 = 276

TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")  # IEEE 802.1Q, 802.1ad (QinQ), and before that
IP_TYPES = (b"\x08\x00", b"\x86\xdd")
MAX_TAGS = 4

NETWORK_LAYER = {
    NULL: 4,
    LOOP: 4,
    RAW: 0,
    IPV4: 0,
    IPV6: 0,
    **dict.fromkeys(RAW_OF_BSD, 0),
}
"""Octets before the IP header, where they are always as many."""

ETHER_TYPE = {ETHERNET: 12, LINUX_COOKED: 14}
"""Where the EtherType stands, with the payload behind it."""

KNOWN = frozenset((*NETWORK_LAYER, *ETHER_TYPE, LINUX_COOKED_2))


def ip_packet(link: int, data: bytes) -> bytes:
    """The IP packet that a frame carries, with its padding if any; empty for anything else."""
    skipped = NETWORK_LAYER.get(link)
    if skipped is not None:
        return data[skipped:] if skipped else data
    if link == LINUX_COOKED_2:
        return _behind_tags(data[:2], data, 20)
    at = ETHER_TYPE.get(link)
    if at is None:
        return b""
    return _behind_tags(data[at : at + 2], data, at + 2)


def _behind_tags(kind: bytes, data: bytes, at: int) -> bytes:
    """``data`` from ``at`` on, VLAN tags passed over, if that is IP."""
    for _ in range(MAX_TAGS):
        if kind in IP_TYPES:
            return data[at:]
        if kind not in TAGS:
            return b""
        kind = data[at + 2 : at + 4]
        at += 4
    return b""
