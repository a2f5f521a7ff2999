"""The functions a profile asks for, and RES of every length."""

from __future__ import annotations

import subprocess
import sys

import pytest

from card.aka.algorithm import ALGORITHMS, OtherRes, functions_of
from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.milenage import Milenage
from card.aka.milenage_constants import MilenageConstants
from card.aka.result import MacFailure
from card.aka.tuak import Tuak
from card.aka.vector import make_auts, make_vector, open_autn, open_auts
from card.aka.xor import Xor
from card.profile import Authentication

# TS 35.208 set 1
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
F2 = bytes.fromhex("a54211d5e3ba50bf")
TOPC = OPC + OPC
AMF = b"\x80\x00"


def secret(algorithm: str, res_length: int = 8) -> Authentication:
    return Authentication(algorithm, K, OPC, topc=TOPC, res_length=res_length)


def test_each_name_gives_its_functions() -> None:
    assert set(ALGORITHMS) == {"milenage", "tuak", "xor"}
    assert type(functions_of(Authentication("milenage", K, OPC))) is Milenage
    assert type(functions_of(secret("tuak"))) is Tuak
    assert type(functions_of(secret("xor"))) is Xor
    constants = secret("milenage")._replace(c=(bytes(16),) * 5, r=(0, 1, 2, 3, 4))
    assert type(functions_of(constants)) is MilenageConstants


def test_what_a_profile_says_of_tuak_reaches_it() -> None:
    said = secret("tuak", 16)._replace(iterations=2, ck_length=32, ik_length=32)
    made = Tuak(K, TOPC, iterations=2, res_length=16, ck_length=32, ik_length=32)
    assert functions_of(said).f2345(RAND) == made.f2345(RAND)
    others = (said._replace(iterations=1), said._replace(ck_length=16), said._replace(ik_length=16))
    assert len({functions_of(each).f2345(RAND)[0] for each in (said, *others)}) == 4


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", range(4, 17))
def test_every_algorithm_has_every_length_of_res(algorithm: str, length: int) -> None:
    functions = functions_of(secret(algorithm, length))
    vector = make_vector(functions, RAND, 32, AMF)
    assert [len(each) for each in vector] == [16, 16, length, 16, 16]
    assert open_autn(functions, RAND, vector.autn) == 32
    auts = make_auts(functions, RAND, 33)
    assert (len(auts), open_auts(functions, RAND, auts)) == (14, 33)
    with pytest.raises(MacFailure):
        open_autn(functions, RAND, vector.autn[:15] + bytes((vector.autn[15] ^ 1,)))
    assert len(sres_from_res(vector.xres)) == 4
    assert len(kc_from_keys(vector.ck, vector.ik)) == 8


@pytest.mark.parametrize("length", range(4, 17))
def test_milenage_of_another_length_begins_as_f2_and_is_the_same_otherwise(length: int) -> None:
    vector = make_vector(functions_of(secret("milenage", length)), RAND, 32, AMF)
    assert vector.xres[:8] == F2[:length]
    plain = make_vector(Milenage(K, OPC), RAND, 32, AMF)
    assert plain._replace(xres=vector.xres) == vector


def test_sixteen_octets_are_f2_and_its_complement() -> None:
    functions = OtherRes(Milenage(K, OPC), 16)
    assert functions.f2345(RAND)[0] == bytes.fromhex("a54211d5e3ba50bf5abdee2a1c45af40")


@pytest.mark.parametrize("length", [3, 17])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="4 to 16"):
        OtherRes(Milenage(K, OPC), length)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_secret_in_repr(algorithm: str) -> None:
    authentication = secret(algorithm, 12)
    for value in (authentication, functions_of(authentication)):
        for hidden in (K, OPC, TOPC):
            assert hidden.hex() not in repr(value)
            assert repr(hidden) not in repr(value)


def test_a_milenage_card_loads_no_other_algorithm() -> None:
    program = (
        "import sys; from card.profile import shipped; from card.aka.algorithm import functions_of;"
        "functions_of(shipped().authentication);"
        "print([m for m in sys.modules if m in ('card.aka.tuak', 'card.aka.keccak', 'card.aka.xor',"
        " 'card.aka.milenage_constants', 'card.profile_lines')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
