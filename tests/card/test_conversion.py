"""c2 and c3, from the 3G values to those of GSM, against TS 55.205 and libosmocore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.milenage import Milenage

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
GSM: list[dict[str, Any]] = json.loads((VECTORS / "gsm_milenage_ts55205.json").read_text())["sets"]
UMTS = {
    entry["set"]: {name: value for name, value in entry.items() if name != "set"}
    for entry in json.loads((VECTORS / "milenage_ts35208.json").read_text())["sets"]
}
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")


@pytest.mark.parametrize("entry", GSM, ids=lambda entry: str(entry["set"]))
def test_every_set_of_ts_55_205(entry: dict[str, Any]) -> None:
    inputs = UMTS[entry["ts35208_set"]]
    k, opc, rand = (bytes.fromhex(inputs[name]) for name in ("K", "OPc", "RAND"))
    res, ck, ik, _ = Milenage(k, opc).f2345(rand)
    assert sres_from_res(res).hex() == entry["SRES_1"]
    assert res[:4].hex() == entry["SRES_2"]
    assert kc_from_keys(ck, ik).hex() == entry["Kc"]


def test_all_nineteen_sets_are_there() -> None:
    assert [entry["set"] for entry in GSM] == list(range(1, 20))
    assert [entry["ts35208_set"] for entry in GSM] == list(range(2, 21))


@pytest.mark.parametrize("octets", range(4, 17))
def test_sres_of_every_length_of_res(octets: int) -> None:
    """Each octet of SRES is the XOR of every fourth one; what is missing counts as 0."""
    res = bytes(range(1, octets + 1))
    expected = [0, 0, 0, 0]
    for place, octet in enumerate(res):
        expected[place % 4] ^= octet
    assert sres_from_res(res) == bytes(expected)
