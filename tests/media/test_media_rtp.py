"""RTP packets, octet for octet, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sipua.errors import LocalError, ParseError
from sipua.media.rtp import Extension, RtpPacket, is_rtcp, read_rtp

# RFC 4733, figure 3, by hand: V=2, PT 100, sequence 18, timestamp 11200, SSRC 0x5234a8;
# event 1, E, volume 20, duration 1760
FIGURE_3 = bytes.fromhex("8064 0012 00002bc0 005234a8 01 94 06e0")

# RFC 3550 §5.1 by hand: P, X, CC=2, M, PT 8, sequence 0xfffe; two CSRCs; extension 0xbede
# of one word; two octets of voice; three of padding
EVERYTHING = bytes.fromhex(
    "b288 fffe 01020304 0a0b0c0d  00000001 fffffffe  bede 0001 11223344  d5d5 000003"
)
WHOLE = RtpPacket(
    8,
    0xFFFE,
    0x01020304,
    0x0A0B0C0D,
    b"\xd5\xd5",
    marker=True,
    csrcs=(1, 0xFFFFFFFE),
    extension=Extension(0xBEDE, b"\x11\x22\x33\x44"),
    padding=3,
)


def test_the_packet_of_the_rfc() -> None:
    packet = RtpPacket(100, 18, 11200, 0x5234A8, b"\x01\x94\x06\xe0")
    assert packet.to_bytes() == FIGURE_3
    assert read_rtp(FIGURE_3) == packet


def test_every_field() -> None:
    assert WHOLE.to_bytes() == EVERYTHING
    assert read_rtp(EVERYTHING) == WHOLE


def test_no_payload_is_a_packet() -> None:
    """Padding may be all that follows the header."""
    assert read_rtp(FIGURE_3[:12]).payload == b""
    assert read_rtp(b"\xa0" + FIGURE_3[1:12] + b"\x00\x02") == RtpPacket(
        100, 18, 11200, 0x5234A8, b"", padding=2
    )


@pytest.mark.parametrize("length", range(len(EVERYTHING)))
def test_a_packet_cut_short(length: int) -> None:
    with pytest.raises(ParseError):
        read_rtp(EVERYTHING[:length])


@pytest.mark.parametrize(
    ("datagram", "said"),
    [
        (b"\x40" + FIGURE_3[1:], "version 1"),
        (b"\xc0" + FIGURE_3[1:], "version 3"),
        (b"\xa0" + FIGURE_3[1:12] + b"\x00", "padding of no octets"),
        (b"\xa0" + FIGURE_3[1:12] + b"\x02", "shorter than"),
        (b"\x90" + FIGURE_3[1:12] + b"\xbe\xde\xff\xff" + bytes(4), "shorter than"),
        (b"\x90" + FIGURE_3[1:12] + b"\xbe\xde", "before its header extension"),
        (b"\x8f" + FIGURE_3[1:12] + bytes(56), "shorter than"),
        (b"", "0 octets"),
    ],
)
def test_what_is_no_packet(datagram: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read_rtp(datagram)


@pytest.mark.parametrize(
    "packet",
    [
        WHOLE._replace(payload_type=128),
        WHOLE._replace(csrcs=tuple(range(16))),
        WHOLE._replace(padding=256),
        WHOLE._replace(extension=Extension(1, b"odd")),
    ],
)
def test_what_no_packet_can_say(packet: RtpPacket) -> None:
    with pytest.raises(LocalError):
        packet.to_bytes()


@given(
    st.builds(
        RtpPacket,
        payload_type=st.integers(0, 127),
        sequence=st.integers(0, 2**16 - 1),
        timestamp=st.integers(0, 2**32 - 1),
        ssrc=st.integers(0, 2**32 - 1),
        payload=st.binary(max_size=400),
        marker=st.booleans(),
        csrcs=st.lists(st.integers(0, 2**32 - 1), max_size=15).map(tuple),
        extension=st.none()
        | st.builds(
            Extension,
            st.integers(0, 2**16 - 1),
            st.binary(max_size=15).map(lambda octets: octets * 4),
        ),
        padding=st.integers(0, 255),
    )
)
def test_what_is_written_is_read(packet: RtpPacket) -> None:
    assert read_rtp(packet.to_bytes()) == packet


@given(st.binary(max_size=80), st.booleans())
@example(b"", False)
def test_any_octets_are_a_packet_or_refused(octets: bytes, alike: bool) -> None:
    """What is read is written again as it was, but for the octets of the padding."""
    datagram = bytes([0x80 | (octets[0] & 0x3F)]) + octets[1:] if alike and octets else octets
    try:
        packet = read_rtp(datagram)
    except ParseError:
        return
    end = len(datagram) - packet.padding
    assert packet.to_bytes()[:end] == datagram[:end]
    assert len(packet.to_bytes()) == len(datagram)


@pytest.mark.parametrize("kind", [192, 200, 201, 202, 203, 204, 205, 206, 207, 223])
def test_rtcp_is_told_by_its_type(kind: int) -> None:
    """RFC 5761 §4: types 192 to 223 are payload types 64 to 95 with the marker."""
    assert is_rtcp(bytes((0x80, kind, 0, 1)) + bytes(4))


@pytest.mark.parametrize(
    "datagram",
    [
        bytes((0x80, 0x80 | 8, 0, 1)) + bytes(8),  # PCMA with the marker
        bytes((0x80, 0x80 | 101, 0, 1)) + bytes(8),  # an event's first packet
        bytes((0x80, 191, 0, 1)) + bytes(8),
        bytes((0x80, 224, 0, 1)) + bytes(8),
        bytes((0x80, 200)),  # too short for either
        bytes((0x00, 200, 0, 1)) + bytes(8),
    ],
)
def test_what_is_no_rtcp(datagram: bytes) -> None:
    assert not is_rtcp(datagram)
