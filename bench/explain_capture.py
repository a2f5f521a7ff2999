"""What ``sipua explain`` takes for a large capture of registrations, some of them wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from measure import Figure

from card.aka.milenage import Milenage
from card.aka.result import AkaResponse
from card.aka.vector import make_vector
from sipua.auth.scheme import Answer
from sipua.auth.schemes import aka
from sipua.capture.ip_writer import Way
from sipua.capture.pcapng_writer import PcapngWriter

SIZE = 100 * 10**6  # octets
MOST_MEMORY = 200  # MB
WRONG = 50  # one in so many hashes RES as text
FOUND = 60  # its exit status when something is wrong
K, OPC = bytes(16), bytes(range(16))
KEY_FILE = f'k = "{K.hex()}"\nopc = "{OPC.hex()}"\n'
DOMAIN = "ims.example"


def explaining(folder: Path) -> list[Figure]:
    """One pass of the command over a capture, with the key, its document thrown away."""
    path, key = folder / "registrations.pcapng", folder / "key.toml"
    key.write_text(KEY_FILE)
    write_capture(path, SIZE)
    argv = [sys.executable, "-m", "cli", "explain", str(path), "--profile", str(key), "--json"]
    begin = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    path.unlink()
    if process.returncode != FOUND:
        raise RuntimeError(f"explain ended with {process.returncode}")
    memory = usage.ru_maxrss / 1024
    return [
        Figure(
            f"explain {SIZE // 10**6} MB, peak memory",
            f"{memory:.0f} MB",
            f"{MOST_MEMORY} MB allowed; {SIZE / 10**6 / seconds:.0f} MB/s",
            memory / MOST_MEMORY,
            1,
        )
    ]


def write_capture(path: Path, size: int) -> int:
    """Registrations of at least ``size`` octets; gives how many."""
    there, back = (Way(*ends) for ends in (ENDS, ENDS[::-1]))
    milenage = Milenage(K, OPC)
    count = 0
    with path.open("wb", buffering=1 << 20) as file:
        writer = PcapngWriter(file.write, "bench", "")
        interface = writer.interface("any", "")
        while file.tell() < size:
            count += 1
            for number, message in enumerate(registration(milenage, count)):
                way = back if number % 2 else there
                writer.packet(interface, (count * 10 + number) * 10**6, way.udp(message), "")
            writer.flush()
    return count


ENDS = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


def registration(milenage: Milenage, number: int) -> list[bytes]:
    """REGISTER, 401, REGISTER and the end of it."""
    vector = make_vector(milenage, number.to_bytes(16, "big"), number * 32, b"\x80\x00")
    impi = f"{number:015}@{DOMAIN}"
    challenge = aka.make_challenge(DOMAIN, vector.rand, vector.autn)
    wrong = number % WRONG == 0
    res = vector.xres.hex().encode() if wrong else vector.xres
    answer = Answer(challenge, AkaResponse(res, vector.ck, vector.ik), impi, "0a4f113b")
    name, value = aka.write_credentials(answer, "REGISTER", f"sip:{DOMAIN}")
    return [
        message(f"REGISTER sip:{DOMAIN} SIP/2.0", impi, number, 1),
        message("SIP/2.0 401 Unauthorized", impi, number, 1,
                f"WWW-Authenticate: {aka.write_challenge(challenge)}"),
        message(f"REGISTER sip:{DOMAIN} SIP/2.0", impi, number, 2, f"{name}: {value}"),
        message("SIP/2.0 403 Forbidden" if wrong else "SIP/2.0 200 OK", impi, number, 2),
    ]  # fmt: skip


def message(start_line: str, impi: str, number: int, cseq: int, *lines: str) -> bytes:
    """A message of the usual length."""
    head = [
        start_line,
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{number}{cseq}",
        f"From: <sip:{impi}>;tag=1",
        f"To: <sip:{impi}>",
        f"Call-ID: {number}@{DOMAIN}",
        f"CSeq: {cseq} REGISTER",
        'Contact: <sip:192.0.2.1:5060>;+sip.instance="<urn:gsma:imei:35675800-123456-0>"',
        "Supported: path, sec-agree, gruu",
        "P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=0010100010000101",
        *lines,
        "Content-Length: 0",
    ]
    return "\r\n".join([*head, "", ""]).encode()
