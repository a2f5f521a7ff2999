"""A foreign judge: scapy opens what we seal, and we open what scapy seals."""

from __future__ import annotations

import random
from typing import Any

import pytest
from associations_of import ADDRESSES, EVERY_SUITE, association

from sipua.ipsec import packet
from sipua.ipsec.association import SecurityAssociation
from sipua.ipsec.database import AssociationDatabase
from sipua.ipsec.packet import Packet
from sipua.ipsec.suite import Suite

ipsec = pytest.importorskip("scapy.layers.ipsec")
inet = pytest.importorskip("scapy.layers.inet")
inet6 = pytest.importorskip("scapy.layers.inet6")

CRYPT = {"aes-cbc": "AES-CBC", "des-ede3-cbc": "3DES", "aes-gcm": "AES-GCM", "null": "NULL"}
AUTH = {"hmac-sha-1-96": "HMAC-SHA1-96", "hmac-md5-96": "HMAC-MD5-96"}
MESSAGE = b"REGISTER sip:ims.mnc001.mcc001.3gppnetwork.org SIP/2.0\r\n\r\n"

suites = pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)
versions = pytest.mark.parametrize("version", [4, 6])


def scapy_association(agreed: SecurityAssociation) -> Any:
    suite, keys = agreed.suite, agreed.keys
    if suite.alg == "aes-gmac":
        crypt: dict[str, object] = {
            "crypt_algo": "AES-NULL-GMAC",
            "crypt_key": keys.authentication + keys.salt,
        }
    else:
        crypt = {"crypt_algo": CRYPT[suite.ealg], "crypt_key": keys.encryption + keys.salt}
    if suite.alg in AUTH:
        crypt |= {"auth_algo": AUTH[suite.alg], "auth_key": keys.authentication}
    return ipsec.SecurityAssociation(ipsec.ESP, spi=agreed.spi, **crypt)


def scapy_packet(version: int, transport: str) -> Any:
    source, destination = ADDRESSES[version]
    ip = (inet.IP if version == 4 else inet6.IPv6)(src=source, dst=destination)
    layer = {"udp": inet.UDP, "tcp": inet.TCP}[transport]
    return ip / layer(sport=5062, dport=5064) / MESSAGE


def built(version: int, layers: Any) -> Any:
    return (inet.IP if version == 4 else inet6.IPv6)(bytes(layers))


@suites
@versions
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_scapy_opens_what_we_seal(suite: Suite, version: int, transport: str) -> None:
    agreed = association(suite, version=version)
    ours = AssociationDatabase(random.Random(1).randbytes)
    ours.add([], [agreed])
    clear = bytes(scapy_packet(version, transport))
    theirs = scapy_association(agreed)
    for _ in range(3):
        sealed = built(version, packet.write(ours.seal(packet.read(clear))))
        opened = built(version, theirs.decrypt(sealed))
        assert bytes(opened.payload) == packet.read(clear).payload
        assert opened.lastlayer().load == MESSAGE


@suites
@versions
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_we_open_what_scapy_seals(suite: Suite, version: int, transport: str) -> None:
    agreed = association(suite, version=version)
    ours = AssociationDatabase(random.Random(1).randbytes)
    ours.add([agreed], [])
    theirs = scapy_association(agreed)
    clear = scapy_packet(version, transport)
    expected = packet.read(bytes(clear))
    for _ in range(3):
        assert ours.open(packet.read(bytes(theirs.encrypt(built(version, clear))))) == expected


@suites
def test_scapy_refuses_what_was_altered_after_us(suite: Suite) -> None:
    """So that the agreement above is known to include the ICV."""
    agreed = association(suite)
    ours = AssociationDatabase(random.Random(1).randbytes)
    ours.add([], [agreed])
    sealed = bytearray(packet.write(ours.seal(packet.read(bytes(scapy_packet(4, "udp"))))))
    sealed[-1] ^= 1
    with pytest.raises(ipsec.IPSecIntegrityError):
        scapy_association(agreed).decrypt(built(4, bytes(sealed)))


def test_packets_are_as_scapy_builds_them() -> None:
    for version in (4, 6):
        theirs = bytes(scapy_packet(version, "udp"))
        read = packet.read(theirs)
        assert read == Packet(*ADDRESSES[version], 17, theirs[20 if version == 4 else 40 :])
        written = built(version, packet.write(read))
        assert (written.src, written.dst, bytes(written.payload)) == (
            *ADDRESSES[version],
            read.payload,
        )
        if version == 4:
            checksum = written.chksum
            del written.chksum
            assert built(4, written).chksum == checksum
