"""Profiles: every key, every way to get one wrong, and no secret shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from card.errors import ProfileError
from card.profile import Isim, Pin, Usim, load, parse, shipped

CARDS = Path(__file__).parents[2] / "fixtures" / "cards"
K = "465b5ce8b199b49faa5f0a2ee238a6bc"
OPC = "cd63cb71954a9f4e48a5994e37a02baf"


def document(**changes: Any) -> dict[str, Any]:
    """A right profile; a change of "table__key" goes into that table, None removes."""
    made: dict[str, Any] = {
        "iccid": "8900000000000000001",
        "imsi": "001010123456789",
        "mnc_length": 2,
        "authentication": {"algorithm": "milenage", "k": K, "opc": OPC},
    }
    for name, value in changes.items():
        table, _, key = name.rpartition("__")
        place = made.setdefault(table, {}) if table else made
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return made


def test_every_key_of_a_full_profile_is_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(
        f"""
        iccid = "8900000000000000001"
        imsi = "001010123456789"
        mnc_length = 2
        quirks = ["t1", "no-kc"]
        [authentication]
        algorithm = "milenage"
        k = "{K}"
        opc = "{OPC}"
        sqn = 64
        amf = "b9b9"
        res_length = 16
        [usim]
        services = [27]
        spn = "test"
        msisdn = "+15550100"
        smsc = "+15550101"
        [isim]
        impi = "a@b"
        impu = ["sip:a@b", "tel:+1"]
        domain = "b"
        pcscf = ["p.b"]
        services = [2]
        [pin]
        pin1 = "12345678"
        enabled = true
        puk1 = "87654321"
        pin2 = "2222"
        puk2 = "22222222"
        universal_pin = "1111"
        universal_puk = "11111111"
        """
    )
    profile = load(str(path))
    assert (profile.iccid, profile.imsi, profile.mnc_length, profile.path) == (
        "8900000000000000001",
        "001010123456789",
        2,
        str(path),
    )
    authentication = profile.authentication
    assert authentication.k == bytes.fromhex(K)
    assert authentication.opc == bytes.fromhex(OPC)
    assert (authentication.sqn, authentication.amf) == (64, b"\xb9\xb9")
    assert authentication.res_length == 16
    assert profile.usim == Usim((27,), "test", "+15550100", "+15550101")
    assert profile.isim == Isim("a@b", ("sip:a@b", "tel:+1"), "b", ("p.b",), (2,))
    assert profile.quirks == ("t1", "no-kc")
    assert profile.pin == Pin("12345678", True, "87654321", "2222", "22222222", "1111", "11111111")


def test_what_may_be_left_out_has_its_default() -> None:
    profile = parse(document())
    assert profile.isim is None
    assert profile.pin == Pin("1234", False, "12345678")
    assert (profile.authentication.sqn, profile.authentication.amf) == (0, b"\x80\x00")
    assert profile.authentication.res_length == 8
    assert 27 in profile.usim.services


def test_op_becomes_opc() -> None:
    """TS 35.208 set 1."""
    made = document(authentication__opc=None, authentication__op="cdc202d5123e20f62b6d676ac72cb318")
    assert parse(made).authentication.opc == bytes.fromhex(OPC)


def test_the_shipped_profile_and_every_fixture_load() -> None:
    assert shipped().isim is not None
    assert shipped().path == ""
    profiles = [load(str(path)) for path in sorted(CARDS.glob("*.toml"))]
    assert len({profile.imsi for profile in profiles} | {shipped().imsi}) == len(profiles) + 1
    assert len({profile.iccid for profile in profiles}) == len(profiles) >= 4


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "iccid missing": ({"iccid": None}, "iccid", "missing"),
    "iccid short": ({"iccid": "89"}, "iccid", "18 to 20 decimal digits"),
    "imsi number": ({"imsi": 1010123456789}, "imsi", "text in quotes"),
    "imsi long": ({"imsi": "1" * 16}, "imsi", "6 to 15 decimal digits"),
    "imsi foreign digits": ({"imsi": "٠٠١٠١٠١٢٣٤"}, "imsi", "decimal digits"),
    "mnc_length": ({"mnc_length": 4}, "mnc_length", "from 2 to 3"),
    "mnc_length bool": ({"mnc_length": True}, "mnc_length", "a number"),
    "unknown": ({"imis": "1"}, "imis", "no such key"),
    "unknown table": ({"isin__impi": "a"}, "isin", "no such key"),
    "authentication": ({"authentication": None}, "authentication", "missing"),
    "authentication text": ({"authentication": "x"}, "authentication", "[authentication]"),
    "authentication.unknown": ({"authentication__K": K}, "authentication.K", "no such key"),
    "algorithm": (
        {"authentication__algorithm": "comp128"},
        "authentication.algorithm",
        "one of milenage, tuak, xor",
    ),
    "k length": ({"authentication__k": K[:-2]}, "authentication.k", "32 hexadecimal digits (16"),
    "k hex": ({"authentication__k": "x" * 32}, "authentication.k", "another character"),
    "k spaces": ({"authentication__k": K[:-2] + "  "}, "authentication.k", "another character"),
    "no op": ({"authentication__opc": None}, "authentication.opc", "exactly one"),
    "both": ({"authentication__op": OPC}, "authentication.opc", "exactly one"),
    "amf": ({"authentication__amf": "80"}, "authentication.amf", "4 hexadecimal digits"),
    "sqn": ({"authentication__sqn": 2**48}, "authentication.sqn", "from 0 to"),
    "sqn text": ({"authentication__sqn": "0"}, "authentication.sqn", "a number"),
    "res": ({"authentication__res_length": 3}, "authentication.res_length", "from 4 to 16"),
    "services": ({"usim__services": [0]}, "usim.services", "1 to 255"),
    "spn": ({"usim__spn": "x" * 17}, "usim.spn", "1 to 16 octets"),
    "impi": ({"isim__impu": ["sip:a@b"], "isim__domain": "b"}, "isim.impi", "missing"),
    "impi line": (
        {"isim__impi": "a\r\nb", "isim__impu": ["sip:a@b"], "isim__domain": "b"},
        "isim.impi",
        "printable",
    ),
    "impu": (
        {"isim__impi": "a", "isim__impu": ["a@b"], "isim__domain": "b"},
        "isim.impu",
        'beginning "sip:"',
    ),
    "impu empty": (
        {"isim__impi": "a", "isim__impu": [], "isim__domain": "b"},
        "isim.impu",
        "at least 1",
    ),
    "too many": (
        {"isim__impi": "a", "isim__impu": ["sip:a"] * 255, "isim__domain": "b"},
        "isim.impu",
        "at most 254",
    ),
    "impu text": (
        {"isim__impi": "a", "isim__impu": "sip:a@b", "isim__domain": "b"},
        "isim.impu",
        "a list",
    ),
    "pin": ({"pin__pin1": "123"}, "pin.pin1", "4 to 8 decimal digits"),
    "pin2": ({"pin__pin2": "x"}, "pin.pin2", "4 to 8 decimal digits"),
    "universal": ({"pin__universal_pin": "1234"}, "pin.universal_pin", "belong together"),
    "msisdn": ({"usim__msisdn": "+1 555"}, "usim.msisdn", "1 to 20 decimal digits"),
    "quirk": ({"quirks": ["t2"]}, "quirks", 'there is no quirk "t2"; there are kc, '),
    "quirks twice": ({"quirks": ["t1", "t1"]}, "quirks", '"t1" stands there twice'),
    "quirks": (
        {"quirks": ["t1", "kc", "le-6c"]},
        "quirks",
        '"t1" and "le-6c" contradict each other: how data is handed out',
    ),
    "puk": ({"pin__puk1": "1234567"}, "pin.puk1", "8 decimal digits"),
    "enabled": ({"pin__enabled": "yes"}, "pin.enabled", "true or false"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_names_file_key_and_what_is_expected(case: str) -> None:
    changes, key, expected = WRONG[case]
    with pytest.raises(ProfileError) as caught:
        parse(document(**changes), file="my.toml")
    message = str(caught.value)
    assert message.startswith(f"my.toml: {key}: ")
    assert expected in message
    assert K[:8] not in message


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"none\.toml cannot be read: No such file"):
        load(str(tmp_path / "none.toml"))
    path = tmp_path / "bad.toml"
    path.write_text(f'iccid = "1"\nk = {K}\n')
    with pytest.raises(ProfileError, match=r"bad\.toml is not TOML \(at line 2") as caught:
        load(str(path))
    assert K[:8] not in str(caught.value)
    path.write_bytes(b'iccid = "\xff"')
    with pytest.raises(ProfileError, match=r"bad\.toml is not TOML"):
        load(str(path))


def test_repr_shows_no_secret() -> None:
    profile = parse(document(pin__pin1="1357", pin__puk1="97531975"))
    for value in (profile, profile.authentication, profile.pin, [profile.pin]):
        for secret in (K, OPC, repr(bytes.fromhex(K)), repr(bytes.fromhex(OPC)), "1357", "9753197"):
            assert secret not in repr(value)
            assert secret not in f"{value}"
