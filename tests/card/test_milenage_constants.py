"""Milenage with constants of an operator's own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from card.aka.milenage import Milenage
from card.aka.milenage_constants import STANDARD_C, STANDARD_R, MilenageConstants, check_constants
from card.aka.vector import make_auts, make_vector, open_autn, open_auts

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
SETS: list[dict[str, Any]] = json.loads((VECTORS / "milenage_ts35208.json").read_text())["sets"]
C = tuple(random.Random(7).randbytes(16) for _ in range(5))
R = (5, 127, 0, 64, 33)


def bits(octets: bytes) -> list[int]:
    return [octet >> (7 - place) & 1 for octet in octets for place in range(8)]


def out_by_bits(k: bytes, opc: bytes, block: bytes, c: bytes, r: int) -> bytes:
    """E[rot(block XOR OPc, r) XOR c] XOR OPc, with vectors of single bits as §3.2 defines them."""
    encrypt = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update
    x = [a ^ b for a, b in zip(bits(block), bits(opc), strict=True)]
    turned = [x[(place + r) % 128] for place in range(128)]
    masked = [a ^ b for a, b in zip(turned, bits(c), strict=True)]
    octets = bytes(
        int("".join(map(str, masked[start : start + 8])), 2) for start in range(0, 128, 8)
    )
    return bytes(a ^ b for a, b in zip(encrypt(octets), opc, strict=True))


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: str(entry["set"]))
def test_the_standard_constants_give_every_published_set(entry: dict[str, Any]) -> None:
    v = {name: bytes.fromhex(entry[name]) for name in ("K", "OPc", "RAND", "SQN", "AMF")}
    functions = MilenageConstants(v["K"], v["OPc"], STANDARD_C, STANDARD_R)
    assert functions.f1(v["RAND"], v["SQN"], v["AMF"]).hex() == entry["f1"]
    assert functions.f1star(v["RAND"], v["SQN"], v["AMF"]).hex() == entry["f1star"]
    found = [each.hex() for each in functions.f2345(v["RAND"])]
    assert found == [entry[name] for name in ("f2", "f3", "f4", "f5")]
    assert functions.f5star(v["RAND"]).hex() == entry["f5star"]


@given(
    inputs=st.tuples(*[st.binary(min_size=16, max_size=16)] * 3),
    c=st.tuples(*[st.binary(min_size=16, max_size=16)] * 5),
    r=st.lists(st.integers(0, 127), min_size=5, max_size=5, unique=True).map(tuple),
)
def test_other_constants_agree_with_the_definition_bit_by_bit(
    inputs: tuple[bytes, ...], c: tuple[bytes, ...], r: tuple[int, ...]
) -> None:
    k, opc, rand = inputs
    sqn, amf = bytes(range(6)), b"\xb9\xb9"
    functions = MilenageConstants(k, opc, c, r)
    temp = Cipher(algorithms.AES(k), modes.ECB()).encryptor()
    temp_octets = temp.update(bytes(a ^ b for a, b in zip(rand, opc, strict=True)))
    out = [out_by_bits(k, opc, temp_octets, c[i], r[i]) for i in range(1, 5)]
    assert functions.f2345(rand) == (out[0][8:], out[1], out[2], out[0][:6])
    assert functions.f5star(rand) == out[3][:6]
    # OUT1 has TEMP outside of the rotation; with linear rot it can go in, turned back (§4.1)
    before = bits(temp_octets)
    back = [before[(place - r[0]) % 128] for place in range(128)]
    in1 = [a ^ b for a, b in zip(bits((sqn + amf) * 2), back, strict=True)]
    block = bytes(int("".join(map(str, in1[start : start + 8])), 2) for start in range(0, 128, 8))
    out1 = out_by_bits(k, opc, block, c[0], r[0])
    assert functions.f1(rand, sqn, amf) + functions.f1star(rand, sqn, amf) == out1


def test_autn_and_auts() -> None:
    functions = MilenageConstants(bytes(16), bytes(range(16)), C, R)
    vector = make_vector(functions, bytes(16), 77, b"\x80\x00")
    assert open_autn(functions, bytes(16), vector.autn) == 77
    assert open_auts(functions, bytes(16), make_auts(functions, bytes(16), 78)) == 78
    assert vector != make_vector(Milenage(bytes(16), bytes(range(16))), bytes(16), 77, b"\x80\x00")


@pytest.mark.parametrize(
    ("c", "r", "expected"),
    [
        (STANDARD_C[:4], STANDARD_R, "c1 to c5"),
        ((*STANDARD_C[:4], bytes(15)), STANDARD_R, "16 octets"),
        (STANDARD_C, STANDARD_R[:4], "r1 to r5"),
        (STANDARD_C, (64, 0, 32, 64, 128), "0 to 127"),
        (STANDARD_C, (-1, 0, 32, 64, 96), "0 to 127"),
        ((bytes(16),) * 5, STANDARD_R, r"\(c1, r1\) and \(c4, r4\)"),
        ((C[0], C[1], C[2], C[3], C[1]), (0, 1, 2, 3, 1), r"\(c2, r2\) and \(c5, r5\)"),
    ],
)
def test_constants_that_cannot_be(c: tuple[bytes, ...], r: tuple[int, ...], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        check_constants(c, r)


def test_equal_c_with_other_r_and_equal_r_with_other_c_are_allowed() -> None:
    check_constants((bytes(16),) * 5, (0, 1, 2, 3, 4))
    check_constants(STANDARD_C, (0,) * 5)
