"""Security associations for the tests: keys, ports and addresses that mean nothing."""

from __future__ import annotations

from sipua.ipsec.association import Endpoint, SecurityAssociation
from sipua.ipsec.keys import expand
from sipua.ipsec.packet import UDP, Packet
from sipua.ipsec.suite import SUITES, Suite

CK = bytes.fromhex("b12bd6d3bf809a6cf001a58187353060")
IK = bytes.fromhex("66cb51e13b70780e328e43ea52951d3f")
EVERY_SUITE = tuple(SUITES.values())
ADDRESSES = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}


def association(suite: Suite, spi: int = 0x1001, version: int = 4) -> SecurityAssociation:
    """From the first address of this IP version, port 5062, to the second, port 5064."""
    source, destination = ADDRESSES[version]
    return SecurityAssociation(
        spi, Endpoint(source, 5062), Endpoint(destination, 5064), suite, expand(suite, CK, IK)
    )


def udp(data: bytes, version: int = 4, ports: tuple[int, int] = (5062, 5064)) -> Packet:
    """A UDP packet in the direction of ``association``; its checksum is left out."""
    source, destination = ADDRESSES[version]
    header = b"".join(number.to_bytes(2, "big") for number in (*ports, 8 + len(data), 0))
    return Packet(source, destination, UDP, header + data)
