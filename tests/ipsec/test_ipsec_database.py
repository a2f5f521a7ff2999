"""Associations in use: which flow takes which, and the counter of each drop."""

from __future__ import annotations

import random

import pytest
from associations_of import ADDRESSES, EVERY_SUITE, association, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import LocalError
from sipua.ipsec import packet
from sipua.ipsec.association import Endpoint
from sipua.ipsec.database import AssociationDatabase, Counters
from sipua.ipsec.errors import EspError, Truncated, UnknownSpi, Unprotected
from sipua.ipsec.packet import TCP, Packet
from sipua.ipsec.suite import SUITES, Suite

suites = pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)


def two_ends(
    suite: Suite = SUITES["hmac-sha-1-96", "aes-cbc"], version: int = 4
) -> tuple[AssociationDatabase, AssociationDatabase]:
    """A sender and a receiver which share one association."""
    sender, receiver = (AssociationDatabase(random.Random(end).randbytes) for end in range(2))
    agreed = association(suite, version=version)
    sender.add([], [agreed])
    receiver.add([agreed], [])
    return sender, receiver


@suites
@pytest.mark.parametrize("version", [4, 6])
def test_udp_and_tcp_pass_over_ipv4_and_ipv6(suite: Suite, version: int) -> None:
    sender, receiver = two_ends(suite, version)
    for sent in (udp(b"OPTIONS", version), udp(b"segment", version)._replace(protocol=TCP)):
        sealed = sender.seal(sent)
        assert (sealed.source, sealed.destination, sealed.protocol) == (*ADDRESSES[version], 50)
        wire = packet.write(sealed)
        assert receiver.open(packet.read(wire)) == sent
    assert receiver.counters.to_json() == {**dict.fromkeys(Counters.NAMES, 0), "opened": 2}


def test_each_drop_is_counted_for_what_it_is() -> None:
    sender, receiver = two_ends()
    sealed = [sender.seal(udp(bytes([number]))) for number in range(80)]
    receiver.open(sealed[0])
    receiver.open(sealed[79])
    receiver.open(sealed[78])

    def dropped(bad: Packet) -> None:
        with pytest.raises(EspError):
            receiver.open(bad)

    good = sealed[77]
    dropped(sealed[79])
    dropped(sealed[1])
    dropped(good._replace(payload=good.payload[:20]))
    dropped(good._replace(payload=good.payload[:3]))
    dropped(good._replace(payload=good.payload[:-1] + b"?"))
    dropped(good._replace(payload=b"\0\0\x20\x01" + good.payload[4:]))
    dropped(good._replace(destination="192.0.2.77"))
    dropped(good._replace(source="192.0.2.66"))
    assert receiver.counters.to_json() == {
        **dict.fromkeys(Counters.NAMES, 0),
        "opened": 3,
        "reordered": 1,
        "replayed": 1,
        "late": 1,
        "truncated": 2,
        "altered": 1,
        "unknown_spi": 2,
        "mismatched": 1,
    }
    assert repr(receiver.counters) == (
        "Counters(opened=3, reordered=1, replayed=1, late=1, truncated=2, altered=1, "
        "unknown_spi=2, mismatched=1)"
    )


def test_a_peer_with_the_keys_cannot_reach_another_port() -> None:
    sender, receiver = two_ends()
    inner = association(SUITES["hmac-sha-1-96", "aes-cbc"])
    sender.add([], [inner._replace(destination=Endpoint(ADDRESSES[4][1], 22))])
    with pytest.raises(EspError, match="not what SPI"):
        receiver.open(sender.seal(udp(b"ssh", ports=(5062, 22))))
    assert receiver.counters.mismatched == 1


def test_what_no_association_covers_is_not_sent() -> None:
    sender, _ = two_ends()
    with pytest.raises(Unprotected):
        sender.seal(udp(b"x", ports=(5062, 5060)))
    with pytest.raises(Unprotected, match="neither UDP nor TCP"):
        sender.seal(udp(b"x")._replace(protocol=1))
    with pytest.raises(Unprotected, match="without ports"):
        sender.seal(udp(b"x")._replace(payload=b"\0\0\0"))
    assert sender.counters.unprotected == 3
    assert sender.counters.sealed == 0


def test_a_newer_association_takes_over_the_flow_and_the_old_is_opened_still() -> None:
    sender, receiver = two_ends()
    older = sender.seal(udp(b"old"))
    newer = association(SUITES["null", "aes-gcm"], spi=0x2002)
    sender.add([], [newer])
    receiver.add([newer], [])
    sealed = sender.seal(udp(b"new"))
    assert sealed.payload[:4] == b"\0\0\x20\x02"
    assert receiver.open(sealed) == udp(b"new")
    assert receiver.open(older) == udp(b"old")
    sender.remove([], [association(SUITES["hmac-sha-1-96", "aes-cbc"])])
    assert sender.seal(udp(b"new")).payload[:4] == b"\0\0\x20\x02"


def test_removed_associations_serve_no_more() -> None:
    sender, receiver = two_ends()
    agreed = association(SUITES["hmac-sha-1-96", "aes-cbc"])
    sealed = sender.seal(udp(b"x"))
    for database in (sender, receiver):
        database.remove([agreed], [agreed])
        database.remove([agreed], [agreed])
        assert len(database) == 0
    with pytest.raises(UnknownSpi):
        receiver.open(sealed)
    with pytest.raises(Unprotected):
        sender.seal(udp(b"x"))


def test_an_spi_is_taken_once() -> None:
    _, receiver = two_ends()
    with pytest.raises(LocalError, match="0x1001"):
        receiver.add([association(SUITES["null", "aes-gcm"])], [])


@pytest.mark.parametrize("version", [4, 6])
def test_ip_packets_are_written_and_read(version: int) -> None:
    sent = udp(b"data", version)
    wire = packet.write(sent)
    assert packet.read(wire) == sent
    assert packet.read(wire + b"link layer padding") == sent
    for size in range(len(wire)):
        with pytest.raises(Truncated):
            packet.read(wire[:size])


def test_an_ipv4_header_adds_up_to_ones() -> None:
    """RFC 1071 §1: how a receiver checks it."""
    wire = packet.write(Packet("192.0.2.1", "192.0.2.2", 17, bytes(8)))
    total = sum(int.from_bytes(wire[at : at + 2], "big") for at in range(0, 20, 2))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


def test_fragments_and_other_versions_are_refused() -> None:
    wire = bytearray(packet.write(udp(b"data")))
    wire[6] = 0x20
    with pytest.raises(EspError, match="fragment"):
        packet.read(bytes(wire))
    with pytest.raises(EspError, match="IP version 5"):
        packet.read(b"\x55" + bytes(40))
    with pytest.raises(EspError, match="do not fit"):
        packet.write(udp(bytes(65520)))


@settings(max_examples=300, deadline=None)
@given(garbage=st.binary(max_size=90), first=st.sampled_from([0x45, 0x46, 0x60, 0x4F, 0x00]))
def test_garbage_raises_only_our_errors(garbage: bytes, first: int) -> None:
    _, receiver = two_ends()
    data = bytes([first]) + garbage
    try:
        receiver.open(packet.read(data))
    except EspError:
        return
    raise AssertionError("garbage was opened")
