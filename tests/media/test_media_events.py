"""Telephone events: RFC 4733's own examples, the schedule of digits, and digits heard once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.errors import LocalError, ParseError
from sipua.media.events import (
    DIGITS,
    MAX_DURATION,
    MAX_HEARD,
    MAX_REPORTS,
    PACKET_TIME,
    SILENCE,
    DigitReceiver,
    DigitSender,
    EventReport,
    event_of,
    plan,
    read_reports,
)
from sipua.media.rtp import RtpPacket, read_rtp

RATE = 8000


def test_the_octets_of_figure_3() -> None:
    """RFC 4733 figure 3: event 1, E, volume 20, duration 1760."""
    octets = bytes.fromhex("01 94 06e0")
    report = EventReport(1, True, 20, 1760)
    assert report.to_bytes() == octets
    assert read_reports(octets) == [report]


@pytest.mark.parametrize(
    ("octets", "reports"),
    [
        ("0b 0a 0140", [EventReport(11, False, 10, 320)]),
        ("0b 4a 0140", [EventReport(11, False, 10, 320)]),  # the R bit is ignored (§2.3.3)
        ("0b ff ffff", [EventReport(11, True, 63, 0xFFFF)]),
        # two in one packet (§2.5.1.5), and octets too many
        (
            "01 8a 0320 02 0a 00a0 00",
            [EventReport(1, True, 10, 800), EventReport(2, False, 10, 160)],
        ),
    ],
)
def test_reading(octets: str, reports: list[EventReport]) -> None:
    assert read_reports(bytes.fromhex(octets)) == reports


@given(st.binary(max_size=40))
def test_any_octets_are_events_or_refused(octets: bytes) -> None:
    if len(octets) < 4:
        with pytest.raises(ParseError):
            read_reports(octets)
    else:
        assert len(read_reports(octets)) == len(octets) // 4


def test_the_codes_of_the_digits() -> None:
    """RFC 4733 §3.2, table 3."""
    codes = {"0": 0, "9": 9, "*": 10, "#": 11, "A": 12, "B": 13, "C": 14, "D": 15, "d": 15}
    assert {digit: event_of(digit) for digit in codes} == codes


@pytest.mark.parametrize("digit", ["E", "", "12", "-", "٣"])
def test_what_no_telephone_has(digit: str) -> None:
    with pytest.raises(LocalError):
        event_of(digit)


# RFC 4733 §5, table 5: "911" at 8000 Hz, a packet every 50 ms. Each row: ms since the event
# began, marker, duration, E. The table leaves the E bit of the first two events to the first
# repetition, ours has it at once; §2.5.1.4 allows both.
TABLE_5 = {
    (9, 0.200): """
         50 M  400 -
        100 -  800 -
        150 - 1200 -
        200 - 1600 E
        250 - 1600 E
        300 - 1600 E""",
    (1, 0.250): """
         50 M  400 -
        100 -  800 -
        150 - 1200 -
        200 - 1600 -
        250 - 2000 E
        300 - 2000 E
        350 - 2000 E""",
    (1, 0.220): """
         50 M  400 -
        100 -  800 -
        150 - 1200 -
        200 - 1600 -
        250 - 1760 E
        300 - 1760 E
        350 - 1760 E""",
}


@pytest.mark.parametrize(("event", "tone"), TABLE_5)
def test_table_5(event: int, tone: float) -> None:
    planned = plan(event, RATE, tone, packet_time=0.05, volume=0)
    rows = [
        [
            str(round(each.after * 1000)),
            "M" if each.marker else "-",
            str(each.report.duration),
            "E" if each.report.end else "-",
        ]
        for each in planned
    ]
    assert rows == [row.split() for row in TABLE_5[event, tone].strip().splitlines()]
    assert {each.report.event for each in planned} == {event}


def test_a_tone_shorter_than_a_packet() -> None:
    planned = plan(5, RATE, 0.01)
    assert [(each.marker, each.report.end, each.report.duration) for each in planned] == [
        (True, True, 80),
        (False, True, 80),
        (False, True, 80),
    ]


@pytest.mark.parametrize("tone", [0.0, -1.0, 8.2])
def test_a_tone_that_one_segment_cannot_hold(tone: float) -> None:
    with pytest.raises(LocalError):
        plan(5, RATE, tone)


class Sent:
    """What a sender had leave, in virtual time."""

    def __init__(self, sender: DigitSender) -> None:
        self.packets: list[RtpPacket] = []
        self.times: list[float] = []
        while (at := sender.deadline()) is not None:
            due = sender.due(at)
            assert due is not None
            assert sender.due(at) is None
            self.times.append(at)
            self.packets.append(
                RtpPacket(
                    101,
                    len(self.packets),
                    round(due.began * RATE),
                    7,
                    due.report.to_bytes(),
                    marker=due.marker,
                )
            )


def test_digits_one_after_the_other() -> None:
    sender = DigitSender(tone=0.1, pause=0.1)
    sender.add("1#", RATE, 10.0)
    assert sender.is_busy
    assert sender.due(10.0) is None  # the first report tells of the first 20 ms
    sent = Sent(sender)
    assert not sender.is_busy
    assert [round(at * 1000) for at in sent.times] == [
        *(10020, 10040, 10060, 10080, 10100, 10120, 10140),
        *(10220, 10240, 10260, 10280, 10300, 10320, 10340),
    ]
    assert [packet.timestamp for packet in sent.packets] == [80000] * 7 + [81600] * 7
    assert [packet.marker for packet in sent.packets] == ([True] + [False] * 6) * 2
    reports = [read_reports(packet.payload)[0] for packet in sent.packets]
    assert [report.event for report in reports] == [1] * 7 + [11] * 7
    assert [report.duration for report in reports] == [160, 320, 480, 640, 800, 800, 800] * 2
    assert [report.end for report in reports] == ([False] * 4 + [True] * 3) * 2


def test_digits_added_later_keep_the_pause() -> None:
    sender = DigitSender(tone=0.1, pause=0.1)
    sender.add("1", RATE, 0.0)
    last = Sent(sender).times[-1]
    sender.add("2", RATE, last)
    assert sender.deadline() == pytest.approx(0.2 + PACKET_TIME)
    sender.clear()
    assert sender.deadline() is None
    sender.add("3", RATE, 9.0)
    assert sender.deadline() == pytest.approx(9.0 + PACKET_TIME)


def test_a_clock_that_stood_still_sends_no_burst() -> None:
    """After a pause of the process, reports go on at their distance."""
    sender = DigitSender(tone=0.1, pause=0.1)
    sender.add("12", RATE, 0.0)
    assert sender.due(5.0) is not None
    assert sender.due(5.0) is None
    assert sender.deadline() == pytest.approx(5.02)
    receiver = DigitReceiver()
    for packet, at in zip((rest := Sent(sender)).packets, rest.times, strict=True):
        receiver.take(packet, RATE, at)
    assert [digit for digit, _ in receiver.take_digits()] == ["1", "2"]


# What is heard


def packets_of(digits: str, tone: float = 0.1) -> list[RtpPacket]:
    sender = DigitSender(tone=tone)
    sender.add(digits, RATE, 100.0)
    return Sent(sender).packets


def heard(packets: list[RtpPacket]) -> list[tuple[str, float]]:
    """The digits of these packets, 20 ms apart, and of the silence after them."""
    receiver = DigitReceiver()
    for place, packet in enumerate(packets):
        receiver.take(packet, RATE, place * PACKET_TIME)
    receiver.tick(len(packets) * PACKET_TIME + SILENCE)
    return receiver.take_digits()


def test_every_digit_is_heard_once() -> None:
    assert heard(packets_of(DIGITS + "11")) == [(digit, 100.0) for digit in DIGITS + "11"]


@given(st.text(DIGITS, min_size=1, max_size=6), st.data())
def test_lost_repeated_and_overtaken(digits: str, data: st.DataObject) -> None:
    """Any one packet of each digit is enough; all may come twice and three places late."""
    kept: list[RtpPacket] = []
    packets = packets_of(digits)
    for number in range(len(digits)):
        kept += data.draw(
            st.lists(st.sampled_from(packets[7 * number : 7 * number + 7]), min_size=1, max_size=9)
        )
    kept.sort(key=lambda packet: packet.sequence)
    late = data.draw(st.lists(st.integers(0, 3), min_size=len(kept), max_size=len(kept)))
    order = sorted(range(len(kept)), key=lambda place: place + late[place])
    got = heard([kept[place] for place in order])
    # Two of which one packet each was left may have overtaken each other
    assert sorted(digit for digit, _ in got) == sorted(digits)
    assert all(0 < duration <= 100.0 for _, duration in got)


@given(st.text(DIGITS, min_size=1, max_size=6), st.data())
def test_loss_alone_changes_no_order(digits: str, data: st.DataObject) -> None:
    """One end report of three is left, whatever of the others: digit and duration are exact."""
    packets = packets_of(digits)
    kept: list[RtpPacket] = []
    for number in range(len(digits)):
        needed = 7 * number + data.draw(st.integers(4, 6))
        kept += [
            packet
            for packet in packets[7 * number : 7 * number + 7]
            if packet.sequence == needed or data.draw(st.booleans())
        ]
    assert heard(kept) == [(digit, 100.0) for digit in digits]


def test_without_any_end_a_digit_ends_with_the_next_or_with_silence() -> None:
    receiver = DigitReceiver()
    without_ends = [
        packet for packet in packets_of("45") if not read_reports(packet.payload)[0].end
    ]
    for place, packet in enumerate(without_ends):
        receiver.take(packet, RATE, place * PACKET_TIME)
    assert receiver.take_digits() == [("4", 80.0)]
    over = (len(without_ends) - 1) * PACKET_TIME + SILENCE
    assert receiver.deadline() == pytest.approx(over)
    receiver.tick(over - 0.001)
    assert receiver.take_digits() == []
    receiver.tick(over + 0.001)
    assert receiver.take_digits() == [("5", 80.0)]
    assert receiver.deadline() is None


def test_a_report_after_the_end_is_ignored() -> None:
    """RFC 4733 §2.5.2.2: reports of an event already played out."""
    packets = packets_of("7")
    assert heard([packets[-1], *packets]) == [("7", 100.0)]


def test_an_end_overtaken_by_the_next_digit_keeps_the_order() -> None:
    packets = packets_of("78")
    assert heard([packets[7], packets[6], *packets[8:]]) == [("7", 100.0), ("8", 100.0)]


def test_a_new_source_is_not_taken_for_the_old_one() -> None:
    packets = packets_of("7")
    other = [packet._replace(ssrc=8) for packet in packets]
    assert heard([*packets[:4], *other, *packets[4:]]) == [("7", 80.0), ("7", 100.0)]


def test_a_long_event_is_one() -> None:
    """RFC 4733 §2.5.2.3: segments of 0xFFFF units, the last report's duration on top."""

    def report(timestamp: int, duration: int, *, end: bool = False, marker: bool) -> RtpPacket:
        payload = EventReport(5, end, 10, duration).to_bytes()
        return RtpPacket(101, 0, timestamp % 2**32, 7, payload, marker)

    start = 2**32 - 100
    first = report(start, 160, marker=True)
    full = report(start, MAX_DURATION, marker=False)
    second = report(start + MAX_DURATION, 8000, marker=False)
    third = report(start + 2 * MAX_DURATION, 465, end=True, marker=False)
    total = (2 * MAX_DURATION + 465) / 8
    assert heard([first, full, second, third, third]) == [("5", total)]
    assert heard([first, second, full, third]) == [("5", total)]
    again = report(start + MAX_DURATION, 8000, marker=True)  # pressed anew just then
    assert heard([first, full, again]) == [("5", MAX_DURATION / 8), ("5", 1000.0)]


