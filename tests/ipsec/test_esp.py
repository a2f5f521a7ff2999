"""ESP packets: published vectors, every suite both ways, and what is dropped (RFC 4303)."""

from __future__ import annotations

import random

import pytest
from associations_of import EVERY_SUITE, association
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.ipsec.association import SecurityAssociation
from sipua.ipsec.errors import (
    Altered,
    EspError,
    Late,
    Replayed,
    SequenceExhausted,
    Truncated,
)
from sipua.ipsec.esp import LAST_SEQUENCE, Opener, Sealer
from sipua.ipsec.keys import SessionKeys
from sipua.ipsec.replay import WINDOW, ReplayWindow
from sipua.ipsec.suite import SUITES, Suite

suites = pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)


def pair(suite: Suite, seed: int = 1) -> tuple[Sealer, Opener]:
    agreed = association(suite)
    return Sealer(agreed, random.Random(seed).randbytes), Opener(agreed)


def test_rfc_3602_case_5_is_sealed_to_the_octet() -> None:
    """Transport-mode ESP of a ping; the vector has no ICV, ours follows what it has."""
    suite = SUITES["hmac-sha-1-96", "aes-cbc"]
    iv = bytes.fromhex("e96e8c08ab465763fd098d45dd3ff893")
    ping = bytes.fromhex("08000ebda70a00008e9c083db95b0700") + bytes(range(8, 56))
    key = SessionKeys(bytes(20), bytes.fromhex("90d382b410eeba7ad938c46cec1a82bf"), b"")
    agreed = association(suite, spi=0x4321)._replace(keys=key)
    sealed = Sealer(agreed, lambda size: iv).seal(ping, 1)
    assert sealed[:24] == bytes.fromhex("0000432100000001") + iv
    assert sealed[24:-12] == bytes.fromhex(
        "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
        "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a"
        "a269add047ad2d5913ac19b7cfbad4a6"
    )


@suites
@pytest.mark.parametrize("size", [0, 1, 2, 3, 13, 14, 15, 16, 500, 1400])
def test_what_is_sealed_is_opened(suite: Suite, size: int) -> None:
    sealer, opener = pair(suite)
    payload = random.Random(size).randbytes(size)
    sealed = sealer.seal(payload, 17)
    assert sealed[:8] == bytes.fromhex("0000100100000001")
    assert (len(sealed) - 8 - suite.iv - suite.icv) % suite.block == 0
    assert len(sealed) - 8 - suite.iv - suite.icv - size - 2 < suite.block
    assert opener.open(sealed) == (17, payload, False)


@suites
def test_only_null_encryption_shows_the_payload(suite: Suite) -> None:
    sealer, _ = pair(suite)
    shown = b"REGISTER sip:ims" in sealer.seal(b"REGISTER sip:ims.example SIP/2.0", 17)
    assert shown == (suite.encryption_key == 0)


@suites
def test_every_altered_octet_is_noticed(suite: Suite) -> None:
    sealer, opener = pair(suite)
    sealed = sealer.seal(b"MESSAGE", 17)
    for position in range(4, len(sealed)):  # the SPI chose this opener
        altered = bytearray(sealed)
        altered[position] ^= 0x80
        with pytest.raises(Altered):
            opener.open(bytes(altered))
    assert opener.open(sealed)[1] == b"MESSAGE"


@suites
def test_every_truncation_is_noticed(suite: Suite) -> None:
    sealer, opener = pair(suite)
    sealed = sealer.seal(b"a message of some length", 17)
    least = 8 + suite.iv + suite.icv + 2
    for size in range(len(sealed)):
        with pytest.raises(Truncated if size < least else (Truncated, Altered)):
            opener.open(sealed[:size])


@suites
def test_a_replayed_packet_is_dropped_and_a_late_one_is_opened_once(suite: Suite) -> None:
    sealer, opener = pair(suite)
    first, second, third = (sealer.seal(bytes([number]), 17) for number in range(3))
    assert opener.open(first)[1] == b"\0"
    assert opener.open(third) == (17, b"\2", False)
    assert opener.open(second) == (17, b"\1", True)
    for packet in (first, second, third):
        with pytest.raises(Replayed):
            opener.open(packet)


