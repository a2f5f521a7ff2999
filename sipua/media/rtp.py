"""RTP packets as octets (RFC 3550 §5.1), and how RTCP on the same port is told from them."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from sipua.errors import LocalError, ParseError

VERSION = 2
SEQUENCES = 1 << 16
TIMESTAMPS = 1 << 32
MAX_CSRCS = 15

_FIXED = Struct("!BBHII")
_EXTENSION = Struct("!HH")
_PADDING, _EXTENDED, _MARKER = 0x20, 0x10, 0x80
_RTCP_TYPES = range(192, 224)  # RFC 5761 §4: with the marker bit, payload types 64 to 95
_SHORTEST_RTCP = 8  # octets: the common header and one SSRC (RFC 3550 §6.4.2)


class Extension(NamedTuple):
    """A header extension (RFC 3550 §5.3.1); ``data`` is a multiple of four octets."""

    profile: int
    data: bytes


class RtpPacket(NamedTuple):
    """One packet. ``padding`` is how many octets follow the payload, their count included."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: Extension | None = None
    padding: int = 0

    def to_bytes(self) -> bytes:
        """The datagram; raises LocalError for a field that does not fit."""
        if not 0 <= self.payload_type < 128 or len(self.csrcs) > MAX_CSRCS:
            raise LocalError(f"no RTP header has payload type {self.payload_type} or so many CSRCs")
        if not 0 <= self.padding < 256:
            raise LocalError(f"{self.padding} octets of RTP padding; 255 is the most")
        first = VERSION << 6 | len(self.csrcs)
        rest = b"".join([csrc.to_bytes(4) for csrc in self.csrcs])
        if self.extension is not None:
            words, odd = divmod(len(self.extension.data), 4)
            if odd or words >= 1 << 16:
                raise LocalError("an RTP header extension is a number of 32-bit words")
            first |= _EXTENDED
            rest += _EXTENSION.pack(self.extension.profile, words) + self.extension.data
        end = b""
        if self.padding:
            first |= _PADDING
            end = bytes(self.padding - 1) + bytes((self.padding,))
        second = self.payload_type | (_MARKER if self.marker else 0)
        head = _FIXED.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        return head + rest + self.payload + end


def read_rtp(datagram: bytes) -> RtpPacket:
    """Take a datagram apart; raises ParseError for one that is no RTP packet."""
    if len(datagram) < _FIXED.size:
        raise ParseError(f"{len(datagram)} octets are no RTP packet; its header alone has 12")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(datagram)
    if first >> 6 != VERSION:
        raise ParseError(f"version {first >> 6} of RTP; only 2 is spoken")
    end, padding = len(datagram), 0
    start = _FIXED.size + 4 * (first & 0x0F)
    csrcs: tuple[int, ...] = ()
    if start > _FIXED.size:
        words = datagram[_FIXED.size : min(start, end)]
        csrcs = tuple([int.from_bytes(words[at : at + 4]) for at in range(0, len(words), 4)])
    extension = None
    if first & _EXTENDED and start + 4 <= end:
        profile, length = _EXTENSION.unpack_from(datagram, start)
        extension = Extension(profile, datagram[start + 4 : start + 4 + 4 * length])
        start += 4 + 4 * length
    elif first & _EXTENDED:
        raise ParseError("an RTP packet that ends before its header extension")
    if first & _PADDING:
        padding = datagram[-1]
        end -= padding
        if not padding:
            raise ParseError("an RTP packet with padding of no octets")
    if start > end:
        raise ParseError("an RTP packet shorter than its header and padding say")
    return RtpPacket(
        second & 0x7F,
        sequence,
        timestamp,
        ssrc,
        datagram[start:end],
        bool(second & _MARKER),
        csrcs,
        extension,
        padding,
    )


def is_rtcp(datagram: bytes) -> bool:
    """Whether this is RTCP that came to the port of RTP (RFC 5761 §4)."""
    return (
        len(datagram) >= _SHORTEST_RTCP
        and datagram[0] >> 6 == VERSION
        and datagram[1] in _RTCP_TYPES
    )
