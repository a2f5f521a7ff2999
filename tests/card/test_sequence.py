"""SQN rules of TS 33.102 Annex C: the card's and the network's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from card.aka.sequence import DELTA, SQN_MAX, SequenceArray, next_sqn, resync

FILE = Path(__file__).parents[2] / "fixtures" / "vectors" / "auts_libosmocore.json"


def answers(array: SequenceArray, *sqns: int) -> list[bool]:
    return [array.accept(sqn) for sqn in sqns]


def test_late_in_another_ind_is_fresh_but_not_in_the_same() -> None:
    assert answers(SequenceArray(), 32, 64, 33) == [True, True, True]
    assert answers(SequenceArray(), 32, 96, 64) == [True, True, False]


def test_a_replay_is_refused_and_leaves_no_trace() -> None:
    array = SequenceArray()
    assert answers(array, 64, 64) == [True, False]
    assert array.sqn_ms == 64
    assert array.values == [64] + [0] * 31


def test_seq_0_is_never_fresh() -> None:
    assert answers(SequenceArray(), *range(32)) == [False] * 32


def test_a_jump_beyond_delta_is_refused() -> None:
    array = SequenceArray()
    assert not array.accept((DELTA + 1) << 5)
    assert array.sqn_ms == 0
    assert array.accept(DELTA << 5)
    assert array.accept(((DELTA * 2) << 5) + 7)


def test_delta_counts_from_the_highest_of_all_inds() -> None:
    array = SequenceArray(delta=10)
    assert answers(array, 10 << 5, (20 << 5) + 1, (30 << 5) + 2) == [True, True, True]


def test_age_limit() -> None:
    array = SequenceArray(limit=4)
    assert array.accept(10 << 5)
    assert not array.accept((6 << 5) + 1)
    assert array.accept((7 << 5) + 1)
    assert SequenceArray(values=[10 << 5]).accept((1 << 5) + 1)


def test_sqn_ms_is_the_highest_accepted_with_its_ind() -> None:
    array = SequenceArray()
    answers(array, (5 << 5) + 3, (4 << 5) + 9)
    assert array.sqn_ms == (5 << 5) + 3


def test_state_comes_back() -> None:
    array = SequenceArray()
    answers(array, 32, 65, 99)
    again = SequenceArray(values=array.values)
    assert again.values == array.values
    assert not again.accept(65)


@pytest.mark.parametrize("values", [[0] * 33, [-1], [SQN_MAX + 1]])
def test_state_that_cannot_be_is_refused(values: list[int]) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        SequenceArray(values=values)


def test_without_ind() -> None:
    array = SequenceArray(ind_bits=0)
    assert answers(array, 1, 3, 2, 4) == [True, True, False, True]


def test_published_next_sqn() -> None:
    first, second = json.loads(FILE.read_text())["resync_next_sqn"]
    assert next_sqn(first["sqn_ms"], first["ind_bitlen"], first["ind"]) == first["next"]
    assert "ind_bitlen=5, ind=10: SQN 42 then 74 then 106" in second["note"]
    sqn, seen = 31, []
    for _ in range(3):
        sqn = next_sqn(sqn, 5, 10)
        seen.append(sqn)
    assert seen == [42, 74, 106]


def test_next_sqn_stays_within_48_bits() -> None:
    assert next_sqn(SQN_MAX) == 0
    assert next_sqn(0, ind=33) == next_sqn(0, ind=1)


@pytest.mark.parametrize("ind_bits", [0, 5, 8])
def test_the_card_takes_what_the_network_counts(ind_bits: int) -> None:
    array, sqn = SequenceArray(ind_bits), 0
    for ind in (0, 3, 3, 0, 1):
        sqn = next_sqn(sqn, ind_bits, ind)
        assert array.accept(sqn)


def test_resync_moves_a_network_that_lies_behind_or_too_far_ahead() -> None:
    assert resync(32, 3200) == 3200
    assert resync((DELTA + 200) << 5, 3200) == 3200
    for sqn_he in (32, (DELTA + 200) << 5):
        array = SequenceArray(values=[3200])
        assert array.accept(next_sqn(resync(sqn_he, array.sqn_ms)))


def test_an_old_auts_does_not_turn_the_network_back() -> None:
    assert resync(6400, 3200) == 6400
    assert resync(3200, 3200) == 3200
