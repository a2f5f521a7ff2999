"""What ``[authentication]`` says, for each algorithm: every key, and every way to get one wrong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from card.aka.algorithm import functions_of
from card.aka.milenage_constants import STANDARD_C, STANDARD_R
from card.errors import ProfileError
from card.profile import Authentication, parse

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
TUAK_SETS: list[dict[str, Any]] = json.loads((VECTORS / "tuak_ts35232.json").read_text())["sets"]
CARD: dict[str, Any] = {
    "iccid": "8900000000000000001",
    "imsi": "001010123456789",
    "mnc_length": 2,
}
K = "465b5ce8b199b49faa5f0a2ee238a6bc"
OPC = "cd63cb71954a9f4e48a5994e37a02baf"
TOPC = OPC * 2
TUAK: dict[str, Any] = {"algorithm": "tuak", "k": K, "topc": TOPC}
MILENAGE: dict[str, Any] = {"algorithm": "milenage", "k": K, "opc": OPC}
C = [f"{number:032x}" for number in range(5)]


def read(authentication: dict[str, Any]) -> Authentication:
    return parse(CARD | {"authentication": authentication}).authentication


@pytest.mark.parametrize("entry", TUAK_SETS, ids=lambda entry: str(entry["set"]))
def test_every_published_set_of_tuak_as_a_profile(entry: dict[str, Any]) -> None:
    """A card's RES ends at 16 octets: of a set with a longer one only TOPc is the same."""
    said = {
        "algorithm": "tuak",
        "k": entry["K"],
        "top": entry["TOP"],
        "iterations": entry["keccak_iterations"],
        "res_length": min(entry["res_bits"] // 8, 16),
        "ck_length": entry["ck_bits"] // 8,
        "ik_length": entry["ik_bits"] // 8,
    }
    secret = read(said)
    assert secret.topc.hex() == entry["TOPc"]
    assert secret == read(
        {key: said[key] for key in said if key != "top"} | {"topc": entry["TOPc"]}
    )
    if entry["res_bits"] <= 128:
        found = [each.hex() for each in functions_of(secret).f2345(bytes.fromhex(entry["RAND"]))]
        assert found == [entry["f2"], entry["f3"][:32], entry["f4"][:32], entry["f5"]]


def test_defaults_of_tuak() -> None:
    assert read(TUAK) == Authentication(
        "tuak", bytes.fromhex(K), topc=bytes.fromhex(TOPC), res_length=8
    )


def test_xor_has_only_a_key() -> None:
    secret = read({"algorithm": "xor", "k": K, "res_length": 16})
    assert secret == Authentication("xor", bytes.fromhex(K), res_length=16)
    assert functions_of(secret).f2345(bytes(16))[0].hex() == K


def test_constants_of_milenage() -> None:
    plain, rand = read(MILENAGE), bytes(16)
    same = read(MILENAGE | {"c": [each.hex() for each in STANDARD_C], "r": list(STANDARD_R)})
    assert functions_of(same).f2345(rand) == functions_of(plain).f2345(rand)
    only_c = read(MILENAGE | {"c": C})
    assert (only_c.c, only_c.r) == (tuple(map(bytes.fromhex, C)), STANDARD_R)
    only_r = read(MILENAGE | {"r": [0, 1, 2, 3, 127]})
    assert (only_r.c, only_r.r) == (STANDARD_C, (0, 1, 2, 3, 127))
    answers = {functions_of(each).f2345(rand) for each in (plain, only_c, only_r)}
    assert len(answers) == 3


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "tuak: k": (TUAK | {"k": K + "00"}, "k", "32 or 64 hexadecimal digits (16 or 32 octets)"),
    "tuak: topc": (TUAK | {"topc": OPC}, "topc", "64 hexadecimal digits (32 octets)"),
    "tuak: both": (TUAK | {"top": TOPC}, "topc", 'exactly one of "topc" and "top"'),
    "tuak: neither": ({"algorithm": "tuak", "k": K}, "topc", "exactly one"),
    "tuak: opc": (TUAK | {"opc": OPC}, "opc", 'no such key with the algorithm "tuak"'),
    "tuak: c": (TUAK | {"c": C}, "c", "no such key"),
    "tuak: iterations": (TUAK | {"iterations": 0}, "iterations", "from 1 to 255"),
    "tuak: res": (TUAK | {"res_length": 32}, "res_length", "octets from 4 to 16"),
    "tuak: ck": (TUAK | {"ck_length": 128}, "ck_length", "16 or 32"),
    "tuak: ik": (TUAK | {"ik_length": True}, "ik_length", "16 or 32"),
    "xor: k": ({"algorithm": "xor", "k": K * 2}, "k", "32 hexadecimal digits"),
    "xor: opc": ({"algorithm": "xor", "k": K, "opc": OPC}, "opc", 'the algorithm "xor"'),
    "milenage: topc": (MILENAGE | {"topc": TOPC}, "topc", 'the algorithm "milenage"'),
    "milenage: k": (MILENAGE | {"k": K * 2}, "k", "32 hexadecimal digits"),
    "milenage: four c": (MILENAGE | {"c": C[:4]}, "c", "a list of 5"),
    "milenage: short c": (MILENAGE | {"c": [*C[:4], "00"]}, "c", "32 hexadecimal digits"),
    "milenage: number c": (MILENAGE | {"c": [0, 1, 2, 4, 8]}, "c", "text in quotes"),
    "milenage: r": (MILENAGE | {"r": [0, 1, 2, 3, 128]}, "r", "0 to 127"),
    "milenage: bool r": (MILENAGE | {"r": [0, 1, 2, 3, True]}, "r", "0 to 127"),
    "milenage: r list": (MILENAGE | {"r": 64}, "r", "a list of 5"),
    "milenage: pairs": (MILENAGE | {"c": [C[0]] * 5, "r": [9, 8, 7, 9, 6]}, "c", "(c4, r4)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_fault_and_shows_no_key(case: str) -> None:
    said, key, expected = WRONG[case]
    with pytest.raises(ProfileError) as caught:
        parse(CARD | {"authentication": said}, file="my.toml")
    message = str(caught.value)
    assert message.startswith(f"my.toml: authentication.{key}: ")
    assert "\n" not in message
    assert expected in message
    for hidden in (K[:8], OPC[:8]):
        assert hidden not in message


def test_an_unknown_algorithm_says_nothing_of_keys_that_may_be_its_own() -> None:
    text = 'algorithm = "comp128"\nk = "00"\ntop = 1\nres_length = 1'
    with pytest.raises(ProfileError) as caught:
        parse(CARD | {"authentication": tomllib.loads(text)})
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "authentication.algorithm",
        "authentication.res_length",
    ]
