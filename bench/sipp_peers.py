"""SIPp on the other side: a registrar that believes everything, and the yardstick user agent."""

from __future__ import annotations

import base64
import csv
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from interop.program import Program, free_port, required
from measure import Cost, run

from card.aka.milenage import Milenage
from card.aka.vector import make_vector

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMSI = "001010123456789"
IMPI = f"{IMSI}@{DOMAIN}"
# Test set 2 of TS 35.208: SIPp knows OP only, and no key with an octet 5B.
K = "0396eb317b6d1c36f19c1c84cd6ffd16"
OP = "ff53bade17df5d4e793073ce9d7579fa"
AMF = b"\x80\x00"
IND_BITS = 5
UAC_SCENARIO = ROOT / "tests" / "interop" / "sipp" / "uac_register_aka.xml"
UAS_SCENARIO = ROOT / "bench" / "sipp" / "uas_registrar.xml"

PROFILE = f"""\
iccid = "8900000000000000001"
imsi = "{IMSI}"
mnc_length = 2
[authentication]
algorithm = "milenage"
k = "{K}"
op = "{OP}"
[isim]
impi = "{IMPI}"
impu = ["sip:{IMPI}"]
domain = "{DOMAIN}"
"""


class SippRun(NamedTuple):
    """Cost of one SIPp user agent and the registrations that went through."""

    cost: Cost
    registrations: int


def write_nonces(path: Path, count: int) -> None:
    """An injection file of challenges with rising SQN, so that a card accepts each once.

    Only such whose RES holds no octet 00: SIPp cuts RES there and would fail.
    """
    milenage = Milenage.from_op(bytes.fromhex(K), bytes.fromhex(OP))
    lines = ["SEQUENTIAL"]
    while len(lines) <= count:
        rand = secrets.token_bytes(16)
        vector = make_vector(milenage, rand, len(lines) << IND_BITS, AMF)
        if 0 not in vector.xres:
            lines.append(base64.b64encode(vector.rand + vector.autn).decode() + ";")
    path.write_text("\n".join(lines) + "\n")


@contextmanager
def fake_registrar(nonces: int) -> Iterator[int]:
    """SIPp as registrar with fresh challenges for ``nonces`` registrations; gives its UDP port."""
    with tempfile.TemporaryDirectory(prefix="sipua-bench-") as folder:
        directory = Path(folder)
        write_nonces(directory / "nonces.csv", nonces)
        port = free_port()
        argv = [required("sipp", "sip-tester"), "-sf", str(UAS_SCENARIO)]
        argv += ["-inf", str(directory / "nonces.csv"), "-key", "domain", DOMAIN]
        argv += ["-i", "127.0.0.1", "-p", str(port), "-t", "u1", "-nostdin", "-deadcall_wait", "0"]
        program = Program(argv, directory / "log", cwd=directory)
        try:
            program.wait_ready(lambda: _bound(port))
            yield port
        finally:
            program.kill()


def _bound(port: int) -> bool:
    sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in sockets)


def sipp_registers(port: int, count: int, *options: str) -> SippRun:
    """SIPp as user agent, ``count`` calls at the registrar on ``port``."""
    with tempfile.TemporaryDirectory(prefix="sipua-bench-") as directory:
        statistics = Path(directory) / "statistics"
        argv = [required("sipp", "sip-tester"), "-sf", str(UAC_SCENARIO), "-m", str(count)]
        argv += ["-s", IMSI, "-au", IMPI, "-auth_uri", DOMAIN, "-key", "domain", DOMAIN]
        argv += ["-i", "127.0.0.1", "-p", str(free_port()), "-t", "u1", "-nostdin"]
        argv += ["-recv_timeout", "2000", "-trace_stat", "-stf", str(statistics), "-fd", "3600"]
        argv += [*options, f"127.0.0.1:{port}"]
        cost = run(argv, expected=(0, 1))  # 1: some calls failed
        with statistics.open(newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return SippRun(cost, int(last["SuccessfulCall(C)"]))
