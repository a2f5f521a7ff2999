"""What is counted of a stream: loss, order, duplicates, jitter, sources."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.media.reception import MAX_DROPOUT, MAX_MISORDER, MAX_SOURCES, Reception
from sipua.media.rtp import RtpPacket
from sipua.sip.codecs import Codec

PCMA = Codec("PCMA", 8000, 8)
WIDE = Codec("AMR-WB", 16000, 97)
EVENTS = Codec("telephone-event", 8000, 102)


def packet(number: int, ssrc: int = 7, timestamp: int | None = None) -> RtpPacket:
    stamp = 160 * number if timestamp is None else timestamp
    return RtpPacket(8, number % 2**16, stamp % 2**32, ssrc, bytes(160))


def counted(*numbers: int, ssrc: int = 7) -> Reception:
    """Packets with these sequence numbers, one every 20 ms."""
    reception = Reception()
    for place, number in enumerate(numbers):
        reception.count(packet(number, ssrc), PCMA, place * 0.02)
    return reception


def summary(reception: Reception) -> tuple[int, int, int, int]:
    return reception.packets, reception.lost, reception.duplicates, reception.out_of_order


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((), (0, 0, 0, 0)),
        ((5,), (1, 0, 0, 0)),  # no probation: a call of one packet has one
        ((1, 2, 3), (3, 0, 0, 0)),
        ((1, 3), (2, 1, 0, 0)),
        ((1, 1), (2, 0, 1, 0)),
        ((1, 3, 2), (3, 0, 0, 1)),
        ((1, 3, 2, 2, 3), (5, 0, 2, 1)),
        ((1, 4, 4, 4), (4, 2, 2, 0)),  # duplicates hide no loss
        ((2, 1, 3), (3, 0, 0, 1)),  # the first one overtook another
        ((65534, 65535, 0, 1), (4, 0, 0, 0)),
        ((65534, 1), (2, 2, 0, 0)),
        ((65535, 1, 0), (3, 0, 0, 1)),
        ((0, 65535, 1), (3, 0, 0, 1)),
        ((0, MAX_DROPOUT - 1), (2, MAX_DROPOUT - 2, 0, 0)),
        ((0, MAX_DROPOUT), (2, 0, 0, 0)),
        ((0, 40000, 1), (3, 0, 0, 0)),  # a stray: came, but tells nothing of loss
        ((0, 2, 40000, 40001, 40003), (5, 2, 0, 0)),  # a restart; the loss before it is kept
        ((0, 200, 200 - MAX_MISORDER + 1), (3, 198, 0, 1)),
        ((0, 200, 200 - MAX_MISORDER), (3, 199, 0, 0)),
    ],
)
def test_sequences(numbers: tuple[int, ...], expected: tuple[int, int, int, int]) -> None:
    assert summary(counted(*numbers)) == expected


@given(
    st.integers(0, 2**16 - 1),
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 98)), min_size=1, max_size=60),
)
def test_any_stream_in_any_order(start: int, steps: list[tuple[int, int]]) -> None:
    """Gaps ahead and steps back within the limits; loss is what is missing between the ends."""
    highest, numbers = start + 2**16, []
    for ahead, back in steps:
        highest += ahead
        numbers += [highest, highest - back]
    reception = counted(*numbers)
    distinct = set(numbers)
    assert reception.packets == len(numbers)
    assert reception.duplicates == len(numbers) - len(distinct)
    assert reception.lost == max(numbers) - min(numbers) + 1 - len(distinct)


def test_a_stream_of_several_wraps() -> None:
    reception = counted(*[number for number in range(60000, 60000 + 3 * 2**16) if number % 10])
    assert summary(reception)[1:] == (3 * 2**16 // 10, 0, 0)


def test_a_new_source_is_counted_anew_and_the_totals_go_on() -> None:
    reception = counted(1, 3)
    for number in (50000, 50002, 50003):
        reception.count(packet(number, ssrc=8), PCMA, 1.0)
    assert summary(reception) == (5, 2, 0, 0)
    reception.count(packet(2, ssrc=7), PCMA, 1.1)  # a late one of the first source
    assert summary(reception) == (6, 1, 0, 1)


def test_sources_without_end_take_no_memory() -> None:
    reception = Reception()
    for ssrc in range(10 * MAX_SOURCES):
        for number in (0, 2):
            reception.count(packet(number, ssrc), PCMA, ssrc * 0.02)
    assert summary(reception) == (20 * MAX_SOURCES, 10 * MAX_SOURCES, 0, 0)
    assert len(reception._sources) == MAX_SOURCES


def test_the_sources_least_heard_are_forgotten_first() -> None:
    """The voice is still known although strangers keep coming."""
    reception = Reception()
    for number in range(100):
        reception.count(packet(number, ssrc=7), PCMA, number * 0.02)
        reception.count(packet(number, ssrc=1000 + number), PCMA, number * 0.02)
    reception.count(packet(99, ssrc=7), PCMA, 3.0)
    assert summary(reception) == (201, 0, 1, 0)


def test_octets_are_those_of_the_payload() -> None:
    assert counted(1, 2, 2).octets == 3 * 160


# RFC 3550 A.8 by hand: each step moves the jitter by a sixteenth of the way


def test_jitter_by_hand() -> None:
    reception = Reception()
    for number, late, expected in [
        (0, 0.000, 0.0),
        (1, 0.000, 0.0),
        (2, 0.016, 0.001),  # 16 ms late: 16/16
        (3, 0.016, 0.001 - 0.001 / 16),  # as late as the one before
        (4, 0.000, 0.0009375 + (0.016 - 0.0009375) / 16),  # 16 ms less late
    ]:
        reception.count(packet(number), PCMA, 100 + number * 0.02 + late)
        assert reception.jitter == pytest.approx(expected)


def test_jitter_across_the_wrap_of_timestamps_and_with_silence() -> None:
    reception = Reception()
    for number, stamp, at in [
        (1, 2**32 - 160, 0.00),
        (2, 0, 0.02),
        (3, 8000, 1.02),  # a second of silence was not sent
    ]:
        reception.count(packet(number, timestamp=stamp), PCMA, at)
    assert reception.jitter == pytest.approx(0.0)


def test_jitter_counts_in_the_clock_of_each_codec() -> None:
    """Another rate begins anew, as its timestamps cannot be compared."""
    reception = Reception()
    for number, codec, at in [(0, PCMA, 0.0), (1, PCMA, 0.02), (2, WIDE, 0.04), (3, WIDE, 0.05)]:
        reception.count(packet(number), codec, at)
    assert reception.jitter == pytest.approx(0.0)  # 160 units of 16 kHz are 10 ms


def test_events_and_unknown_formats_are_no_jitter() -> None:
    reception = Reception()
    reception.count(packet(0), PCMA, 0.0)
    for number in range(1, 20):
        reception.count(packet(number, timestamp=160), EVENTS, number * 0.02)
    reception.count(packet(20, timestamp=5), None, 0.4)
    reception.count(packet(21), PCMA, 0.42)
    assert reception.jitter == pytest.approx(0.0)
    assert reception.unknown_payload == 1
    assert reception.codec == PCMA


def test_a_restart_is_no_jitter() -> None:
    """The peer begins anew with other sequence numbers and another clock, and the same SSRC."""
    reception = Reception()
    for place, (number, stamp) in enumerate(
        [(1, 160), (2, 320), (40000, 777777), (40001, 777937), (40002, 778097)]
    ):
        reception.count(packet(number, timestamp=stamp), PCMA, place * 0.02)
    assert reception.jitter == pytest.approx(0.0)


def test_the_jitter_told_is_that_of_the_longest_source() -> None:
    reception = Reception()
    for number in range(50):
        reception.count(packet(number), PCMA, number * 0.02 + number % 2 * 0.01)
    told = reception.jitter
    assert told > 0.005
    for stranger in range(3 * MAX_SOURCES):
        reception.count(packet(0, ssrc=stranger + 100), PCMA, 1 + stranger)
    assert reception.jitter == told


def test_a_duplicate_is_no_jitter() -> None:
    reception = Reception()
    for number, at in pairwise([0.0, 0.02, 0.04]):
        reception.count(packet(round(number / 0.02)), PCMA, number)
        reception.count(packet(round(number / 0.02)), PCMA, at - 0.001)
    assert reception.jitter == pytest.approx(0.0)
