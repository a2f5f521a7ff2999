"""The near end of a stream: sink, echo, none; digits between two of them; whom it listens to."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.errors import LocalError
from sipua.media.echo import BURST, RATE
from sipua.media.events import DIGITS
from sipua.media.port import MAX_WAITING, MediaPort
from sipua.media.rtp import RtpPacket, read_rtp
from sipua.sip.codecs import PHONE_CODECS, Codec
from sipua.sip.offer_answer import Stream

NEAR, FAR = ("192.0.2.1", 4000), ("192.0.2.9", 5000)
PCMA = Codec("PCMA", 8000, 8)
EVENTS = Codec("telephone-event", 8000, 102, "0-15")
SIMPLE = (PCMA, EVENTS)


def stream(
    to: tuple[str, int] = FAR,
    direction: str = "sendrecv",
    codecs: tuple[Codec, ...] = SIMPLE,
) -> Stream:
    return Stream(*to, direction, codecs, NEAR[1])


def port(mode: str, agreed: Stream | None = None, seed: int = 1) -> MediaPort:
    made = MediaPort(mode, random.Random(seed))
    made.use(stream() if agreed is None else agreed, 0.0)
    return made


def voice(number: int, payload_type: int = 8, ssrc: int = 7) -> bytes:
    payload = b"voice %d" % number
    return RtpPacket(payload_type, number, 160 * number, ssrc, payload).to_bytes()


def run(ports: dict[tuple[str, int], MediaPort], until: float) -> None:
    """Virtual time: what is sent arrives at once, clocks tick when a port wants it."""
    now = 0.0
    while now <= until:
        for name, each in ports.items():
            each.tick(now)
            for datagram, to in each.take_outgoing():
                if to in ports:
                    ports[to].receive(datagram, name, now)
        wanted = [at for each in ports.values() if (at := each.deadline()) is not None]
        now = min([*wanted, now + 1.0])


def test_a_sink_counts_and_says_nothing() -> None:
    sink = port("sink")
    for number in (1, 2, 4, 4, 3, 6):
        sink.receive(voice(number), FAR, number * 0.02)
    assert sink.take_outgoing() == []
    assert sink.deadline() is None
    seen = sink.statistics
    assert seen == (
        *("sink", "PCMA", 0, 6, 1, seen.jitter_ms, 1, 1, 6 * len(b"voice 1")),
        *(0, 0, 0, 0),
    )


def test_before_anything_came_the_codec_is_the_one_agreed() -> None:
    sink = MediaPort("sink", random.Random(1))
    assert sink.statistics.codec == ""
    sink.use(stream(), 0.0)
    assert sink.statistics.codec == "PCMA"
    sink.use(None, 1.0)
    assert sink.statistics.codec == "PCMA"


def test_everything_that_is_no_voice_has_its_count() -> None:
    sink = port("sink")
    sink.receive(b"", FAR, 0.0)  # keeps a NAT open
    sink.receive(b"\x80\xc8\x00\x06" + bytes(24), FAR, 0.0)  # a sender report
    sink.receive(b"\x00\x01" + bytes(18), FAR, 0.0)  # STUN
    sink.receive(b"\x80\x08", FAR, 0.0)
    sink.receive(RtpPacket(102, 0, 0, 7, b"\x01").to_bytes(), FAR, 0.0)  # half an event
    sink.receive(voice(1, payload_type=13), FAR, 0.0)  # comfort noise was not agreed
    sink.receive(voice(2, payload_type=96), FAR, 0.0)  # EVS is ours, but was not agreed
    seen = sink.statistics
    assert (seen.rtcp, seen.malformed, seen.unknown_payload, seen.packets_received) == (1, 3, 2, 3)


@pytest.mark.parametrize("mode", ["sink", "echo"])
def test_strangers_are_counted_and_not_answered(mode: str) -> None:
    near = port(mode)
    near.receive(voice(1), ("192.0.2.10", 5000), 0.0)
    near.receive(b"junk", ("192.0.2.10", 5000), 0.0)
    assert near.take_outgoing() == []
    assert near.statistics.foreign == 2
    assert near.statistics.packets_received == near.statistics.malformed == 0


def test_a_peer_may_send_from_another_port_but_is_sent_to_the_agreed_one() -> None:
    """RFC 3550 §11."""
    echo = port("echo")
    echo.receive(voice(1), (FAR[0], 6000), 0.0)
    assert [to for _, to in echo.take_outgoing()] == [FAR]


@pytest.mark.parametrize(
    ("agreed", "source"),
    [
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1", "fe80::1%lo"),
    ],
)
def test_one_address_in_two_spellings(agreed: str, source: str) -> None:
    sink = port("sink", stream((agreed, 5000)))
    sink.receive(voice(1), (source, 5000), 0.0)
    assert sink.statistics.packets_received == 1
    sink.receive(voice(1), ("2001:db8::2", 5000), 0.0)
    sink.receive(voice(1), ("no:address", 5000), 0.0)
    assert sink.statistics.foreign == 2


def test_media_before_the_answer_and_after_the_end_is_foreign() -> None:
    sink = MediaPort("sink", random.Random(1))
    sink.receive(voice(1), FAR, 0.0)
    sink.use(stream(), 0.1)
    sink.receive(voice(2), FAR, 0.1)
    sink.use(None, 0.2)
    sink.receive(voice(3), FAR, 0.3)
    assert (sink.statistics.packets_received, sink.statistics.foreign) == (1, 2)


# Echo


def test_an_echo_is_what_came_under_our_own_name() -> None:
    echo = port("echo")
    for number in range(1, 6):
        echo.receive(voice(number), FAR, number * 0.02)
        echo.receive(voice(number), FAR, number * 0.02)  # a duplicate is not sent twice
    sent = [read_rtp(datagram) for datagram, _ in echo.take_outgoing()]
    assert [packet.payload for packet in sent] == [b"voice %d" % number for number in range(1, 6)]
    assert {packet.payload_type for packet in sent} == {8}
    (ssrc,) = {packet.ssrc for packet in sent}
    assert ssrc != 7
    first = sent[0]
    for step, packet in enumerate(sent):
        assert packet.sequence == (first.sequence + step) % 2**16
        assert packet.timestamp == (first.timestamp + 160 * step) % 2**32
    assert echo.statistics.packets_sent == 5


def test_lost_voice_leaves_a_gap_of_time_in_the_echo() -> None:
    echo = port("echo")
    for number in (1, 4, 3):
        echo.receive(voice(number), FAR, number * 0.02)
    first, *rest = [read_rtp(datagram).timestamp for datagram, _ in echo.take_outgoing()]
    assert [(stamp - first) % 2**32 for stamp in rest] == [480, 320]


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
def test_no_echo_while_we_may_not_send(direction: str) -> None:
    echo = port("echo", stream(direction=direction))
    echo.receive(voice(1), FAR, 0.0)
    assert echo.take_outgoing() == []
    assert echo.statistics.packets_received == 1
    with pytest.raises(LocalError, match=direction):
        echo.send_digits("1", 0.0)
    echo.use(stream(), 1.0)  # taken from hold
    echo.receive(voice(2), FAR, 1.0)
    assert len(echo.take_outgoing()) == 1


def test_an_echo_waiting_when_the_stream_ends_is_not_sent() -> None:
    echo = port("echo")
    echo.receive(voice(1), FAR, 0.0)
    echo.use(None, 0.1)
    assert echo.take_outgoing() == []


def test_the_echo_has_the_payload_type_of_the_answer() -> None:
    """We offered AMR-WB as 97 and 98 (octet-aligned); the answer numbers them 110 and 111."""
    plain = next(codec for codec in PHONE_CODECS if codec.payload_type == 97)
    aligned = next(codec for codec in PHONE_CODECS if codec.payload_type == 98)
    agreed = (plain._replace(payload_type=110), aligned._replace(payload_type=111))
    echo = port("echo", stream(codecs=agreed))
    for number, payload_type in enumerate((97, 98, 110, 111, 99)):
        echo.receive(voice(number, payload_type), FAR, 0.0)
    sent = [read_rtp(datagram).payload_type for datagram, _ in echo.take_outgoing()]
    assert sent == [110, 111, 110, 111]
    assert echo.statistics.unknown_payload == 1


def test_digits_are_not_echoed() -> None:
    echo = port("echo")
    echo.receive(RtpPacket(102, 1, 0, 7, b"\x05\x8a\x03\x20", marker=True).to_bytes(), FAR, 0.0)
    assert echo.take_outgoing() == []
    assert echo.take_digits() == [("5", 100.0)]


def test_what_we_sent_ourselves_is_no_voice_to_echo() -> None:
    """RFC 3550 §8.2: a reflector would make the loop."""
    echo = port("echo")
    echo.receive(voice(1), FAR, 0.0)
    (mine, _), *_ = echo.take_outgoing()
    echo.receive(mine, FAR, 0.02)
    assert echo.take_outgoing() == []


def test_two_echoes_do_not_hand_a_packet_to_and_fro_for_ever() -> None:
    """One out for one in, and never faster than a voice: on a fast network the loop dies."""
    ends = {NEAR: port("echo", stream(FAR), seed=1), FAR: port("echo", stream(NEAR), seed=2)}
    ends[NEAR].receive(voice(1), FAR, 0.0)
    now, rounds, moving = 0.0, 0, True
    while moving:
        moving = False
        now += 0.0001  # seconds between two machines of one network
        rounds += 1
        for name, each in ends.items():
            outgoing = each.take_outgoing()
            assert len(outgoing) <= 1
            for datagram, to in outgoing:
                ends[to].receive(datagram, name, now)
                moving = True
        assert rounds < 10 * BURST
    # and a voice is echoed again right away
    ends[NEAR].receive(voice(2, ssrc=99), FAR, now + 10 / RATE)
    assert len(ends[NEAR].take_outgoing()) == 1


def test_a_voice_held_back_by_the_network_is_echoed_whole() -> None:
    echo = port("echo")
    for number in range(100):  # two seconds at once
        echo.receive(voice(number), FAR, 5.0)
    assert len(echo.take_outgoing()) == 100


def test_what_nobody_takes_is_bounded() -> None:
    echo = port("echo")
    for number in range(4 * MAX_WAITING):
        echo.receive(voice(number), FAR, number * 0.02)
    assert len(echo.take_outgoing()) == MAX_WAITING


# None


def test_none_does_nothing() -> None:
    nothing = port("none")
    nothing.receive(voice(1), FAR, 0.0)
    nothing.tick(1.0)
    assert nothing.take_outgoing() == []
    assert nothing.take_digits() == []
    assert nothing.statistics.packets_received == nothing.statistics.foreign == 0
    with pytest.raises(LocalError, match="no voice stream"):
        nothing.send_digits("1", 1.0)


def test_no_other_mode() -> None:
    with pytest.raises(LocalError, match="sink, echo, none"):
        MediaPort("loud", random.Random(1))


# Digits


@pytest.mark.parametrize("mode", ["sink", "echo"])
@pytest.mark.parametrize("codecs", [SIMPLE, PHONE_CODECS])
def test_digits_from_one_to_the_other(mode: str, codecs: tuple[Codec, ...]) -> None:
    """At 8 kHz and, with AMR-WB first, at 16 kHz."""
    near, far = port(mode, stream(FAR, codecs=codecs)), port("echo", stream(NEAR, codecs=codecs))
    near.send_digits(DIGITS, 0.0)
    assert near.is_sending_digits
    run({NEAR: near, FAR: far}, until=10.0)
    assert not near.is_sending_digits
    assert far.take_digits() == [(digit, 100.0) for digit in DIGITS]
    assert far.take_digits() == []
    assert near.statistics.packets_sent == far.statistics.packets_received == 7 * len(DIGITS)
    assert far.statistics.packets_lost == 0
    assert far.statistics.packets_sent == 0


def test_digits_share_sequence_and_clock_with_the_voice() -> None:
    """RFC 4733 §2.5.1.2. The echo is silent meanwhile."""
    echo = port("echo")
    for number in range(10):
        echo.receive(voice(number), FAR, number * 0.02)
    echo.send_digits("5", 0.2)
    while echo.is_sending_digits:
        at = echo.deadline()
        assert at is not None
        echo.tick(at)
        echo.receive(voice(round(at / 0.02)), FAR, at)
    echo.receive(voice(17), FAR, 0.36)
    sent = [read_rtp(datagram) for datagram, _ in echo.take_outgoing()]
    first = sent[0]
    assert [(packet.sequence - first.sequence) % 2**16 for packet in sent] == list(range(len(sent)))
    assert len({packet.ssrc for packet in sent}) == 1
    assert {(each.timestamp - first.timestamp) % 2**32 for each in sent[10:17]} == {1600}
    assert [each.payload_type for each in sent[10:]] == [102] * 7 + [8] * (len(sent) - 17)
    assert (sent[-1].timestamp - first.timestamp) % 2**32 == 17 * 160


def test_the_pause_before_the_first_digit_is_in_the_timestamps() -> None:
    near = port("sink")
    near.send_digits("1", 0.0)
    run({NEAR: near}, until=1.0)
    near.send_digits("2", 5.0)
    near.tick(5.02)
    ((first, _),) = near.take_outgoing()
    near.use(None, 5.03)
    assert near.take_outgoing() == []
    assert near.deadline() is None
    assert not near.is_sending_digits
    start = random.Random(1)
    ssrc, sequence, timestamp = (start.getrandbits(bits) for bits in (32, 16, 32))
    packet = read_rtp(first)
    assert packet.ssrc == ssrc
    assert packet.sequence == (sequence + 7) % 2**16
    assert (packet.timestamp - timestamp) % 2**32 == 5 * 8000


@pytest.mark.parametrize(
    ("codecs", "digits", "said"),
    [
        ((PCMA,), "1", "INFO"),
        ((PCMA, EVENTS._replace(parameters="0-11")), "12A", "digit A"),
        (SIMPLE, "12x", "'x'"),
    ],
)
def test_digits_that_cannot_be_said(codecs: tuple[Codec, ...], digits: str, said: str) -> None:
    near = port("sink", stream(codecs=codecs))
    with pytest.raises(LocalError, match=said):
        near.send_digits(digits, 0.0)
    assert not near.is_sending_digits


def test_events_without_parameters_are_the_digits() -> None:
    """RFC 4733 §2.5.1.1."""
    near = port("sink", stream(codecs=(PCMA, EVENTS._replace(parameters=""))))
    near.send_digits("1D", 0.0)
    assert near.is_sending_digits


@pytest.mark.parametrize(
    "changed",
    [
        None,
        stream(direction="recvonly"),
        stream(codecs=(PCMA,)),
        stream(codecs=(Codec("AMR-WB", 16000, 97), EVENTS._replace(rate=16000))),
    ],
)
def test_digits_that_can_be_said_no_longer_are_dropped(changed: Stream | None) -> None:
    near = port("sink")
    near.send_digits("12345", 0.0)
    near.tick(0.02)
    near.use(changed, 0.03)
    assert not near.is_sending_digits
    near.tick(10.0)
    assert [to for _, to in near.take_outgoing() if changed is None or not changed.sends] == []


def test_digits_go_on_across_a_refreshed_session_and_to_a_new_address() -> None:
    near, moved = port("sink"), ("192.0.2.77", 7000)
    near.send_digits("12", 0.0)
    near.tick(0.02)
    near.use(stream(), 0.03)
    near.use(stream(moved), 0.035)
    run({NEAR: near, moved: (far := port("sink", stream(NEAR)))}, until=5.0)
    assert [digit for digit, _ in far.take_digits()] == ["1", "2"]


def test_a_digit_whose_end_is_lost_is_heard_when_the_stream_ends() -> None:
    sink = port("sink")
    sink.receive(RtpPacket(102, 1, 0, 7, b"\x05\x0a\x01\x40", marker=True).to_bytes(), FAR, 0.0)
    assert sink.take_digits() == []
    assert sink.deadline() is not None
    sink.use(None, 0.1)
    assert sink.take_digits() == [("5", 40.0)]


@given(
    st.sampled_from(["sink", "echo", "none"]),
    st.lists(
        st.tuples(
            st.binary(max_size=48),
            st.sampled_from([b"", b"\x80\x08", b"\x80\x66", b"\xb0\x88", b"\x80\xc9"]),
            st.sampled_from([FAR, NEAR, ("::1", 1)]),
        ),
        max_size=30,
    ),
)
def test_whatever_arrives_nothing_breaks(
    mode: str, arrivals: list[tuple[bytes, bytes, tuple[str, int]]]
) -> None:
    near = port(mode)
    for place, (octets, head, source) in enumerate(arrivals):
        near.receive(head + octets, source, place * 0.02)
    assert len(near.take_outgoing()) <= len(arrivals)
    seen = near.statistics
    counted = seen.packets_received + seen.foreign + seen.rtcp + seen.malformed
    assert counted >= len([1 for octets, head, _ in arrivals if head + octets]) or mode == "none"
    near.tick(1e9)
    assert near.deadline() is None