def test_events_packed_together() -> None:
    """RFC 4733 §2.5.1.5: contiguous events in one packet."""
    payload = EventReport(1, True, 0, 800).to_bytes() + EventReport(2, True, 0, 400).to_bytes()
    packet = RtpPacket(101, 0, 1000, 7, payload, marker=True)
    late = RtpPacket(101, 1, 1800, 7, EventReport(2, True, 0, 400).to_bytes())
    assert heard([packet, packet, late]) == [("1", 100.0), ("2", 50.0)]


@pytest.mark.parametrize(
    "report",
    [
        EventReport(5, False, 10, 0),  # §2.3.5: no state lasts for ever here
        EventReport(16, True, 10, 800),  # the hook flash is no digit
        EventReport(255, True, 10, 800),
    ],
)
def test_what_is_no_digit(report: EventReport) -> None:
    assert heard([RtpPacket(101, 0, 1000, 7, report.to_bytes(), marker=True)]) == []


def test_digits_without_end_take_no_memory() -> None:
    receiver = DigitReceiver()
    payload = EventReport(5, True, 10, 1).to_bytes() * 16000
    for number in range(MAX_HEARD):
        receiver.take(RtpPacket(101, 0, number * 20000, 7, payload), RATE, 0.0)
    assert len(read_reports(payload)) == MAX_REPORTS
    assert len(receiver.take_digits()) == MAX_HEARD


@given(st.lists(st.binary(min_size=12, max_size=60), max_size=20))
def test_any_packets_are_heard_without_harm(datagrams: list[bytes]) -> None:
    receiver = DigitReceiver()
    for place, octets in enumerate(datagrams):
        datagram = b"\x80\x65" + octets[2:]
        try:
            receiver.take(read_rtp(datagram), RATE, place * 0.02)
        except ParseError:
            assert len(datagram) < 16
    receiver.tick(1e6)
    assert receiver.deadline() is None
    assert all(digit in DIGITS for digit, _ in receiver.take_digits())
