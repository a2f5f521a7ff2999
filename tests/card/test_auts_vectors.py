"""AUTS, GSM conversion and refusals, against libosmocore's published values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.milenage import Milenage, derive_opc
from card.aka.result import MacFailure
from card.aka.vector import make_auts, make_vector, open_autn, open_auts

FILE = Path(__file__).parents[2] / "fixtures" / "vectors" / "auts_libosmocore.json"
DATA = json.loads(FILE.read_text())
K = bytes.fromhex(DATA["K"])
RAND = bytes.fromhex(DATA["RAND"])
FUNCTIONS = Milenage(K, bytes.fromhex(DATA["OPc"]))


def test_auts() -> None:
    published = {name: bytes.fromhex(value) for name, value in DATA["auts"].items()}
    sqn_ms = int.from_bytes(published["SQN_MS"], "big")
    assert FUNCTIONS.f5star(RAND) == published["AK_star"]
    assert FUNCTIONS.f1star(RAND, published["SQN_MS"], bytes(2)) == published["MAC_S"]
    assert make_auts(FUNCTIONS, RAND, sqn_ms) == published["AUTS"] == published["expected_AUTS"]
    assert open_auts(FUNCTIONS, RAND, published["AUTS"]) == sqn_ms == 31


def test_vector_and_its_gsm_values() -> None:
    published = {name: bytes.fromhex(value) for name, value in DATA["vector_sqn34"].items()}
    sqn = int.from_bytes(published["SQN"], "big")
    vector = make_vector(FUNCTIONS, RAND, sqn, published["AMF"])
    assert vector.autn == published["AUTN"]
    assert (vector.xres, vector.ck, vector.ik) == tuple(published[n] for n in ("RES", "CK", "IK"))
    assert sres_from_res(vector.xres) == published["SRES"]
    assert kc_from_keys(vector.ck, vector.ik) == published["Kc"]


def test_opc_from_op() -> None:
    published = DATA["opc_from_zero_op"]
    assert derive_opc(K, bytes.fromhex(published["OP"])).hex() == published["OPc"]


@pytest.mark.parametrize("octet", range(14))
def test_auts_with_one_bit_turned_is_refused(octet: int) -> None:
    auts = bytearray(make_auts(FUNCTIONS, RAND, 31))
    auts[octet] ^= 1
    with pytest.raises(MacFailure):
        open_auts(FUNCTIONS, RAND, bytes(auts))


@pytest.mark.parametrize("octet", range(16))
def test_autn_with_one_bit_turned_is_refused(octet: int) -> None:
    autn = bytearray(make_vector(FUNCTIONS, RAND, 34, b"\x80\x00").autn)
    autn[octet] ^= 0x80
    with pytest.raises(MacFailure):
        open_autn(FUNCTIONS, RAND, bytes(autn))


@pytest.mark.parametrize("length", [0, 13, 15, 20])
def test_tokens_of_another_size_are_refused(length: int) -> None:
    with pytest.raises(MacFailure, match=str(length)):
        open_auts(FUNCTIONS, RAND, bytes(length))
    with pytest.raises(MacFailure, match=str(length)):
        open_autn(FUNCTIONS, RAND, bytes(length))


def test_mac_s_over_the_amf_of_autn_is_refused() -> None:
    sqn = (31).to_bytes(6, "big")
    hidden = make_auts(FUNCTIONS, RAND, 31)[:6]
    with pytest.raises(MacFailure):
        open_auts(FUNCTIONS, RAND, hidden + FUNCTIONS.f1star(RAND, sqn, b"\x80\x00"))
