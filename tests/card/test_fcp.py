"""File control parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card.errors import AnswerError
from card.fcp import Fcp, PinEntry, parse_fcp
from card.tlv import write_tlv


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("6200", Fcp()),
        ("620E820241218002000983026F078800", Fcp(size=9, structure="transparent")),
        (
            "620F820542210026038002007283026F04",
            Fcp(size=0x72, record_length=0x26, structure="linear fixed"),
        ),
        ("620482024621", Fcp(structure="cyclic")),
        ("620482023921", Fcp(structure="BER-TLV")),
        ("620482027821", Fcp(structure="directory")),
        (
            "62158410A0000000871004FFFFFFFF8907090000" + "8A0105",
            Fcp(aid=bytes.fromhex("A0000000871004FFFFFFFF8907090000")),
        ),
    ],
)
def test_parameters(octets: str, expected: Fcp) -> None:
    assert parse_fcp(bytes.fromhex(octets)) == expected


@pytest.mark.parametrize("octets", ["", "6F00", "6205", "6204C6039001", "85020102"])
def test_what_is_no_fcp(octets: str) -> None:
    with pytest.raises(AnswerError):
        parse_fcp(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("status", "pins", "pin"),
    [
        ("90012083010183018183010A", [(1, 0, 1), (0x81, 0, 1), (0x0A, 1, 1)], (0x01, False)),
        ("9001A083010183018183010A", [(1, 1, 1), (0x81, 0, 1), (0x0A, 1, 1)], (0x01, True)),
        ("90014083010183018183010A", [(1, 0, 1), (0x81, 1, 1), (0x0A, 0, 1)], (0x01, False)),
        ("90018083018183010A", [(0x81, 1, 1), (0x0A, 0, 1)], (0x81, True)),
        ("900100830181", [(0x81, 0, 1)], (0x81, False)),
        ("900140830101950108830111", [(1, 0, 1), (0x11, 1, 1)], (0x11, True)),
        ("900140830101950100830111", [(1, 0, 1), (0x11, 1, 0)], (0x01, False)),
        ("9001C0830105830181", [(5, 1, 1), (0x81, 1, 1)], (0x05, True)),
        ("9001FF" + "830101" * 9, [(1, 1, 1)] * 8, (0x01, True)),
        ("", [], (0x01, False)),
    ],
)
def test_pin_status(status: str, pins: list[tuple[int, int, int]], pin: tuple[int, bool]) -> None:
    template = f"C6{len(status) // 2:02X}{status}"
    fcp = parse_fcp(bytes.fromhex(f"62{len(template) // 2:02X}{template}"))
    assert list(fcp.pins or ()) == pins
    assert fcp.pin == pin


DESCRIPTORS = {"transparent": 0x41, "linear fixed": 0x42, "cyclic": 0x46}
references = st.integers(1, 0x9F)
entries = st.lists(st.builds(PinEntry, references, st.booleans(), st.booleans()), max_size=8)


@given(
    st.sampled_from(sorted(DESCRIPTORS)), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), entries
)
def test_any_fcp_there_and_back(
    structure: str, size: int, length: int, pins: list[PinEntry]
) -> None:
    bits = sum(0x80 >> at for at, each in enumerate(pins) if each.enabled)
    status = write_tlv(0x90, bytes((bits,)))
    for each in pins:
        status += b"" if each.used else write_tlv(0x95, b"\x00")
        status += write_tlv(0x83, bytes((each.reference,)))
    template = (
        write_tlv(0x82, bytes((DESCRIPTORS[structure], 0x21)) + length.to_bytes(2, "big"))
        + write_tlv(0x80, size.to_bytes(2, "big"))
        + write_tlv(0xC6, status)
    )
    fcp = parse_fcp(write_tlv(0x62, template))
    assert fcp == Fcp(size, length, b"", tuple(pins), structure)
