"""BER-TLV: both directions, fillers, and broken data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card.errors import AnswerError
from card.tlv import Tlv, write_tlv

tags = st.sampled_from([0x4F, 0x50, 0x61, 0x80, 0x9F70, 0x7F21, 0xDF8101])


@pytest.mark.parametrize(
    ("octets", "objects"),
    [
        ("", []),
        ("800101", [(0x80, b"\x01")]),
        ("8000", [(0x80, b"")]),
        ("FF00800101FFFF", [(0x80, b"\x01")]),
        ("7F21020102", [(0x7F21, b"\x01\x02")]),
        ("DF81010102", [(0xDF8101, b"\x02")]),
        ("80810101", [(0x80, b"\x01")]),
        ("8082000101", [(0x80, b"\x01")]),
        ("FFFFFF", []),
    ],
)
def test_reading(octets: str, objects: list[tuple[int, bytes]]) -> None:
    assert Tlv(bytes.fromhex(octets)).objects == objects


@pytest.mark.parametrize(
    "octets",
    ["80", "8002FF", "8081", "808201", "8083000001AA", "8080", "80FF", "9F", "9F81", "DF81818101"],
)
def test_broken_data(octets: str) -> None:
    with pytest.raises(AnswerError):
        Tlv(bytes.fromhex(octets))


@given(st.lists(st.tuples(tags, st.binary(max_size=300))))
def test_there_and_back(objects: list[tuple[int, bytes]]) -> None:
    assert Tlv(b"".join(write_tlv(tag, value) for tag, value in objects)).objects == objects


@pytest.mark.parametrize(("size", "field"), [(127, "7f"), (128, "8180"), (256, "820100")])
def test_the_length_field_is_the_shortest(size: int, field: str) -> None:
    assert write_tlv(0x80, bytes(size)).hex().startswith("80" + field + "00")


def test_value_values_and_membership() -> None:
    tlv = Tlv(bytes.fromhex("83010183018182008301FF"))
    assert tlv.value(0x83) == b"\x01"
    assert tlv.values(0x83) == [b"\x01", b"\x81", b"\xff"]
    assert 0x82 in tlv
    assert 0x84 not in tlv
    with pytest.raises(AnswerError, match="tag 84"):
        tlv.value(0x84)


@given(st.binary(max_size=64))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        tlv = Tlv(octets)
    except AnswerError:
        return
    assert sum(len(value) for _, value in tlv) <= len(octets)
