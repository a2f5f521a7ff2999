"""tshark reads the session that we agreed, the packets and the digits that we send, and counts
a bad stream as we do."""

from __future__ import annotations

import random
import struct
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from interop.rtp_analysis import RtpAnalysis, RtpStream
from sipua.media.events import DIGITS
from sipua.media.port import MediaPort, Statistics
from sipua.media.rtp import Extension, RtpPacket
from sipua.sip.codecs import PHONE_CODECS
from sipua.sip.offer_answer import LocalMedia, OfferAnswer, Stream

NEAR, FAR = ("192.0.2.1", 4000), ("192.0.2.9", 5000)
SIP = 5060
WIDE = 98  # AMR-WB, octet-aligned, among PHONE_CODECS; tshark takes it to be so anyway
TICKS = 320  # of its clock in 20 ms
VOICE = b"\xf0\x7c"  # RFC 4867 §4.4: no mode wanted; one frame, of good quality, without data

Address = tuple[str, int]


@pytest.fixture
def tshark(tmp_path: Path) -> RtpAnalysis:
    return RtpAnalysis(tmp_path)


class Capture:
    """A capture file of UDP over IPv4 (pcap, link type RAW), written packet by packet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: list[tuple[int, bytes]] = []

    def add(self, at: float, source: Address, to: Address, data: bytes) -> None:
        udp = struct.pack("!4H", source[1], to[1], 8 + len(data), 0) + data
        ends = b"".join(bytes(map(int, end[0].split("."))) for end in (source, to))
        ip = struct.pack("!BBHLBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + ends
        self._records.append((round(at * 1e6), ip + udp))

    def write(self) -> Path:
        self._records.sort(key=lambda record: record[0])
        octets = [struct.pack("<LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
        for at, packet in self._records:
            octets.append(struct.pack("<4L", at // 10**6, at % 10**6, len(packet), len(packet)))
            octets.append(packet)
        self.path.write_bytes(b"".join(octets))
        return self.path


class Agreed(NamedTuple):
    """A capture that begins with offer and answer, and the stream as each side has it."""

    capture: Capture
    near: Stream
    far: Stream


def sip(start: str, body: bytes) -> bytes:
    lines = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
        "Max-Forwards: 70",
        "From: <sip:near@example.org>;tag=1",
        "To: <sip:far@example.org>;tag=2",
        "Call-ID: 1@example.org",
        "CSeq: 1 INVITE",
        "Contact: <sip:here@192.0.2.1>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
        "\r\n",
    ]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def agreed(tmp_path: Path) -> Agreed:
    """We offer all of a phone, the far end answers with AMR-WB; tshark learns it from the SDP."""
    ours, theirs = OfferAnswer(1), OfferAnswer(2)
    wide = tuple(each for each in PHONE_CODECS if each.payload_type == WIDE or each.is_events)
    offer = ours.offer(LocalMedia(*NEAR))
    theirs.take_offer(offer)
    answer = theirs.answer(LocalMedia(*FAR, codecs=wide))
    ours.take_answer(answer)
    capture = Capture(tmp_path / "call.pcap")
    invite = sip("INVITE sip:far@example.org SIP/2.0", offer)
    capture.add(0.0, (NEAR[0], SIP), (FAR[0], SIP), invite)
    capture.add(0.1, (FAR[0], SIP), (NEAR[0], SIP), sip("SIP/2.0 200 OK", answer))
    assert ours.stream is not None
    assert theirs.stream is not None
    return Agreed(capture, ours.stream, theirs.stream)


def stream_from(source: Address, streams: list[RtpStream]) -> RtpStream:
    """The only one that comes from there."""
    (found,) = [stream for stream in streams if stream.source == source[0]]
    return found


def test_every_field_of_a_packet(tshark: RtpAnalysis, agreed: Agreed) -> None:
    chance = random.Random(3550)
    packets = [
        RtpPacket(
            WIDE,
            chance.getrandbits(16),
            chance.getrandbits(32),
            chance.getrandbits(32),
            VOICE,
            marker=chance.random() < 0.5,
            csrcs=tuple(chance.getrandbits(32) for _ in range(chance.randrange(16))),
            extension=Extension(chance.getrandbits(16), chance.randbytes(4 * number))
            if number % 3
            else None,
            padding=number % 7,
        )
        for number in range(1, 41)
    ]
    for number, packet in enumerate(packets):
        agreed.capture.add(1 + number, NEAR, FAR, packet.to_bytes())
    names = ["rtp.p_type", "rtp.seq", "rtp.timestamp", "rtp.ssrc", "rtp.marker", "rtp.cc"]
    names += ["rtp.csrc.item", "rtp.ext.profile", "rtp.ext.len", "rtp.padding.count"]
    rows = tshark.fields(agreed.capture.write(), "rtp", names)
    assert len(rows) == len(packets)
    for row, packet in zip(rows, packets, strict=True):
        assert int(row["rtp.p_type"]) == packet.payload_type
        assert int(row["rtp.seq"]) == packet.sequence
        assert int(row["rtp.timestamp"]) == packet.timestamp
        assert int(row["rtp.ssrc"], 16) == packet.ssrc
        assert (row["rtp.marker"] in ("1", "True")) == packet.marker
        csrcs = tuple(int(each, 16) for each in filter(None, row["rtp.csrc.item"].split(",")))
        assert csrcs == packet.csrcs
        assert int(row["rtp.cc"]) == len(packet.csrcs)
        if packet.extension is None:
            assert row["rtp.ext.profile"] == ""
        else:
            assert int(row["rtp.ext.profile"], 16) == packet.extension.profile
            assert 4 * int(row["rtp.ext.len"]) == len(packet.extension.data)
        assert int(row["rtp.padding.count"] or 0) == packet.padding


def test_digits(tshark: RtpAnalysis, agreed: Agreed) -> None:
    """Every digit: seven packets, of which tshark takes none for malformed or for lost."""
    port = MediaPort("sink", random.Random(4733))
    port.use(agreed.near, 1.0)
    port.send_digits(DIGITS, 1.0)
    while (now := port.deadline()) is not None:
        port.tick(now)
        for datagram, to in port.take_outgoing():
            agreed.capture.add(now, NEAR, to, datagram)
    capture = agreed.capture.write()
    names = ["rtpevent.event_id", "rtpevent.end_of_event", "rtpevent.volume"]
    names += ["rtpevent.duration", "rtp.marker", "rtp.timestamp", "rtp.p_type"]
    rows = tshark.fields(capture, "rtpevent", names)
    assert len(rows) == 7 * len(DIGITS)
    for code in range(len(DIGITS)):
        seven = rows[7 * code : 7 * code + 7]
        said = [[str(row[name]).replace("True", "1").replace("False", "0") for name in names[:5]]
                for row in seven]  # fmt: skip
        ticks = [320, 640, 960, 1280, 1600, 1600, 1600]  # of 16 kHz
        assert said == [
            [str(code), str(int(place >= 4)), "10", str(duration), str(int(place == 0))]
            for place, duration in enumerate(ticks)
        ]
        assert len({row["rtp.timestamp"] for row in seven}) == 1
        assert {row["rtp.p_type"] for row in seven} == {"101"}
    starts = [int(row["rtp.timestamp"]) for row in rows[::7]]
    steps = {(after - before) % 2**32 for before, after in pairwise(starts)}
    assert steps == {3200}  # tone and pause, 200 ms
    assert tshark.complaints(capture) == ""
    stream = stream_from(NEAR, tshark.streams(capture))
    assert (stream.payload, stream.packets, stream.lost) == ("telephone-event", len(rows), 0)


class Heard(NamedTuple):
    """What our port made of a stream, and its jitter after each packet but the first, in ms."""

    statistics: Statistics
    jitter: list[float]


def bad_stream(
    agreed: Agreed, seed: int, *, first: int = 0, loss: float, spread: float, twice: float = 0
) -> Heard:
    """Ten seconds of voice that lose packets and come up to ``spread`` seconds late."""
    chance = random.Random(seed)
    arrivals: list[tuple[int, bytes]] = []
    for number in range(500):
        if number and chance.random() < loss:
            continue
        packet = RtpPacket(WIDE, (first + number) % 2**16, TICKS * number, 7, VOICE)
        for _ in range(1 + (chance.random() < twice)):
            late = chance.random() * spread if number else 0
            arrivals.append((round((2 + number * 0.02 + late) * 1e6), packet.to_bytes()))
    port = MediaPort("sink", random.Random(1))
    port.use(agreed.near, 1.0)
    jitter = []
    for at, datagram in sorted(arrivals):
        agreed.capture.add(at / 1e6, FAR, NEAR, datagram)
        port.receive(datagram, FAR, at / 1e6)
        jitter.append(port.statistics.jitter_ms)
    return Heard(port.statistics, jitter[1:])


@pytest.mark.parametrize(
    ("first", "loss", "spread"),
    [
        (65400, 0.0, 0.0),
        (65400, 0.05, 0.0),
        (65400, 0.0, 0.015),  # late, but in order
        # Some overtake others. Not at the wrap: tshark 4.0 takes each of those for a wrap more
        (1000, 0.05, 0.055),
        (1000, 0.5, 0.1),
    ],
)
def test_loss_and_jitter_of_a_bad_stream(
    tshark: RtpAnalysis, agreed: Agreed, first: int, loss: float, spread: float
) -> None:
    """Both keep to RFC 3550 A.3 and A.8."""
    heard = bad_stream(agreed, 3550, first=first, loss=loss, spread=spread)
    theirs = stream_from(FAR, tshark.streams(agreed.capture.write()))
    assert heard.statistics.packets_received == theirs.packets
    assert heard.statistics.packets_lost == theirs.lost
    assert bool(heard.statistics.packets_lost) == bool(loss)
    assert bool(heard.statistics.out_of_order) == (spread > 0.02)
    assert sum(heard.jitter) / len(heard.jitter) == pytest.approx(theirs.jitter[1], abs=0.002)
    assert max(heard.jitter) == pytest.approx(theirs.jitter[2], abs=0.002)


def test_duplicates_hide_loss_from_tshark_but_not_from_us(
    tshark: RtpAnalysis, agreed: Agreed
) -> None:
    """A.3 subtracts all that came from all that was expected; we know each duplicate."""
    heard = bad_stream(agreed, 1, loss=0.2, spread=0.0, twice=0.1).statistics
    theirs = stream_from(FAR, tshark.streams(agreed.capture.write()))
    assert heard.packets_received == theirs.packets
    assert heard.duplicates > 20
    assert heard.packets_lost == theirs.lost + heard.duplicates


def test_an_echo_is_as_good_as_what_it_echoes(tshark: RtpAnalysis, agreed: Agreed) -> None:
    """tshark sees the echo with no loss of its own and with the jitter of the voice."""
    echo = MediaPort("echo", random.Random(5))
    echo.use(agreed.far, 1.0)
    chance = random.Random(6)
    for number in range(200):
        at = 2 + number * 0.02 + chance.random() * 0.015
        voice = RtpPacket(WIDE, number, TICKS * number, 7, VOICE).to_bytes()
        agreed.capture.add(at, NEAR, FAR, voice)
        echo.receive(voice, NEAR, at)
        for datagram, to in echo.take_outgoing():
            agreed.capture.add(at, FAR, to, datagram)
    capture = agreed.capture.write()
    streams = tshark.streams(capture)
    there, back = stream_from(NEAR, streams), stream_from(FAR, streams)
    assert there.ssrc != back.ssrc
    assert back[2:] == there[2:]
    assert (back.packets, back.lost) == (200, 0)
    assert tshark.complaints(capture) == ""
