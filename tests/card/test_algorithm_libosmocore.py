"""Milenage and XOR against libosmocore's osmo-auc-gen (Debian's has no TUAK)."""

from __future__ import annotations

import subprocess

import pytest
from interop.program import required

from card.aka.algorithm import functions_of
from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.vector import make_auts, make_vector, open_autn
from card.profile import Authentication

pytestmark = pytest.mark.interop

K = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
AMF = b"\x80\x00"
SECRETS = [Authentication("milenage", K, OPC), Authentication("xor", K, res_length=16)]
RANDS = [
    bytes.fromhex("23553cbe9637a89d218ae64dae47bf35"),
    bytes(16),
    bytes([0xFF] * 16),
    bytes(range(240, 256)),
]
each_algorithm = pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each.algorithm)


def osmo_auc_gen(secret: Authentication, rand: bytes, *options: str) -> dict[str, str]:
    """What libosmocore computes: {"AUTN": hex, "RES": hex, ...}."""
    argv = [required("osmo-auc-gen", "libosmocore-utils"), "-3", "-a", secret.algorithm]
    argv += ["-k", secret.k.hex(), "-o", OPC.hex(), "-f", AMF.hex(), "-r", rand.hex(), *options]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rows = (line.partition(":") for line in output.splitlines())
    return {name.strip(): value.strip() for name, colon, value in rows if colon}


@each_algorithm
@pytest.mark.parametrize("rand", RANDS, ids=bytes.hex)
@pytest.mark.parametrize("sqn", [0, 33, 12345678])
def test_vectors_are_theirs(secret: Authentication, rand: bytes, sqn: int) -> None:
    # libosmocore 1.7 counts XOR's SQN from one SEQ (32) lower than it is told
    told = sqn + 32 if secret.algorithm == "xor" else sqn
    theirs = osmo_auc_gen(secret, rand, "-s", str(told))
    assert theirs["SQN"] == str(sqn)
    functions = functions_of(secret)
    ours = make_vector(functions, rand, sqn, AMF)
    assert ours.autn.hex() == theirs["AUTN"]
    assert [each.hex() for each in ours[2:]] == [theirs[name] for name in ("RES", "CK", "IK")]
    assert sres_from_res(ours.xres).hex() == theirs["SRES"]
    assert kc_from_keys(ours.ck, ours.ik).hex() == theirs["Kc"]
    assert open_autn(functions, rand, bytes.fromhex(theirs["AUTN"])) == sqn


@each_algorithm
@pytest.mark.parametrize("sqn_ms", [31, 32, 12345678])
def test_our_auts_is_read_by_them(secret: Authentication, sqn_ms: int) -> None:
    auts = make_auts(functions_of(secret), RANDS[0], sqn_ms)
    assert osmo_auc_gen(secret, RANDS[0], "-A", auts.hex())["SQN.MS"] == str(sqn_ms)
