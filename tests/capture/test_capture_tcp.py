"""TCP in captures: cut anywhere, in any order, repeated, overlapping, with parts missing."""

from __future__ import annotations

import io
import random

import pytest

from capture.frames_by_hand import ipv4, pcap, sip, tcp
from sipua.capture import streams
from sipua.capture import tcp as machine
from sipua.capture.captured import CapturedMessage, CaptureRemark
from sipua.capture.reader import contents

SYN, ACK, RST = 2, 16, 4
LAST = 2**32 - 1

Part = tuple[int, bytes]


def parts(data: bytes, size: int, begin: int = 1) -> list[Part]:
    return [(begin + at, data[at : at + size]) for at in range(0, len(data), size)]


def carried(*packets: bytes) -> tuple[list[bytes], list[str]]:
    """Messages and remarks of a capture of these TCP segments, which go one way."""
    return both([ipv4(each, 6) for each in packets])


def both(packets: list[bytes]) -> tuple[list[bytes], list[str]]:
    messages, remarks = [], []
    for each in contents(io.BytesIO(pcap(packets))):
        if isinstance(each, CapturedMessage):
            messages.append(each.data)
        else:
            assert isinstance(each, CaptureRemark)
            remarks.append(each.text)
    return messages, remarks


def segments(some: list[Part]) -> list[bytes]:
    return [tcp(data, sequence) for sequence, data in some]


THREE = [sip(1), sip(2, 300), sip(3)]
STREAM = b"".join(THREE)


@pytest.mark.parametrize("size", [1, 2, 7, 100, len(STREAM)])
@pytest.mark.parametrize("begin", [1, LAST - 200, LAST])
def test_cut_anywhere(size: int, begin: int) -> None:
    opened = tcp(b"", begin - 1, flags=SYN)
    assert carried(opened, *segments(parts(STREAM, size, begin))) == (THREE, [])


def test_a_connection_whose_beginning_was_not_captured() -> None:
    tail = sip(0, 50)[200:]
    assert carried(*segments(parts(tail + STREAM, 90)))[0] == THREE


@pytest.mark.parametrize("seed", range(30))
def test_any_order_with_repetitions_and_overlaps(seed: int) -> None:
    rng = random.Random(seed)
    pieces = parts(STREAM, rng.randrange(20, 200), LAST - 100)
    for at, data in list(pieces):
        if rng.random() < 0.3:
            back, on = rng.randrange(40), rng.randrange(40)
            first = max(0, at - (LAST - 100) - back)
            pieces.append((LAST - 100 + first, STREAM[first : first + len(data) + on]))
    rng.shuffle(pieces)
    opened = tcp(b"", LAST - 101, flags=SYN)
    assert carried(opened, *segments(pieces)) == (THREE, [])


def test_a_message_has_the_time_at_which_it_was_whole() -> None:
    late, early = tcp(STREAM[:10], 1), tcp(STREAM[10:], 11)
    packets = [ipv4(each, 6) for each in (tcp(b"", 0, flags=SYN), early, late)]
    found = list(contents(io.BytesIO(pcap(packets))))
    assert {(each.at, each.packet) for each in found} == {(1002.5, 3)}


def test_what_is_missing_costs_one_message_and_is_told() -> None:
    whole = parts(STREAM + STREAM, 50)
    missing = whole.pop(len(THREE[0]) // 50 + 2)  # in the second message
    messages, remarks = carried(tcp(b"", 0, flags=SYN), *segments(whole))
    assert messages == [THREE[0], THREE[2], *THREE]
    assert len(remarks) == 1
    assert remarks[0].startswith(f"{len(missing[1])} octets from 192.0.2.1 port 40000")


def test_what_the_receiver_has_acknowledged_is_not_waited_for() -> None:
    whole = parts(STREAM, 60)
    del whole[0]
    packets = [ipv4(each, 6) for each in (tcp(b"", 0, flags=SYN), *segments(whole))]
    seen = tcp(b"", 1, near=5060, far=40000, flags=ACK, acknowledged=1 + len(STREAM))
    packets.append(ipv4(seen, 6, source="192.0.2.2", destination="192.0.2.1"))
    found = [each for each in contents(io.BytesIO(pcap(packets))) if each.packet]
    assert [each.data for each in found if isinstance(each, CapturedMessage)] == THREE[1:]


def test_a_port_used_again() -> None:
    first = [tcp(b"", 0, flags=SYN), *segments(parts(sip(1) + sip(2)[:30], 70))]
    second = [tcp(b"", 5000, flags=SYN), *segments(parts(sip(3), 70, 5001))]
    assert carried(*first, *second)[0] == [sip(1), sip(3)]


def test_a_syn_said_again_changes_nothing() -> None:
    pieces = segments(parts(STREAM, 100))
    again = tcp(b"", 0, flags=SYN)
    assert carried(again, again, *pieces[:3], again, *pieces[3:])[0] == THREE


def test_a_reset_gives_what_waited() -> None:
    whole = parts(STREAM, 80)
    del whole[0]
    packets = [tcp(b"", 0, flags=SYN), *segments(whole), tcp(b"", 1, flags=RST)]
    assert carried(*packets)[0] == THREE[1:]


def test_both_directions_at_once() -> None:
    packets = []
    for forth, back in zip(parts(STREAM, 90), parts(STREAM[::1], 90, 777), strict=True):
        packets.append(ipv4(tcp(forth[1], forth[0]), 6))
        answer = tcp(back[1], back[0], near=5060, far=40000)
        packets.append(ipv4(answer, 6, source="192.0.2.2", destination="192.0.2.1"))
    assert both(packets)[0] == [each for each in THREE for _ in range(2)]


def test_what_is_not_sip_goes_by_unseen() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    binary = bytes(range(256)) * 300
    stream = page + binary + page
    opened = tcp(b"", 0, flags=SYN)
    assert carried(opened, *segments(parts(stream, 1400))) == ([], [])


def test_sip_behind_what_is_not_sip() -> None:
    stream = bytes(range(256)) * 300
    pieces = [*parts(stream, 1400), *parts(STREAM, 1400, 1 + len(stream))]
    assert carried(tcp(b"", 0, flags=SYN), *segments(pieces))[0] == THREE


def test_keep_alives_between_messages() -> None:
    stream = b"\r\n\r\n" + sip(1) + b"\r\n\r\n\r\n" + sip(2) + b"\r\n"
    assert carried(tcp(b"", 0, flags=SYN), *segments(parts(stream, 33)))[0] == [sip(1), sip(2)]


def test_a_message_without_content_length_is_shown_as_far_as_it_can_be_told() -> None:
    message = sip(1).replace(b"Content-Length: 0\r\n", b"")
    assert carried(tcp(b"", 0, flags=SYN), tcp(message, 1))[0] == [message]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_HELD", 10_000)
    monkeypatch.setattr(streams, "MAX_CONNECTIONS", 20)
    table = streams.SipConnections()
    rng = random.Random(1)
    for number in range(3000):
        segment = tcp(bytes(700), rng.randrange(2**32), near=rng.randrange(1, 60))
        for _ in table.take("192.0.2.1", "192.0.2.2", segment, 0.0, number, ""):
            pass
        assert table.held <= 10_000
        assert len(table) <= 20


def test_one_direction_holds_no_more_than_its_share() -> None:
    direction = machine.Direction()
    direction.open(0)
    for number in range(1000):
        direction.take(3 + 2000 * number, machine.Segment(bytes(1000), 0.0, number, ""))
        assert direction.held <= machine.MAX_WAITING_OCTETS
