"""What a trace costs, and what a large capture takes to read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from measure import Figure, interleaved

from sipua.capture.ip_writer import TcpWay, Way
from sipua.capture.pcapng_writer import PcapngWriter

HERE = Path(__file__).resolve().parent
ROUNDS = 5
COUNT = 1500  # registrations in one closed loop: what a trace loads first shall not count
KEPT = 0.85  # of the rate, with a trace
SIZE = 100 * 10**6  # octets of the large capture
MOST_MEMORY = 200  # MB
RTP = bytes(172)  # 20 ms of G.711 with its header
RTP_PER_MESSAGE = 3


def tracing(folder: Path, rate: Callable[[str], float]) -> list[Figure]:
    """``rate`` gives registrations a second, with a trace in the file named, if any."""
    traced, plain = interleaved(ROUNDS, lambda: rate(str(folder / "loop.pcapng")), lambda: rate(""))
    return [
        Figure(
            "closed loop with --trace",
            f"{traced:.0f}/s",
            f"without {plain:.0f}/s",
            traced / plain,
            KEPT,
            at_least=True,
        )
    ]


def reading(folder: Path) -> list[Figure]:
    """One pass over a large capture in a process of its own."""
    path = folder / "large.pcapng"
    messages = write_capture(path, SIZE)
    done = subprocess.run(
        [sys.executable, str(HERE / "read_capture.py"), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    path.unlink()
    count, seconds, memory = done.stdout.split()
    if int(count) != messages:
        raise RuntimeError(f"{count} of {messages} messages were found")
    speed = SIZE / 10**6 / float(seconds)
    name = f"capture of {SIZE // 10**6} MB, peak memory"
    return [
        Figure(
            name,
            f"{float(memory):.0f} MB",
            f"{MOST_MEMORY} MB allowed; {speed:.0f} MB/s",
            float(memory) / MOST_MEMORY,
            1,
        )
    ]


def write_capture(path: Path, size: int) -> int:
    """Calls by UDP and TCP among their voice, in at least ``size`` octets; gives the messages."""
    near, far = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
    way, connection = Way(near, far), TcpWay(("2001:db8::1", 40000), ("2001:db8::2", 5060))
    voice = Way(("192.0.2.1", 40000), ("192.0.2.2", 40002)).udp(RTP)
    count = 0
    with path.open("wb", buffering=1 << 20) as file:
        writer = PcapngWriter(file.write, "bench", "")
        interface = writer.interface("any", "")
        while file.tell() < size:
            count += 1
            data = message(count)
            packets = [way.udp(data)] if count % 3 else connection.sent(data)
            for packet in (*packets, *[voice] * RTP_PER_MESSAGE):
                writer.packet(interface, count * 10**6, packet, "")
            writer.flush()
    return count


def message(number: int) -> bytes:
    """A request of the usual length."""
    return (
        "INVITE sip:bob@ims.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{number}\r\n"
        "From: <sip:alice@ims.example>;tag=1\r\n"
        "To: <sip:bob@ims.example>\r\n"
        f"Call-ID: {number}@ims.example\r\n"
        f"CSeq: {number} INVITE\r\n"
        f"P-Access-Network-Info: {os.urandom(200).hex()}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
