"""Texts cut into messages, and put together again out of order, twice, late or never."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import LocalError
from sipua.sms.coding import GSM7, UCS2, Coding
from sipua.sms.joining import MISSING, Joined, Joiner
from sipua.sms.segmentation import split
from sipua.sms.user_data import UserData

BOB = "+4915112345678"


@pytest.mark.parametrize(
    ("text", "wide", "parts"),
    [
        ("", False, 1),
        ("x" * 160, False, 1),
        ("x" * 161, False, 2),
        ("x" * 306, False, 2),
        ("x" * 307, False, 3),
        ("x" * 304, True, 2),
        ("x" * 305, True, 3),
        ("€" * 80, False, 1),
        ("€" * 79 + "x", False, 1),
        ("€" * 153, False, 3),  # an escape is not cut: 152 septets in each
        ("€" * 229 + "x", False, 4),
        ("ő" * 70, False, 1),
        ("ő" * 70 + "x", False, 2),
        ("ő" * 134, False, 2),
        ("ő" * 135, False, 3),
        ("ő" * 132, True, 2),
        ("ő" * 133, True, 3),
        ("\N{GRINNING FACE}" * 35, False, 1),
        ("\N{GRINNING FACE}" * 36, False, 2),
        ("\N{GRINNING FACE}" * 67, False, 3),  # a pair is not cut: 66 units in each
        ("x" * 255 * 153, False, 255),
        ("ő" * 255 * 67, False, 255),
    ],
)
def test_how_many_messages_a_text_takes(text: str, wide: bool, parts: int) -> None:
    pieces = split(text, 7, wide=wide)
    assert len(pieces) == parts
    for number, piece in enumerate(pieces, 1):
        piece.to_octets()
        if parts > 1:
            assert piece.part == (7, parts, number, wide)
    assert "".join(piece.text for piece in pieces) == text


@pytest.mark.parametrize("text", ["x" * (255 * 153 + 1), "ő" * (255 * 67 + 1)])
def test_a_text_too_long_for_any_number_of_messages(text: str) -> None:
    with pytest.raises(LocalError):
        split(text)


def test_a_surrogate_alone_does_no_harm() -> None:
    assert split("\ud800ж")[0].text == "?ж"


@settings(deadline=None)
@given(st.text(min_size=1, max_size=900), st.booleans(), st.randoms())
def test_any_text_comes_back_in_any_order(text: str, wide: bool, order: random.Random) -> None:
    text = text.encode("utf-16-be", "replace").decode("utf-16-be")
    pieces = split(text, 4711 if wide else 17, wide=wide)
    order.shuffle(pieces)
    joiner = Joiner()
    joined = []
    for piece in pieces:
        joined += joiner.add(BOB, piece, 0)
        joined += joiner.add(BOB, piece, 0) if len(pieces) > 1 and not joined else []
    assert [each.text for each in joined] == [text]


def test_texts_of_several_senders_at_once() -> None:
    texts = {name: f"{name} " * 50 for name in ("alice", "bob", "carol")}
    joiner = Joiner()
    joined = []
    for number in (1, 0):
        for name, text in texts.items():
            joined += joiner.add(name, split(text, 5)[number], 0)
    assert {each.originator: each.text for each in joined} == texts


def test_one_sender_with_two_references() -> None:
    joiner = Joiner()
    first, second = split("a" * 161, 1), split("b" * 161, 2)
    assert joiner.add(BOB, first[0], 0) == []
    assert joiner.add(BOB, second[0], 0) == []
    assert joiner.add(BOB, second[1], 0)[0].text == "b" * 161
    assert joiner.add(BOB, first[1], 0)[0].text == "a" * 161


def test_a_pair_of_surrogates_cut_by_the_sender_is_whole_again() -> None:
    whole = "\N{GRINNING FACE}".encode("utf-16-be")
    header = [piece.header for piece in split("ő" * 100, 9)]
    joiner = Joiner()
    assert joiner.add(BOB, UserData(whole[2:], Coding(UCS2), header[1]), 0) == []
    (joined,) = joiner.add(BOB, UserData(whole[:2], Coding(UCS2), header[0]), 0)
    assert joined.text == "\N{GRINNING FACE}"


def test_parts_in_different_alphabets() -> None:
    header = [piece.header for piece in split("ő" * 100, 9)]
    joiner = Joiner()
    joiner.add(BOB, UserData(b"abc", Coding(GSM7), header[0]), 0)
    (joined,) = joiner.add(BOB, UserData("ő".encode("utf-16-be"), Coding(UCS2), header[1]), 0)
    assert joined.text == "abcő"


def test_what_never_comes_is_given_up() -> None:
    joiner = Joiner(patience=100)
    pieces = split("a" * 153 + "b" * 153 + "c" * 153 + "d" * 153 + "e")
    assert joiner.deadline() is None
    joiner.add(BOB, pieces[3], 0)
    joiner.add(BOB, pieces[0], 50)
    assert joiner.deadline() == 150
    assert joiner.expire(149) == []
    text = "a" * 153 + MISSING + "d" * 153 + MISSING
    assert joiner.expire(150) == [Joined(text, 2, 3, BOB)]
    assert joiner.deadline() is None


def test_memory_is_bounded() -> None:
    joiner = Joiner(limit=3)
    given_up = []
    for reference in range(256):
        given_up += joiner.add(BOB, split("x" * 161, reference)[0], reference)
    assert len(given_up) == 253
    assert {each.missing for each in given_up} == {1}
    assert len(joiner.expire(1e9)) == 3
