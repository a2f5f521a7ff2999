"""The XOR test algorithm, worked out by hand; see test_algorithm_libosmocore too."""

from __future__ import annotations

import pytest

from card.aka.vector import make_auts, make_vector, open_auts
from card.aka.xor import Xor

# TS 34.108 §8.2: the K of the test USIM
K = bytes(range(16))
AMF = b"\x80\x00"


def test_every_function_by_hand() -> None:
    """K XOR RAND of 34 in every octet, read off the definition (§8.1.2.1, §8.1.2.2)."""
    rand, xor = bytes([0x34] * 16), Xor(K)
    xdout = bytes.fromhex("3435363730313233 3c3d3e3f38393a3b")
    assert xor.f2345(rand) == (
        xdout,
        bytes.fromhex("35363730313233 3c3d3e3f38393a3b 34"),
        bytes.fromhex("363730313233 3c3d3e3f38393a3b 3435"),
        bytes.fromhex("37303132333c"),
    )
    sqn = bytes.fromhex("000000000001")
    assert xor.f1(rand, sqn, AMF).hex() == xor.f1star(rand, sqn, AMF).hex() == "343536373030b233"
    assert xor.f5star(rand).hex() == "37303132333c"
    assert make_vector(xor, rand, 1, AMF).autn.hex() == "37303132333d8000343536373030b233"
    assert make_auts(xor, rand, 1).hex() == "37303132333d3435363730303233"
    assert open_auts(xor, rand, make_auts(xor, rand, 1)) == 1


@pytest.mark.parametrize("length", range(4, 17))
def test_res_is_cut_on_the_right(length: int) -> None:
    assert Xor(K, length).f2345(bytes(16))[0] == K[:length]


@pytest.mark.parametrize(("k", "length"), [(bytes(15), 8), (bytes(32), 8), (K, 3), (K, 17)])
def test_other_sizes_are_refused(k: bytes, length: int) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        Xor(k, length)


def test_rand_sqn_and_amf_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="RAND"):
        Xor(K).f2345(bytes(15))
    with pytest.raises(ValueError, match="SQN"):
        Xor(K).f1(bytes(16), bytes(5), AMF)
