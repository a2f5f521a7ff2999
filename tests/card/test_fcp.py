"""File control parameters."""

from __future__ import annotations

import pytest

from card.errors import AnswerError
from card.fcp import Fcp, parse_fcp


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("6200", Fcp()),
        ("620E820241218002000983026F078800", Fcp(size=9)),
        ("620F820542210026038002007283026F04", Fcp(size=0x72, record_length=0x26)),
        (
            "62158410A0000000871004FFFFFFFF8907090000" + "8A0105",
            Fcp(aid=bytes.fromhex("A0000000871004FFFFFFFF8907090000")),
        ),
        ("620EC60C900120830101830181" + "83010A", Fcp(pin=(0x01, False))),
        ("620EC60C9001A0830101830181" + "83010A", Fcp(pin=(0x01, True))),
        ("620EC60C900140830101830181" + "83010A", Fcp(pin=(0x81, True))),
        ("6202C600", Fcp(pin=(0x01, False))),
    ],
)
def test_parameters(octets: str, expected: Fcp) -> None:
    assert parse_fcp(bytes.fromhex(octets)) == expected


@pytest.mark.parametrize("octets", ["", "6F00", "6205", "6204C6039001", "85020102"])
def test_what_is_no_fcp(octets: str) -> None:
    with pytest.raises(AnswerError):
        parse_fcp(bytes.fromhex(octets))
