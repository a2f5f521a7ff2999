"""tshark, given the keys, decrypts what we sealed and finds SIP in it."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from associations_of import ADDRESSES, EVERY_SUITE, association
from namespaces import cable
from protected_scene import Scene

from sipua.ipsec import packet
from sipua.ipsec.association import SecurityAssociation
from sipua.ipsec.database import AssociationDatabase
from sipua.ipsec.packet import UDP, Packet
from sipua.ipsec.suite import Suite

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]

ENCRYPTION = {
    "aes-cbc": "AES-CBC [RFC3602]",
    "des-ede3-cbc": "TripleDES-CBC [RFC2451]",
    "aes-gcm": "AES-GCM with 16 octet ICV [RFC4106]",
    "null": "NULL",
}
INTEGRITY = {
    "hmac-sha-1-96": "HMAC-SHA-1-96 [RFC2404]",
    "hmac-md5-96": "HMAC-MD5-96 [RFC2403]",
    "null": "NULL",
}
MESSAGE = (
    b"OPTIONS sip:ims.example SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5064;branch=z9hG4bK1\r\n"
    b"From: <sip:a@ims.example>;tag=1\r\nTo: <sip:ims.example>\r\n"
    b"Call-ID: under-esp\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
RAW_IP = 101  # the pcap link type

KNOWN = [suite for suite in EVERY_SUITE if suite.alg in INTEGRITY]
"""tshark 4.0 has no AES-GMAC for ESP."""


def entry(agreed: SecurityAssociation) -> str:
    suite, keys = agreed.suite, agreed.keys
    return told(
        *(agreed.source.address, agreed.destination.address, f"{agreed.spi:#x}"),
        *(suite.ealg, (keys.encryption + keys.salt).hex()),
        *(suite.alg, keys.authentication.hex()),
    )


def told(
    source: str, destination: str, spi: str, ealg: str, key: str, alg: str, integrity: str
) -> str:
    """One row of tshark's table of associations."""
    fields = (
        "IPv6" if ":" in source else "IPv4",
        *(source, destination, spi),
        *(ENCRYPTION[ealg], f"0x{key}" if key else ""),
        *(INTEGRITY[alg], f"0x{integrity}" if integrity else ""),
    )
    return "uat:esp_sa:" + ",".join(f'"{field}"' for field in fields)


def sip_over_udp(version: int) -> Packet:
    source, destination = ADDRESSES[version]
    header = struct.pack("!HHHH", 5062, 5064, 8 + len(MESSAGE), 0)
    return Packet(source, destination, UDP, header + MESSAGE)


def dissect(path: Path, *options: str) -> list[list[str]]:
    fields = ("frame.protocols", "esp.sequence", "esp.icv_good", "sip.Call-ID", "udp.dstport")
    done = subprocess.run(
        [
            "tshark", "-r", str(path), "-T", "fields",
            *(word for field in fields for word in ("-e", field)),
            "-o", "esp.enable_encryption_decode:TRUE",
            "-o", "esp.enable_authentication_check:TRUE",
            "-d", "udp.port==5064,sip",
            *(word for option in options for word in ("-o", option)),
        ],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("suite", KNOWN, ids=lambda suite: suite.name)
@pytest.mark.parametrize("version", [4, 6])
def test_tshark_decrypts_and_dissects_ours(suite: Suite, version: int, tmp_path: Path) -> None:
    agreed = association(suite, version=version)
    database = AssociationDatabase(random.Random(1).randbytes)
    database.add([], [agreed])
    path = tmp_path / "esp.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
        for number in range(2):
            data = packet.write(database.seal(sip_over_udp(version)))
            file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)

    found = dissect(path, entry(agreed))
    assert len(found) == 2
    for number, (protocols, sequence, good, call_id, port) in enumerate(found, 1):
        assert protocols.endswith("esp:udp:sip")
        assert (int(sequence), call_id, port) == (number, "under-esp", "5064")
        assert good in ("1", "True")

    if suite.encryption_key:
        assert dissect(path)[0][3] == "", "without the keys there is no SIP to be seen"


def test_tshark_follows_a_registration_and_a_message_on_the_cable(tmp_path: Path) -> None:
    """What the two user agents of a network really sent, TCP inside ESP; without keys, nothing."""
    capture = tmp_path / "cable.pcap"
    with cable() as wire, ExitStack() as stack:
        scene = Scene(wire, tmp_path, stack)
        scene.core()
        alice = scene.ue("alice", 4, "tcp")
        assert alice.ask("register")["verdict"] == "registered"
        assert alice.ask("message", scene.uri("alice"), "between us")["verdict"]
        rows = [told(*row) for row in alice.ask("keys")]
        scene.sniffer.ask("write", str(capture))
    assert len(rows) == 4

    def messages(*options: str) -> list[str]:
        done = subprocess.run(
            [
                *("tshark", "-r", str(capture), "-Y", "sip and esp", "-T", "fields"),
                *("-e", "sip.Method", "-e", "sip.Status-Code"),
                *("-o", "esp.enable_encryption_decode:TRUE"),
                *(word for option in options for word in ("-o", option)),
            ],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return ["/".join(line.split()) for line in done.stdout.splitlines()]

    assert messages() == []
    found = messages(*rows)
    assert found[0] == "REGISTER"
    assert "200" in found
    assert "MESSAGE" in found
