"""Milenage against every published set (TS 35.208 §4.3 and TS 35.207)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from card.aka.milenage import Milenage, derive_opc
from card.aka.vector import make_auts, make_vector, open_autn, open_auts

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
SETS: list[dict[str, Any]] = json.loads((VECTORS / "milenage_ts35208.json").read_text())["sets"]
COMPARED = {
    *("K", "RAND", "SQN", "AMF", "OP", "OPc", "f1", "f1star", "f2", "f3", "f4", "f5", "f5star"),
    *("AUTN", "MACS_amf0000", "AUTS_if_SQNms_eq_SQN"),
}
REMARKS = {"set", "spec", "verified", "note"}


def octets(entry: dict[str, Any]) -> dict[str, bytes]:
    return {name: bytes.fromhex(entry[name]) for name in COMPARED}


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: str(entry["set"]))
class TestEverySet:
    def test_no_field_is_left_out(self, entry: dict[str, Any]) -> None:
        assert set(entry) - REMARKS == COMPARED

    def test_functions(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        functions = Milenage(v["K"], v["OPc"])
        assert functions.f1(v["RAND"], v["SQN"], v["AMF"]) == v["f1"]
        assert functions.f1star(v["RAND"], v["SQN"], v["AMF"]) == v["f1star"]
        assert functions.f1star(v["RAND"], v["SQN"], b"\x00\x00") == v["MACS_amf0000"]
        assert functions.f2345(v["RAND"]) == (v["f2"], v["f3"], v["f4"], v["f5"])
        assert functions.f2(v["RAND"]) == v["f2"]
        assert functions.f3(v["RAND"]) == v["f3"]
        assert functions.f4(v["RAND"]) == v["f4"]
        assert functions.f5(v["RAND"]) == v["f5"]
        assert functions.f5star(v["RAND"]) == v["f5star"]

    def test_opc(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        assert derive_opc(v["K"], v["OP"]) == v["OPc"]
        assert Milenage.from_op(v["K"], v["OP"]).opc == v["OPc"]

    def test_autn_and_auts(self, entry: dict[str, Any]) -> None:
        v = octets(entry)
        functions = Milenage(v["K"], v["OPc"])
        sqn = int.from_bytes(v["SQN"], "big")
        vector = make_vector(functions, v["RAND"], sqn, v["AMF"])
        assert tuple(vector) == (v["RAND"], v["AUTN"], v["f2"], v["f3"], v["f4"])
        assert open_autn(functions, v["RAND"], v["AUTN"]) == sqn
        assert make_auts(functions, v["RAND"], sqn) == v["AUTS_if_SQNms_eq_SQN"]
        assert open_auts(functions, v["RAND"], v["AUTS_if_SQNms_eq_SQN"]) == sqn


def test_a_new_rand_is_not_answered_from_the_last_one() -> None:
    first, second = octets(SETS[3]), octets(SETS[4])
    functions = Milenage(first["K"], first["OPc"])
    answers = [functions.f2345(rand) for rand in (first["RAND"], second["RAND"], first["RAND"])]
    assert answers[0] == answers[2] != answers[1]


@pytest.mark.parametrize(("k", "opc"), [(15, 16), (16, 17), (0, 0), (32, 16)])
def test_keys_of_another_size_are_refused(k: int, opc: int) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        Milenage(bytes(k), bytes(opc))
    with pytest.raises(ValueError, match="16 octets"):
        derive_opc(bytes(k), bytes(opc))


def test_rand_sqn_and_amf_of_another_size_are_refused() -> None:
    functions = Milenage(bytes(16), bytes(16))
    with pytest.raises(ValueError, match="RAND"):
        functions.f2345(bytes(15))
    with pytest.raises(ValueError, match="SQN"):
        functions.f1(bytes(16), bytes(5), bytes(2))


def test_nothing_secret_in_repr() -> None:
    k, opc = bytes(range(16)), bytes(range(16, 32))
    functions = Milenage(k, opc)
    vector = make_vector(functions, bytes(16), 32, bytes(2))
    for secret in (k, opc, vector.xres, vector.ck, vector.ik):
        assert secret.hex() not in repr(functions) + repr(vector)
        assert repr(secret) not in repr(functions) + repr(vector)
