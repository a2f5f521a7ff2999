"""What a capture file gives: SIP messages, APDUs, and remarks on what it does not hold."""

from __future__ import annotations

from typing import NamedTuple

from sipua.sip.hop import Hop


class Frame(NamedTuple):
    """One packet of a file as it stands there.

    ``at`` is in seconds since 1970, ``number`` counts from 1 as Wireshark does,
    ``link`` is the link-layer header type of the pcap registry. ``length`` is
    the size on the wire; ``data`` is shorter when the capture cut it.
    """

    at: float
    number: int
    link: int
    data: bytes
    length: int
    comment: str = ""


class CapturedMessage(NamedTuple):
    """One SIP message; ``at`` in seconds since 1970, when its last octet was seen.

    ``transport`` is UDP, TCP, or TLS for one that this program wrote down in
    clear. ``data`` is as on the wire, cut to no length: a datagram may hold
    more than its message. ``packet`` is the number of the packet that
    completed it.
    """

    at: float
    source: Hop
    destination: Hop
    transport: str
    data: bytes
    comment: str = ""
    packet: int = 0


class CapturedApdu(NamedTuple):
    """One command to a card with its answer, which ends in SW1 SW2, out of GSMTAP."""

    at: float
    command: bytes
    answer: bytes
    comment: str = ""
    packet: int = 0

    def __repr__(self) -> str:
        """The header only: data may be a PIN or a key."""
        return f"CapturedApdu(packet {self.packet}, {self.command[:4].hex().upper()})"


class CaptureRemark(NamedTuple):
    """What the reader of the capture should know: something is missing, or cannot be read."""

    at: float
    text: str
    packet: int = 0


Captured = CapturedMessage | CapturedApdu | CaptureRemark
