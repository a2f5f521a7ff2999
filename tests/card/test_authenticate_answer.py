"""The answer to AUTHENTICATE in every form that cards and card servers give it."""

from __future__ import annotations

import pytest

from card.aka.result import SynchronisationFailure
from card.authenticate import read_answer
from card.errors import AnswerError

CK, IK, KC, AUTS = b"C" * 16, b"I" * 16, b"K" * 8, b"A" * 14


def field(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def success(res: bytes, kc: bytes = b"") -> bytes:
    return field(res) + field(CK) + field(IK) + (field(kc) if kc else b"")


@pytest.mark.parametrize("octets", range(4, 17))
def test_every_length_of_res(octets: int) -> None:
    res = bytes(range(octets))
    assert read_answer(b"\xdb" + success(res)) == (res, CK, IK, b"")


@pytest.mark.parametrize("res", [bytes(8), b"\x00" + b"r" * 7, b"rrrr\x00rrr", b"r" * 7 + b"\x00"])
def test_zeros_in_res(res: bytes) -> None:
    assert read_answer(b"\xdb" + success(res)).res == res


@pytest.mark.parametrize(
    ("answer", "kc"),
    [
        (b"\xdb" + success(b"r" * 8, KC), KC),
        (b"\xdb" + success(b"r" * 8) + b"\xff" * 9, b""),
        (b"\xdb" + success(b"r" * 8) + b"\x00", b""),
        (b"\xdb" + success(b"r" * 8, KC) + b"\xff\xff", KC),
        (b"\xdb" + success(b"r" * 8) + b"\x08KKK", b""),
        (b"\xdb" + field(success(b"r" * 8)), b""),
        (b"\xdb" + field(success(b"r" * 8, KC)) + b"\xff", KC),
    ],
)
def test_with_kc_filling_and_an_outer_length(answer: bytes, kc: bytes) -> None:
    assert read_answer(answer) == (b"r" * 8, CK, IK, kc)


@pytest.mark.parametrize(
    "answer",
    [
        b"\xdc" + field(AUTS),
        b"\xdc" + field(AUTS) + b"\xff\xff",
        b"\xdc" + field(field(AUTS)),
        b"\xdb" + field(AUTS),
        b"\xdb" + field(AUTS) + b"\x00\x00",
    ],
)
def test_auts(answer: bytes) -> None:
    with pytest.raises(SynchronisationFailure) as failure:
        read_answer(answer)
    assert failure.value.auts == AUTS


def test_a_res_of_14_octets_with_keys_is_a_res() -> None:
    assert read_answer(b"\xdb" + success(AUTS)).res == AUTS


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xdb",
        b"\xdc",
        b"\xdc\x0e" + b"A" * 13,
        b"\xdc" + field(b"A" * 13),
        b"\xdb" + success(b"r" * 3),
        b"\xdb" + success(b"r" * 17),
        b"\xdb" + success(b"r" * 8)[:-1],
        b"\xdb" + field(b"r" * 8) + field(CK[:15]) + field(IK),
        b"\xdb" + field(b"r" * 8) + field(CK),
        b"\xdd" + success(b"r" * 8),
        b"\x04SRES\x08" + KC,
    ],
)
def test_answers_that_are_refused(answer: bytes) -> None:
    with pytest.raises(AnswerError) as failure:
        read_answer(answer)
    assert "72" * 3 not in str(failure.value)
