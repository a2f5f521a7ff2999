"""TUAK and Keccak-f[1600] against every published set (TS 35.232, TS 35.233)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from card.aka.keccak import keccak_f1600
from card.aka.tuak import Tuak, derive_topc
from card.aka.vector import make_auts, make_vector, open_autn, open_auts

FILE = Path(__file__).parents[2] / "fixtures" / "vectors" / "tuak_ts35232.json"
DATA = json.loads(FILE.read_text())
SETS: list[dict[str, Any]] = DATA["sets"]
FUNCTIONS = ("f1", "f1star", "f2", "f3", "f4", "f5", "f5star")
OCTETS = ("K", "RAND", "SQN", "AMF", "TOP", "TOPc", *FUNCTIONS)
SIZES = ("K_bits", "keccak_iterations", "mac_bits", "ck_bits", "ik_bits", "res_bits")
REMARKS = {"set", "spec", "verified_own", "shake256_reproduces", "in_CryptoMobile_tests"}
RAND = bytes(range(16))


def octets(entry: dict[str, Any]) -> dict[str, bytes]:
    return {name: bytes.fromhex(entry[name]) for name in OCTETS}


def options(entry: dict[str, Any]) -> dict[str, int]:
    lengths = {f"{name}_length": entry[f"{name}_bits"] // 8 for name in ("mac", "res", "ck", "ik")}
    return {"iterations": entry["keccak_iterations"], **lengths}


@pytest.mark.parametrize("entry", DATA["keccak_f1600"], ids=lambda entry: str(entry["set"]))
def test_the_permutation(entry: dict[str, Any]) -> None:
    assert keccak_f1600(bytes.fromhex(entry["IN"])).hex() == entry["OUT"]


@pytest.mark.parametrize("message", [b"", b"abc", bytes(135), bytes(range(100))])
def test_one_permutation_is_shake256_of_one_block(message: bytes) -> None:
    state = bytearray((message + b"\x1f").ljust(200, b"\x00"))
    state[135] ^= 0x80
    assert keccak_f1600(bytes(state))[:136] == hashlib.shake_256(message).digest(136)


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: str(entry["set"]))
class TestEverySet:
    def test_no_field_is_left_out(self, entry: dict[str, Any]) -> None:
        assert set(entry) - REMARKS == {*OCTETS, *SIZES}
        assert len(octets(entry)["K"]) * 8 == entry["K_bits"]

    def test_topc(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        assert derive_topc(v["K"], v["TOP"], entry["keccak_iterations"]) == v["TOPc"]
        assert Tuak.from_top(v["K"], v["TOP"], **options(entry)).topc == v["TOPc"]

    def test_functions(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        tuak = Tuak(v["K"], v["TOPc"], **options(entry))
        assert tuak.f1(v["RAND"], v["SQN"], v["AMF"]) == v["f1"]
        assert tuak.f1star(v["RAND"], v["SQN"], v["AMF"]) == v["f1star"]
        assert tuak.f2(v["RAND"]) == v["f2"]
        assert tuak.f3(v["RAND"]) == v["f3"]
        assert tuak.f4(v["RAND"]) == v["f4"]
        assert tuak.f5(v["RAND"]) == v["f5"]
        assert tuak.f5star(v["RAND"]) == v["f5star"]

    def test_what_a_usim_answers_has_keys_of_16_octets(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        tuak = Tuak(v["K"], v["TOPc"], **options(entry))
        assert tuak.f2345(v["RAND"]) == (v["f2"], v["f3"][:16], v["f4"][:16], v["f5"])

    def test_autn_and_auts_with_the_mac_of_8_octets(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        tuak = Tuak(v["K"], v["TOPc"], **(options(entry) | {"mac_length": 8}))
        sqn = int.from_bytes(v["SQN"], "big")
        vector = make_vector(tuak, v["RAND"], sqn, v["AMF"])
        assert open_autn(tuak, v["RAND"], vector.autn) == sqn
        if entry["mac_bits"] == 64:
            hidden = bytes(a ^ b for a, b in zip(v["SQN"], v["f5"], strict=True))
            assert vector.autn == hidden + v["AMF"] + v["f1"]
        auts = make_auts(tuak, v["RAND"], sqn)
        assert auts[:6] == bytes(a ^ b for a, b in zip(v["SQN"], v["f5star"], strict=True))
        assert open_auts(tuak, v["RAND"], auts) == sqn


def test_left_alone_it_is_that_of_a_usim() -> None:
    v = octets(SETS[0])
    sizes = {"iterations": 1, "mac_length": 8, "res_length": 8, "ck_length": 16, "ik_length": 16}
    plain, said = Tuak.from_top(v["K"], v["TOP"]), Tuak(v["K"], v["TOPc"], **sizes)
    assert plain.topc == v["TOPc"]
    assert Tuak(v["K"], v["TOPc"]).f2345(RAND) == plain.f2345(RAND) == said.f2345(RAND)
    assert plain.f1(RAND, v["SQN"], v["AMF"]) == said.f1(RAND, v["SQN"], v["AMF"])


def test_most_iterations() -> None:
    assert len(Tuak(bytes(16), bytes(32), iterations=255).f2(RAND)) == 8


def test_several_iterations_differ_from_one() -> None:
    outputs = [Tuak(bytes(16), bytes(32), iterations=n).f2(RAND) for n in (1, 2, 3)]
    assert len(set(outputs)) == 3


@pytest.mark.parametrize("length", range(4, 17))
def test_res_of_every_length_is_cut_from_the_next_longer_one(length: int) -> None:
    def res(length: int) -> bytes:
        return Tuak(bytes(32), bytes(32), res_length=length).f2345(RAND)[0]

    longer = next(each for each in (4, 8, 16) if each >= length)
    assert len(res(length)) == length
    assert res(length) in res(longer)


def test_a_new_rand_is_not_answered_from_the_last_one() -> None:
    tuak = Tuak(bytes(16), bytes(32))
    answers = [tuak.f2345(rand) for rand in (RAND, bytes(16), RAND)]
    assert answers[0] == answers[2] != answers[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": bytes(24)},
        {"topc": bytes(16)},
        {"iterations": 0},
        {"iterations": 256},
        {"mac_length": 4},
        {"res_length": 3},
        {"res_length": 33},
        {"ck_length": 24},
        {"ik_length": 8},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="TUAK"):
        Tuak(**({"k": bytes(16), "topc": bytes(32)} | wrong))


def test_rand_sqn_amf_and_top_of_another_size_are_refused() -> None:
    tuak = Tuak(bytes(16), bytes(32))
    with pytest.raises(ValueError, match="RAND"):
        tuak.f2345(bytes(15))
    with pytest.raises(ValueError, match="SQN"):
        tuak.f1(RAND, bytes(5), bytes(2))
    with pytest.raises(ValueError, match="AMF"):
        tuak.f1(RAND, bytes(6), bytes(3))
    with pytest.raises(ValueError, match="TOP"):
        derive_topc(bytes(16), bytes(16))


def test_nothing_secret_in_repr() -> None:
    assert repr(Tuak(bytes(range(16)), bytes(range(32)))) == "Tuak(k=<secret>, topc=<secret>)"
