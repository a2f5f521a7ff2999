"""Capture files of every kind give the same messages; broken ones an error or a remark."""

from __future__ import annotations

import io
import struct

import pytest

from capture.frames_by_hand import (
    FAR,
    FAR6,
    NEAR,
    NEAR6,
    block,
    enhanced,
    interface,
    ipv4,
    ipv6,
    option,
    pcap,
    section,
    sip,
    udp,
)
from sipua.capture.captured import CapturedMessage, CaptureRemark
from sipua.capture.errors import CaptureError
from sipua.capture.reader import contents, messages
from sipua.sip.hop import Hop

PACKETS = [ipv4(udp(sip(number)), 17) for number in range(5)]
ORDERS = ("<", ">")


def read(file: bytes) -> list[CapturedMessage]:
    return list(messages(io.BytesIO(file)))


def pcapng(order: str = "<", resolution: bytes = b"", offset: bytes = b"") -> bytes:
    """PACKETS at the times that ``pcap`` gives them, for microseconds."""
    options = option(9, resolution, order) if resolution else b""
    options += option(14, offset, order) if offset else b""
    file = section(order) + interface(order=order, options=options)
    for number, packet in enumerate(PACKETS):
        file += enhanced(packet, (1000 + number) * 10**6 + 500_000, order)
    return file


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_a_classic_file_in_either_byte_order_and_resolution(order: str, nanoseconds: bool) -> None:
    found = read(pcap(PACKETS, order=order, nanoseconds=nanoseconds))
    assert [each.data for each in found] == [sip(number) for number in range(5)]
    assert [each.at for each in found] == [1000.5, 1001.5, 1002.5, 1003.5, 1004.5]
    assert found[0].source == Hop("UDP", NEAR, 5060)
    assert found[0].destination == Hop("UDP", FAR, 5060)
    assert [each.packet for each in found] == [1, 2, 3, 4, 5]


def test_the_headers_of_kuznetzov() -> None:
    packet = PACKETS[0]
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 101)
    record = struct.pack("<IIIIIHBB", 1000, 500_000, len(packet), len(packet), 1, 0x0800, 0, 0)
    assert read(head + record + packet) == read(pcap(PACKETS[:1]))


@pytest.mark.parametrize("order", ORDERS)
def test_pcapng_gives_the_same_as_pcap(order: str) -> None:
    assert read(pcapng(order)) == read(pcap(PACKETS))


@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [(b"\x09", 1000_500_000_000), (b"\x06", 1000_500_000), (b"\x81", 2001), (b"\xa0", 2001 << 31)],
)
def test_every_resolution_of_time(resolution: bytes, ticks: int) -> None:
    file = section() + interface(options=option(9, resolution)) + enhanced(PACKETS[0], ticks)
    assert read(file)[0].at == 1000.5


def test_an_offset_of_time() -> None:
    file = section() + interface(options=option(14, struct.pack("<q", -400)))
    assert read(file + enhanced(PACKETS[0], 1400_500_000))[0].at == 1000.5


def test_simple_and_obsolete_packets_and_unknown_blocks() -> None:
    packet = PACKETS[0]
    padded = packet + bytes(-len(packet) % 4)
    half = struct.pack("<II", 0, 1000_500_000)
    sizes = struct.pack("<II", len(packet), len(packet))
    file = section() + block(0x0BAD, b"whatever it is") + interface() + block(4, bytes(16))
    file += block(3, struct.pack("<I", len(packet)) + padded)
    file += block(2, struct.pack("<HH", 0, 7) + half + sizes + padded)
    found = read(file)
    assert [(each.data, each.at) for each in found] == [(sip(0), 0.0), (sip(0), 1000.5)]


def test_comments_of_packets() -> None:
    options = option(2, b"flag") + option(1, "Grüße".encode()) + option(1, b"two") + option(0, b"")
    file = section() + interface() + enhanced(PACKETS[0], 1, options=options)
    assert read(file)[0].comment == "Grüße\ntwo"


def test_sections_of_different_byte_order_and_interfaces() -> None:
    ethernet = bytes(12) + b"\x08\x00" + PACKETS[1]
    file = section("<") + interface() + enhanced(PACKETS[0], 1)
    file += section(">") + interface(order=">") + interface(1, ">")
    file += enhanced(ethernet, 2, ">", index=1)
    assert [each.data for each in read(file)] == [sip(0), sip(1)]


VLAN = b"\x81\x00\x00\x07"
QINQ = b"\x88\xa8\x00\x07" + VLAN
V4, V6 = ipv4(udp(sip(1)), 17), ipv6(udp(sip(1)), 17)


@pytest.mark.parametrize(
    ("link", "frame", "source"),
    [
        (0, struct.pack("<I", 2) + V4, NEAR),
        (0, struct.pack(">I", 30) + V6, NEAR6),
        (1, bytes(12) + b"\x08\x00" + V4 + bytes(6), NEAR),
        (1, bytes(12) + b"\x86\xdd" + V6, NEAR6),
        (1, bytes(12) + VLAN + b"\x08\x00" + V4, NEAR),
        (1, bytes(12) + QINQ + b"\x86\xdd" + V6, NEAR6),
        (12, V4, NEAR),
        (101, V6, NEAR6),
        (108, struct.pack(">I", 2) + V4, NEAR),
        (113, bytes(14) + b"\x08\x00" + V4, NEAR),
        (113, bytes(14) + VLAN + b"\x86\xdd" + V6, NEAR6),
        (228, V4, NEAR),
        (229, V6, NEAR6),
        (276, b"\x08\x00" + bytes(18) + V4, NEAR),
        (276, b"\x86\xdd" + bytes(18) + V6, NEAR6),
    ],
)
def test_every_link_type(link: int, frame: bytes, source: str) -> None:
    (found,) = read(pcap([frame], link=link))
    assert found.data == sip(1)
    assert found.source.address == source
    assert found.destination.address == (FAR if source == NEAR else FAR6)


def test_a_link_type_that_is_not_known_is_remarked_once() -> None:
    found = list(contents(io.BytesIO(pcap(PACKETS, link=147))))
    assert len(found) == 1
    assert isinstance(found[0], CaptureRemark)
    assert "147" in found[0].text


@pytest.mark.parametrize("file", [b"", b"SIP/", b"\x1f\x8b\x08\x00", b"\xd4\xc3\xb2\xa1\x02"])
def test_what_is_no_capture(file: bytes) -> None:
    with pytest.raises(CaptureError):
        read(file)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(CaptureError, match="No such file"):
        list(messages("/nowhere/to/be.found"))


@pytest.mark.parametrize("file", [pcap(PACKETS[:2]), pcapng()], ids=["pcap", "pcapng"])
def test_a_file_cut_at_any_octet_gives_what_is_before(file: bytes) -> None:
    whole = read(file)
    for size in range(len(file)):
        try:
            found = list(contents(io.BytesIO(file[:size])))
        except CaptureError:
            assert size < 28  # within the file's own header
            continue
        given = [each for each in found if isinstance(each, CapturedMessage)]
        assert given == whole[: len(given)]
        assert len(given) == len(whole) or len(found) - len(given) <= 1
