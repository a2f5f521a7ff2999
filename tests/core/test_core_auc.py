"""The AuC against the card's own rules: AUTN, SQN, AUTS, and what survives a restart."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from card.aka.milenage import Milenage
from card.aka.result import MacFailure
from card.aka.sequence import IND_BITS, SequenceArray
from card.aka.vector import make_auts, open_autn
from card.errors import StateError
from card.profile import shipped
from card.statefile import StateFile
from sipua.core.auc import BLOCK, Auc
from sipua.core.subscriber import Subscriber, from_profile
from sipua.errors import CredentialsError, LocalError

SUBSCRIBER = from_profile(shipped())
IMPI = SUBSCRIBER.impi
FUNCTIONS = Milenage(SUBSCRIBER.authentication.k, SUBSCRIBER.authentication.opc)


def auc(state: StateFile | None = None, sqn: int = 0) -> Auc:
    secret = SUBSCRIBER.authentication._replace(sqn=sqn)
    return Auc([SUBSCRIBER._replace(authentication=secret)], random.Random(1), state)


def sqn_of(centre: Auc) -> int:
    vector = centre.vector(IMPI)
    return open_autn(FUNCTIONS, vector.rand, vector.autn)


def test_a_card_accepts_vector_after_vector() -> None:
    card, centre = SequenceArray(), auc()
    assert all(card.accept(sqn_of(centre)) for _ in range(100))


def test_a_card_accepts_the_vectors_of_one_round_in_any_order() -> None:
    card, centre = SequenceArray(), auc()
    round_of_ind = [sqn_of(centre) for _ in range(1 << IND_BITS)]
    assert all(card.accept(sqn) for sqn in reversed(round_of_ind))


def test_the_vector_carries_what_the_card_will_answer() -> None:
    vector = auc().vector(IMPI)
    assert (vector.xres, vector.ck, vector.ik) == FUNCTIONS.f2345(vector.rand)[:3]
    assert vector.autn[6:8] == b"\x80\x00"


def test_rand_differs_each_time() -> None:
    centre = auc()
    assert len({centre.vector(IMPI).rand for _ in range(50)}) == 50


def test_an_unknown_subscriber_gets_no_vector() -> None:
    with pytest.raises(LocalError, match="nobody@example"):
        auc().vector("nobody@example.org")


def test_a_card_ahead_is_followed_after_auts() -> None:
    ahead = SequenceArray(values=[0, 0, 5000 << IND_BITS | 2])
    centre = auc()
    vector = centre.vector(IMPI)
    sqn = open_autn(FUNCTIONS, vector.rand, vector.autn)
    assert ahead.accept(sqn)  # another IND: its own count
    ahead = SequenceArray(values=[5000 << IND_BITS | ind for ind in range(32)])
    assert not ahead.accept(sqn)
    centre.resynchronise(IMPI, vector.rand, make_auts(FUNCTIONS, vector.rand, ahead.sqn_ms))
    assert ahead.accept(sqn_of(centre))


def test_a_network_too_far_ahead_comes_back_to_the_card() -> None:
    card, centre = SequenceArray(), auc(sqn=1 << 40)
    vector = centre.vector(IMPI)
    assert not card.accept(open_autn(FUNCTIONS, vector.rand, vector.autn))
    centre.resynchronise(IMPI, vector.rand, make_auts(FUNCTIONS, vector.rand, card.sqn_ms))
    assert card.accept(sqn_of(centre))


def test_an_old_auts_does_not_turn_the_counter_back() -> None:
    centre = auc()
    vector = centre.vector(IMPI)
    old = make_auts(FUNCTIONS, vector.rand, 0)
    before = [sqn_of(centre) for _ in range(9)][-1]
    centre.resynchronise(IMPI, vector.rand, old)
    assert sqn_of(centre) > before


@pytest.mark.parametrize("octet", [0, 5, 6, 13])
def test_a_forged_auts_is_refused_and_changes_nothing(octet: int) -> None:
    centre = auc()
    vector = centre.vector(IMPI)
    forged = bytearray(make_auts(FUNCTIONS, vector.rand, 1 << 40))
    forged[octet] ^= 1
    before = open_autn(FUNCTIONS, vector.rand, vector.autn)
    with pytest.raises(CredentialsError) as caught:
        centre.resynchronise(IMPI, vector.rand, bytes(forged))
    assert caught.value.status == 403
    assert sqn_of(centre) - before < 2 << IND_BITS


def test_auts_for_another_rand_is_refused() -> None:
    centre = auc()
    auts = make_auts(FUNCTIONS, centre.vector(IMPI).rand, 1 << 40)
    with pytest.raises(CredentialsError):
        centre.resynchronise(IMPI, centre.vector(IMPI).rand, auts)


def test_fault_behind_is_an_sqn_no_card_accepts() -> None:
    card, centre = SequenceArray(), auc()
    for _ in range(40):
        vector = centre.vector(IMPI, behind=True)
        assert not card.accept(open_autn(FUNCTIONS, vector.rand, vector.autn))
    assert card.accept(sqn_of(centre))


def test_fault_wrong_mac_is_refused_by_the_card() -> None:
    vector = auc().vector(IMPI, wrong_mac=True)
    with pytest.raises(MacFailure):
        open_autn(FUNCTIONS, vector.rand, vector.autn)


def test_no_sqn_comes_twice_after_a_restart(tmp_path: Path) -> None:
    seen: list[int] = []
    for _ in range(3):
        with StateFile(str(tmp_path / "auc.json")) as state:
            centre = auc(state)
            seen += [sqn_of(centre) for _ in range(5)]
    assert seen == sorted(set(seen))


def test_the_file_is_ahead_of_every_vector_and_seldom_written(tmp_path: Path) -> None:
    path = tmp_path / "auc.json"
    written = set()
    with StateFile(str(path)) as state:
        centre = auc(state)
        for _ in range(2 * BLOCK):
            sqn = sqn_of(centre)
            kept = json.loads(path.read_text())[SUBSCRIBER.imsi]
            assert kept > sqn
            written.add(kept)
    assert len(written) == 3


def test_a_resynchronised_counter_is_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "auc.json")
    with StateFile(path) as state:
        centre = auc(state)
        rand = centre.vector(IMPI).rand
        centre.resynchronise(IMPI, rand, make_auts(FUNCTIONS, rand, 7 << 38))
    with StateFile(path) as state:
        assert sqn_of(auc(state)) > 7 << 38


def test_other_subscribers_keep_their_counters(tmp_path: Path) -> None:
    path = tmp_path / "auc.json"
    path.write_text('{"001019999999999": 4711}')
    with StateFile(str(path)) as state:
        sqn_of(auc(state))
    assert json.loads(path.read_text())["001019999999999"] == 4711


@pytest.mark.parametrize("value", ['"7"', "-1", "true", "1.5", str(1 << 48), "null"])
def test_a_damaged_counter_is_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "auc.json"
    path.write_text(f'{{"{SUBSCRIBER.imsi}": {value}}}')
    with StateFile(str(path)) as state, pytest.raises(StateError, match="48 bits"):
        auc(state)


def test_when_the_disk_fails_no_vector_leaves(tmp_path: Path) -> None:
    state = StateFile(str(tmp_path / "auc.json"))
    centre = auc(state)
    for _ in range(BLOCK - 1):
        centre.vector(IMPI)
    state.close()
    for _ in range(2):
        with pytest.raises(StateError):
            centre.vector(IMPI)


def test_keys_stay_hidden() -> None:
    shown = repr(SUBSCRIBER) + repr(Subscriber(*SUBSCRIBER))
    assert SUBSCRIBER.authentication.k.hex() not in shown
    assert SUBSCRIBER.authentication.opc.hex() not in shown
    assert repr(SUBSCRIBER.authentication.k) not in shown