@suites
def test_a_packet_older_than_the_window_is_dropped(suite: Suite) -> None:
    sealer, opener = pair(suite)
    packets = [sealer.seal(b"x", 17) for _ in range(WINDOW + 1)]
    opener.open(packets[-1])
    assert opener.open(packets[1])[2]
    with pytest.raises(Late):
        opener.open(packets[0])


def test_a_forged_sequence_number_does_not_move_the_window() -> None:
    sealer, opener = pair(SUITES["hmac-sha-1-96", "null"])
    sealed = sealer.seal(b"x", 17)
    forged = sealed[:4] + LAST_SEQUENCE.to_bytes(4, "big") + sealed[8:]
    with pytest.raises(Altered):
        opener.open(forged)
    assert opener.window.highest == 0
    assert opener.open(sealed)[1] == b"x"


def test_sequence_number_zero_is_never_accepted() -> None:
    with pytest.raises(Replayed):
        ReplayWindow().check(0)


@suites
def test_the_sequence_number_does_not_wrap(suite: Suite) -> None:
    sealer, opener = pair(suite)
    sealer.sequence = LAST_SEQUENCE - 1
    assert opener.open(sealer.seal(b"last", 17))[1] == b"last"
    with pytest.raises(SequenceExhausted):
        sealer.seal(b"one more", 17)


@suites
def test_wrong_padding_under_a_right_icv_is_dropped(suite: Suite) -> None:
    """Only a peer that has the keys can do this; it must not fail in another way."""
    sealer, opener = pair(suite)
    protection = sealer._protection
    size = max(suite.block, 4)
    for sequence, text in enumerate(
        (bytes(size - 2) + b"\xff\x11", bytes(size - 2) + bytes((size - 2, 17))), 1
    ):
        header = bytes.fromhex("00001001") + sequence.to_bytes(4, "big")
        with pytest.raises(EspError, match="padding"):
            opener.open(protection.protect(header, text))


def test_no_iv_repeats_among_associations_which_share_a_key() -> None:
    for pair_of in (("null", "aes-gcm"), ("aes-gmac", "null")):
        seen = set()
        for spi in (0x1001, 0x1002, 0x2001, 0x2002):
            sealer = Sealer(association(SUITES[pair_of], spi), bytes)
            for _ in range(50):
                seen.add(sealer.seal(b"x", 17)[8:16])
        assert len(seen) == 200


def test_block_ciphers_take_their_iv_from_chance() -> None:
    suite = SUITES["hmac-sha-1-96", "aes-cbc"]
    assert pair(suite, 1)[0].seal(b"x", 17)[8:24] != pair(suite, 2)[0].seal(b"x", 17)[8:24]


@suites
@settings(max_examples=60, deadline=None)
@given(garbage=st.binary(max_size=200))
def test_garbage_raises_nothing_else(suite: Suite, garbage: bytes) -> None:
    with pytest.raises(EspError):
        pair(suite)[1].open(garbage)


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(
        st.one_of(st.integers(1, 200), st.integers(1, LAST_SEQUENCE)), min_size=1, max_size=80
    )
)
def test_the_window_agrees_with_a_plain_list(numbers: list[int]) -> None:
    window, accepted = ReplayWindow(), set[int]()
    for number in numbers:
        highest = max(accepted, default=0)
        try:
            window.check(number)
        except Replayed:
            assert number in accepted
        except Late:
            assert number <= highest - WINDOW
        else:
            assert number not in accepted
            assert number > highest - WINDOW
            assert window.accept(number) == (number < highest)
            accepted.add(number)


def test_the_repr_hides_the_keys() -> None:
    agreed: SecurityAssociation = association(SUITES["null", "aes-gcm"])
    assert "0x00001001" in repr(agreed)
    for key in (agreed.keys.encryption, agreed.keys.salt):
        assert repr(key) not in repr(agreed)
        assert key.hex() not in repr(agreed)
    assert repr(agreed.keys) == "SessionKeys(<secret>)"
