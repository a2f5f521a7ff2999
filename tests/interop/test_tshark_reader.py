"""Our reader and tshark see the same SIP in a capture of a thousand packets of every kind."""

from __future__ import annotations

import itertools
import random
import struct
from pathlib import Path

import pytest
from capture.frames_by_hand import (
    FAR,
    FAR6,
    NEAR,
    NEAR6,
    enhanced,
    interface,
    ipv4,
    ipv6,
    pcap,
    section,
    tcp,
    udp,
)

from interop.tshark import Tshark
from sipua.capture.link_layer import ETHERNET
from sipua.capture.reader import messages
from sipua.sip.message import Request, parse

METHODS = ("REGISTER", "INVITE", "ACK", "BYE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "NOTIFY")
STATUSES = (100, 180, 200, 401, 403, 407, 486, 503)
PACKETS = 1000
MTU = 600
SYN, PSH, ACK = 2, 8, 16
START_LINE = 60  # octets, at most
FIELDS = (
    *("ip.src", "ipv6.src", "ip.dst", "ipv6.dst"),
    *("udp.srcport", "tcp.srcport", "udp.dstport", "tcp.dstport"),
    *("sip.Method", "sip.Status-Code", "sip.Call-ID", "sip.CSeq.seq", "sip.CSeq.method"),
)

Dialogue = tuple[tuple[str, int], tuple[str, int]]


def message(rng: random.Random, number: int, *, in_stream: bool = False) -> bytes:
    """A request or a response, with compact and folded header fields among it.

    Not in a stream: there tshark 4 does not follow a Content-Length called l.
    """
    method = rng.choice(METHODS)
    if rng.random() < 0.5:
        start = f"{method} sip:bob@ims.example SIP/2.0"
    else:
        start = f"SIP/2.0 {rng.choice(STATUSES)} Whatever"
    call_id, length = (
        ("i", "l") if rng.random() < 0.3 and not in_stream else ("Call-ID", "Content-Length")
    )
    body = rng.randbytes(rng.choice((0, 0, 20, 900))).hex().encode()
    head = [
        start,
        f"Via: SIP/2.0/UDP {NEAR}:5060;branch=z9hG4bK{number}",
        "From: <sip:alice@ims.example>;tag=1",
        "To: <sip:bob@ims.example>\r\n ;tag=2",
        f"{call_id}: {number}@ims.example",
        f"CSeq: {rng.randrange(1, 2**31)} {method}",
        "Content-Type: text/plain",
        f"{length}: {len(body)}",
    ]
    return "\r\n".join((*head, "", "")).encode() + body


def confuses_tshark(data: bytes, starts: list[int], cut: int) -> bool:
    """tshark 4 wants to see a whole start line, and the empty line with the one before it."""
    return any(0 < cut - start < START_LINE for start in starts) or any(
        data[max(0, cut - back) :].startswith(b"\r\n\r\n") for back in range(4)
    )


class Traffic:
    """At least a thousand frames of everything that a reader has to take apart."""

    def __init__(self, seed: int, *, disorder: bool) -> None:
        """``disorder``: segments of TCP are repeated and overtake one another."""
        self._disorder = 0.1 if disorder else 0.0
        self._rng = random.Random(seed)
        self._number = 0
        self._connections: dict[Dialogue, int] = {}
        self.frames: list[bytes] = []
        while len(self.frames) < PACKETS:
            self._rng.choice((self._datagram, self._datagram, self._fragments, self._stream))()

    @property
    def call_ids(self) -> list[str]:
        return [f"{number}@ims.example" for number in range(1, self._number + 1)]

    def _message(self, *, in_stream: bool = False) -> bytes:
        self._number += 1
        return message(self._rng, self._number, in_stream=in_stream)

    def _add(self, packet: bytes) -> None:
        kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        tags = self._rng.choice(
            (b"", b"", b"\x81\x00\x00\x05", b"\x88\xa8\x00\x06\x81\x00\x00\x05")
        )
        self.frames.append(bytes(12) + tags + kind + packet)

    def _datagram(self) -> None:
        data = udp(self._message(), 5060, self._rng.choice((5060, 6060)))
        if self._rng.random() < 0.5:
            self._add(ipv4(data, 17))
        elif self._rng.random() < 0.5:
            self._add(ipv6(data, 17))
        else:
            options = bytes((17, 0, 1, 4, 0, 0, 0, 0))  # hop-by-hop options: a PadN
            self._add(ipv6(options + data, 0))

    def _fragments(self) -> None:
        data = udp(self._message(), 5060, 5060)
        pieces = [(at, data[at : at + 400]) for at in range(0, len(data), 400)]
        self._rng.shuffle(pieces)
        if self._rng.random() < 0.5:
            for at, piece in pieces:
                more = at + 400 < len(data)
                self._add(ipv4(piece, 17, identification=self._number, offset=at, more=more))
        else:
            for at, piece in pieces:
                more = at + 400 < len(data)
                head = struct.pack("!BBHI", 17, 0, at | more, self._number)
                self._add(ipv6(head + piece, 44))

    def _stream(self) -> None:
        """Some messages on one of a few connections, cut anywhere, repeated, out of order."""
        rng = self._rng
        near = 40000 + rng.randrange(6)
        ends = ((NEAR, near), (FAR, 5060)) if near % 2 else ((NEAR6, near), (FAR6, 5060))
        if rng.random() < 0.5:
            ends = ends[1], ends[0]
        sent = [self._message(in_stream=True) for _ in range(rng.randrange(1, 4))]
        data = b"".join(sent)
        starts = list(itertools.accumulate(map(len, sent), initial=0))
        back = ends[1], ends[0]
        if ends not in self._connections:
            self._connections[ends], self._connections[back] = 1, 1
            self._segment(ends, b"", 0, flags=SYN)
            self._segment(back, b"", 0, flags=SYN | ACK)
        begin = self._connections[ends]
        segments: list[tuple[int, bytes]] = []
        at = 0
        while at < len(data):
            size = rng.randrange(1, MTU)
            while not self._disorder and confuses_tshark(data, starts, at + size):
                size += 1
            piece = data[at : at + size]
            segments.append((begin + at, piece))
            if rng.random() < self._disorder:
                segments.append(segments[-1])
            at += size
        self._connections[ends] = begin + len(data)
        for index in range(len(segments) - 1):
            if rng.random() < self._disorder:
                segments[index : index + 2] = segments[index + 1], segments[index]
        for sequence, piece in segments:
            self._segment(ends, piece, sequence)

    def _segment(self, ends: Dialogue, data: bytes, sequence: int, flags: int = PSH | ACK) -> None:
        acknowledged = self._connections[ends[1], ends[0]]
        segment = tcp(data, sequence, ends[0][1], ends[1][1], flags, acknowledged)
        wrap = ipv6 if ":" in ends[0][0] else ipv4
        self._add(wrap(segment, 6, ends[0][0], ends[1][0]))


def by_tshark(path: Path) -> list[tuple[str, ...]]:
    """Of each packet that completes SIP: its number, ends, and what its messages are."""
    judge = Tshark(path, checksums=False)  # there are none
    rows = judge.rows("sip", "frame.number", *FIELDS, every=True)
    return [
        (row[0], row[1] or row[2], row[3] or row[4], row[5] or row[6], row[7] or row[8], *row[9:])
        for row in rows
    ]


def by_us(path: Path) -> list[tuple[str, ...]]:
    """The same by our own reader and parser."""
    packets: dict[int, list[tuple[str, ...]]] = {}
    for each in messages(path):
        said = parse(each.data)
        cseq = (said.headers.get("CSeq") or "").split()
        packets.setdefault(each.packet, []).append(
            (
                *(each.source.address, each.destination.address),
                *(str(each.source.port), str(each.destination.port)),
                said.method if isinstance(said, Request) else "",
                "" if isinstance(said, Request) else str(said.status),
                said.headers.get("Call-ID") or "",
                *cseq,
            )
        )
    return [
        (
            str(number),
            *found[0][:4],
            *(",".join(each[field] for each in found if each[field]) for field in range(4, 9)),
        )
        for number, found in sorted(packets.items())
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_packets(tmp_path: Path, seed: int) -> None:
    path, traffic = capture(tmp_path, seed, disorder=False)
    ours = by_us(path)
    assert ours == by_tshark(path)
    assert sorted(call_ids(ours)) == sorted(traffic.call_ids)


@pytest.mark.parametrize("seed", range(4))
def test_segments_in_disorder(tmp_path: Path, seed: int) -> None:
    """tshark 4 loses its way on some connections then; what it does see, we see alike."""
    path, traffic = capture(tmp_path, seed, disorder=True)
    ours, theirs = by_us(path), by_tshark(path)
    assert sorted(call_ids(ours)) == sorted(traffic.call_ids)
    seen = set(traffic.call_ids) & set(call_ids(theirs))
    assert len(seen) > 0.8 * len(traffic.call_ids)
    datagrams = [row for row in theirs if row[3] == "5060" and row[4] in ("5060", "6060")]
    assert set(datagrams) <= set(ours)


def call_ids(rows: list[tuple[str, ...]]) -> list[str]:
    return [call_id for row in rows for call_id in row[7].split(",")]


def capture(folder: Path, seed: int, *, disorder: bool) -> tuple[Path, Traffic]:
    """A file of such traffic, of either format."""
    traffic = Traffic(seed, disorder=disorder)
    path = folder / "traffic"
    if seed % 2:
        path.write_bytes(pcap(traffic.frames, link=ETHERNET))
    else:
        blocks = [enhanced(frame, number * 1000) for number, frame in enumerate(traffic.frames)]
        path.write_bytes(section() + interface(ETHERNET) + b"".join(blocks))
    return path, traffic
