"""The functions a profile asks for, and RES of every length."""

from __future__ import annotations

import pytest

from card.aka.algorithm import MilenageOtherRes, functions_of
from card.aka.milenage import Milenage
from card.aka.vector import make_vector, open_autn
from card.profile import Authentication

# TS 35.208 set 1
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
F2 = bytes.fromhex("a54211d5e3ba50bf")


def test_eight_octets_are_plain_milenage() -> None:
    functions = functions_of(Authentication("milenage", K, OPC))
    assert type(functions) is Milenage
    assert functions.f2345(RAND)[0] == F2


@pytest.mark.parametrize("length", range(4, 17))
def test_res_has_the_length_asked_for_and_begins_as_f2(length: int) -> None:
    functions = functions_of(Authentication("milenage", K, OPC, res_length=length))
    vector = make_vector(functions, RAND, 32, b"\x80\x00")
    assert len(vector.xres) == length
    assert vector.xres[:8] == F2[:length]
    assert open_autn(functions, RAND, vector.autn) == 32
    plain = make_vector(Milenage(K, OPC), RAND, 32, b"\x80\x00")
    assert plain._replace(xres=vector.xres) == vector


def test_sixteen_octets_are_f2_and_its_complement() -> None:
    functions = MilenageOtherRes(K, OPC, 16)
    assert functions.f2(RAND) == bytes.fromhex("a54211d5e3ba50bf5abdee2a1c45af40")


@pytest.mark.parametrize("length", [3, 17])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="4 to 16"):
        MilenageOtherRes(K, OPC, length)
