"""Whatever stands in a capture file: our own error or none, flat memory, linear time."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.frames_by_hand import (
    block,
    enhanced,
    interface,
    ipv4,
    ipv6,
    option,
    pcap,
    section,
    sip,
    tcp,
    udp,
)
from sipua.capture import gsmtap
from sipua.capture.errors import CaptureError
from sipua.capture.ip import MAX_PENDING, Reassembly
from sipua.capture.link_layer import KNOWN
from sipua.capture.reader import contents

LINKS = sorted((*KNOWN, 147))


def read(file: bytes) -> int:
    """How much it gives before it ends, or our own error ends it."""
    count = 0
    with suppress(CaptureError):
        for _ in contents(io.BytesIO(file)):
            count += 1
    return count


def everything() -> bytes:
    """A file with some of all that is read."""
    apdu = gsmtap.write(bytes.fromhex("00A40004022FE2"), bytes.fromhex("9000"))
    packets = [
        ipv4(udp(sip(1)), 17),
        ipv6(udp(sip(2)), 17),
        ipv4(udp(apdu, 4729, 4729), 17),
        ipv4(udp(gsmtap.write_remark("a remark", 1), 4729, 4729), 17),
        ipv4(tcp(sip(3)[:100], 1), 6),
        ipv4(tcp(sip(3)[100:], 101), 6),
        ipv4(udp(sip(4))[:96], 17, more=True),
        ipv4(udp(sip(4))[96:], 17, offset=96),
        ipv6(struct.pack("!BBHI", 17, 0, 1, 7) + udp(sip(5))[:96], 44),
        ipv6(bytes((44, 0)) + bytes(6) + struct.pack("!BBHI", 17, 0, 96, 7) + udp(sip(5))[96:], 0),
    ]
    file = section() + interface(options=option(9, b"\x09") + option(14, bytes(8)))
    for packet in packets:
        file += enhanced(packet, 1, options=option(1, b"comment") + option(0, b""))
    return file + block(5, bytes(20))


WHOLE = everything()


def test_everything_is_read() -> None:
    assert read(WHOLE) == 7


def test_cut_at_every_octet() -> None:
    counts = [read(WHOLE[:size]) for size in range(len(WHOLE) + 1)]
    assert counts[-1] == 7
    assert max(counts) <= 8  # with the remark that it breaks off


def test_any_octet_changed() -> None:
    for at in range(len(WHOLE)):
        for change in (0x01, 0x80, 0xFF):
            read(WHOLE[:at] + bytes((WHOLE[at] ^ change,)) + WHOLE[at + 1 :])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=6)), max_size=8))
def test_many_octets_changed(changes: list[tuple[int, bytes]]) -> None:
    file = bytearray(WHOLE)
    for at, octets in changes:
        file[at : at + len(octets)] = octets
    read(bytes(file))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LINKS), st.lists(st.binary(max_size=120), max_size=6))
def test_any_frames_of_any_link_type(link: int, frames: list[bytes]) -> None:
    read(pcap(frames, link=link))


HEADERS = st.sampled_from(
    [
        lambda data: ipv4(data, 6),
        lambda data: ipv4(data, 17),
        lambda data: ipv6(data, 0),
        lambda data: ipv6(data, 44),
        lambda data: ipv6(data, 51),
        lambda data: ipv4(udp(data, 4729, 4729), 17),
        lambda data: ipv4(tcp(data, 1), 6),
        lambda data: ipv4(udp(data), 17),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(HEADERS, st.binary(max_size=80)), max_size=6))
def test_any_payload(packets: list[tuple[Callable[[bytes], bytes], bytes]]) -> None:
    read(pcap([wrap(data) for wrap, data in packets]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=40))
def test_any_segments(segments: list[tuple[int, bytes]]) -> None:
    read(pcap([ipv4(tcp(data, sequence % 300 or sequence), 6) for sequence, data in segments]))


@pytest.mark.parametrize(
    "file",
    [
        pcap([])[:24] + struct.pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF),
        section() + interface() + struct.pack("<II", 6, 0xFFFFFFF0),
        section() + interface() + struct.pack("<II", 6, 4),
        section() + enhanced(b"", 1),
        section() + interface() + enhanced(b"", 1, index=7),
        section() + interface() * 5000,
        section() + interface() + block(6, struct.pack("<IIIII", 0, 0, 0, 5000, 5000)),
        block(0x0A0D0D0A, bytes(16)),
    ],
)
def test_what_makes_no_sense_is_refused(file: bytes) -> None:
    with pytest.raises(CaptureError):
        list(contents(io.BytesIO(file)))


@pytest.mark.parametrize("exponent", [0x7F, 0xFF])
def test_times_beyond_all_measure(exponent: int) -> None:
    file = section() + interface(options=option(9, bytes((exponent,))))
    assert read(file + enhanced(ipv4(udp(sip(1)), 17), 2**64 - 1)) == 1


def fragments_without_end() -> bytes:
    return pcap(
        [
            ipv4(bytes(800), 17, identification=number % 65536, offset=number % 8 * 8, more=True)
            for number in range(12_000)
        ]
    )


def connections_without_end() -> bytes:
    return pcap([ipv4(tcp(bytes(800), 1, near=number), 6) for number in range(12_000)])


def gaps_without_end() -> bytes:
    return pcap([ipv4(tcp(bytes(800), number * 2000), 6) for number in range(12_000)])


def versions_without_end() -> bytes:
    return pcap([ipv4(tcp(b" SIP/2.0\r\n" * 5000, 1 + 50_000 * n), 6) for n in range(300)])


def versions_in_one_line() -> bytes:
    return pcap([ipv4(tcp(b"x SIP/2.0 " * 5000, 1 + 50_000 * n), 6) for n in range(300)])


def single_octets() -> bytes:
    return pcap([ipv4(tcp(b"A", 1 + number), 6) for number in range(60_000)])


HOSTILE = [
    fragments_without_end,
    connections_without_end,
    gaps_without_end,
    versions_without_end,
    versions_in_one_line,
    single_octets,
]


@pytest.mark.parametrize("make", HOSTILE, ids=lambda each: each.__name__)
def test_hostile_files_cost_little(make: Callable[[], bytes]) -> None:
    file = make()
    begin = time.process_time()
    read(file)
    assert time.process_time() - begin < 10  # it takes less than one second


@pytest.mark.parametrize("make", HOSTILE[:3], ids=lambda each: each.__name__)
def test_hostile_files_do_not_fill_the_memory(make: Callable[[], bytes]) -> None:
    file = io.BytesIO(make())
    tracemalloc.start()
    try:
        with suppress(CaptureError):
            for _ in contents(file):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


def test_fragments_that_never_meet_are_given_up() -> None:
    reassembly = Reassembly()
    for number in range(MAX_PENDING + 50):
        reassembly.take(ipv4(bytes(800), 17, identification=number, more=True))
    ours = udp(sip(1), 5060, 5060)
    assert reassembly.take(ipv4(ours[:80], 17, identification=60000, more=True)) is None
    whole = reassembly.take(ipv4(ours[80:], 17, identification=60000, offset=80))
    assert whole is not None
    assert whole.payload == ours
    assert len(reassembly) <= MAX_PENDING
