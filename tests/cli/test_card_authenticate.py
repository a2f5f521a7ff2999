"""``sipua card authenticate`` in every context, with and without the key at hand."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from card_command import CARDS, CardCommand

from card.aka.algorithm import functions_of
from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.vector import Vector, make_vector
from card.emulator.gba import masked_mac, naf_key

RAND = bytes(range(16))
GBA = ("[isim]", "[usim]\nservices = [27, 33, 38, 68]\n[isim]")


@pytest.fixture
def isim(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CardCommand:
    return CardCommand(capsys, tmp_path, "isim", GBA)


def vector(card: CardCommand, seq: int = 3, ind: int = 1) -> Vector:
    functions = functions_of(card.profile.authentication)
    return make_vector(functions, RAND, seq << 5 | ind, b"\x80\x01")


def challenge(made: Vector) -> tuple[str, ...]:
    return "--rand", made.rand.hex(), "--autn", made.autn.hex()


def shown(value: bytes) -> str:
    return f"<{len(value)} octets, check {sha256(value).hexdigest()[:4]}>"


def test_3g(isim: CardCommand) -> None:
    made = vector(isim)
    status, told = isim.json("authenticate", *challenge(made))
    assert (status, told["verdict"], told["application"]) == (0, "ok", "isim")
    assert (told["res"], told["ck"], told["ik"]) == tuple(map(shown, made[2:]))
    assert told["autn_contents"] is None
    text = isim.text("authenticate", *challenge(vector(isim, 4)), "-vvv", "--application", "usim")[
        1
    ]
    for secret in made[2:]:
        assert secret.hex() not in text.lower()
    assert "check" in text


def test_3g_shown(isim: CardCommand) -> None:
    made = vector(isim)
    argv = ("--application", "usim", "--show-secrets", "--profile", isim.profile.path)
    _, told = isim.json("authenticate", *challenge(made), *argv)
    assert (told["res"], told["ck"], told["ik"]) == tuple(each.hex() for each in made[2:])
    assert told["kc"] == kc_from_keys(made.ck, made.ik).hex()
    assert told["as_expected"] is True
    assert told["autn_contents"] == {
        "mac": "right",
        "amf": "8001",
        "sqn": f"{3 << 5 | 1:012x}",
        "seq": 3,
        "ind": 1,
    }
    assert "AUTN holds" in isim.text("authenticate", *challenge(vector(isim, 9)), *argv)[1]


@pytest.mark.parametrize(
    ("seq", "distance", "said"),
    [
        (5, 0, "last SEQ again"),
        (2, -3, "3 behind"),
        (5 + (1 << 29), 1 << 29, "further than it follows"),
    ],
)
def test_out_of_step(isim: CardCommand, seq: int, distance: int, said: str) -> None:
    isim.json("authenticate", *challenge(vector(isim, 5)))
    made = vector(isim, seq)
    status, told = isim.json("authenticate", *challenge(made), "--profile", isim.profile.path)
    assert (status, told["verdict"]) == (21, "sync-failure")
    assert len(bytes.fromhex(told["auts"])) == 14
    assert told["auts_contents"]["mac"] == "right"
    assert told["auts_contents"]["seq"] == 5
    assert told["auts_contents"]["distance"] == distance
    assert said in told["reason"]


def test_mac_failure(isim: CardCommand) -> None:
    made = vector(isim)
    wrong = made._replace(autn=made.autn[:-1] + bytes((made.autn[-1] ^ 1,)))
    status, told = isim.json("authenticate", *challenge(wrong), "--profile", isim.profile.path)
    assert (status, told["verdict"]) == (20, "mac-failure")
    assert told["autn_contents"]["mac"] == "wrong"
    assert told["autn_contents"]["sqn"] is None
    assert "this card's key" in told["reason"]


def test_the_profile_of_another_card(isim: CardCommand) -> None:
    """AUTN made with the other card's key: the profile knows it, the card does not."""
    other = CARDS / "usim.toml"
    from card.profile import load

    made = make_vector(functions_of(load(str(other)).authentication), RAND, 96, b"\x80\x00")
    _, told = isim.json("authenticate", *challenge(made), "--profile", str(other))
    assert told["verdict"] == "mac-failure"
    assert "key of the profile; this card holds another one" in told["reason"]


def test_gsm(isim: CardCommand) -> None:
    made = vector(isim)
    argv = ("--context", "gsm", "--rand", RAND.hex(), "--profile", isim.profile.path)
    _, told = isim.json("authenticate", *argv, "--show-secrets")
    assert told["application"] == "usim"
    assert told["sres"] == sres_from_res(made.xres).hex()
    assert told["kc"] == kc_from_keys(made.ck, made.ik).hex()
    assert told["as_expected"] is True
    status, told = isim.json("authenticate", *argv, "--application", "isim")
    assert (status, told["verdict"]) == (12, "no-application")


def test_gba(isim: CardCommand) -> None:
    made = vector(isim)
    autn = made.autn[:8] + masked_mac(made.autn[8:], made.ik)
    usim = ("--application", "usim", "--show-secrets")
    naf = b"naf.example.org" + bytes.fromhex("0100000002")
    derive = ("--context", "gba-naf", "--naf-id", naf.hex(), *usim)
    status, told = isim.json("authenticate", *derive, "--impi", "u@example.org")
    assert status == 16
    assert "bootstrapping first" in told["reason"]
    bootstrap = ("--context", "gba", "--rand", RAND.hex(), "--autn", autn.hex(), *usim)
    _, told = isim.json("authenticate", *bootstrap, "--profile", isim.profile.path)
    assert told["res"] == made.xres.hex()
    assert told["autn_contents"]["mac"] == "right"
    assert told["autn_contents"]["seq"] == 3
    _, told = isim.json("authenticate", *derive, "--impi", "u@example.org")
    key = naf_key(made.ck + made.ik, b"gba-me", RAND, b"u@example.org", naf)
    assert told["ks_ext_naf"] == key.hex()
    status, seen = isim.text("authenticate", *derive)
    assert status == 2
    assert "--impi" in seen


@pytest.mark.parametrize(
    ("argv", "missing"),
    [
        ((), "--rand"),
        (("--rand", RAND.hex()), "--autn"),
        (("--context", "gsm"), "--rand"),
        (("--context", "gba-naf"), "--naf-id"),
        (("--rand", "00"), "16 octets"),
        (("--rand", "xy"), "hexadecimal"),
    ],
)
def test_what_is_missing(isim: CardCommand, argv: tuple[str, ...], missing: str) -> None:
    status, seen = isim.text("authenticate", *argv)
    assert status == 2
    assert missing in seen
