"""ESP without encryption is read as what is in it; encrypted ESP is remarked on once."""

from __future__ import annotations

import io
import random
import struct

import pytest

from capture.frames_by_hand import ipv4, ipv6, pcap, sip, tcp, udp
from sipua.capture.captured import CapturedMessage, CaptureRemark
from sipua.capture.reader import contents

UDP, TCP, ESP = 17, 6, 50


def protected(inner: bytes, protocol: int, integrity: int = 12) -> bytes:
    """RFC 4303 §2, with NULL encryption: padded to four octets, the integrity value anything."""
    padding = bytes(range(1, 1 + (-len(inner) - 2) % 4))
    trailer = padding + bytes((len(padding), protocol))
    return struct.pack("!II", 0x1234, 1) + inner + trailer + random.Random(1).randbytes(integrity)


def read(*packets: bytes) -> tuple[list[CapturedMessage], list[str]]:
    found = list(contents(io.BytesIO(pcap(list(packets)))))
    return (
        [each for each in found if isinstance(each, CapturedMessage)],
        [each.text for each in found if isinstance(each, CaptureRemark)],
    )


@pytest.mark.parametrize("integrity", [12, 16])
@pytest.mark.parametrize("size", range(5))
def test_a_datagram(integrity: int, size: int) -> None:
    packet = ipv4(protected(udp(sip(1, size), 5061, 6061), UDP, integrity), ESP)
    ((found,), remarks) = read(packet)
    assert (found.data, found.source.port, found.destination.port) == (sip(1, size), 5061, 6061)
    assert found.comment == "ESP without encryption"
    assert remarks == []


def test_segments() -> None:
    data = sip(1, 100)
    packets = [
        ipv6(protected(tcp(data[at : at + 90], 1 + at, 5061, 6061), TCP), ESP)
        for at in range(0, len(data), 90)
    ]
    ((found,), _) = read(*packets)
    assert (found.data, found.transport) == (data, "TCP")


def test_through_nat() -> None:
    packet = ipv4(udp(protected(udp(sip(1), 5061, 6061), UDP), 4500, 4500), UDP)
    ((found,), _) = read(packet, ipv4(udp(b"\xff", 4500, 4500), UDP))
    assert (found.data, found.destination.port) == (sip(1), 6061)


def test_encrypted() -> None:
    rng = random.Random(7)
    packets = [ipv4(rng.randbytes(rng.randrange(8, 900)), ESP) for _ in range(300)]
    messages, remarks = read(*packets)
    assert messages == []
    assert remarks == ["ESP packets are encrypted: what is in them cannot be read"]
