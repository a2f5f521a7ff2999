"""Any file of the emulated card by any of its references; a walk over all of them."""

from __future__ import annotations

from typing import Any

import pytest
from card_links import Bench, ScriptedLink, Transmit

from card import profile
from card.coding.basic import AdministrativeData
from card.coding.numbers import DiallingNumber, ServiceProvider, SmsParameters
from card.errors import NoApplication, PinRequired, StatusError
from card.exchange import Exchange
from card.files.catalogue import Place, find
from card.files.ef import EF_DIR, EF_ICCID
from card.reading import Content, plain, read, walk
from card.uicc import Uicc

SHIPPED = profile.shipped()
FULL = SHIPPED._replace(
    usim=SHIPPED.usim._replace(
        msisdn="+15551234567", smsc="+4917", services=(*SHIPPED.usim.services, 68)
    )
)
PIN_ON = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))


def content(bench: Bench, text: str, kind: Any = "usim") -> Content:
    return read(bench.uicc, find(text, kind), bench.uicc.applications())


def values(found: Content) -> list[Any]:
    return [found.value(part) for part in found.parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EF_ICCID", [SHIPPED.iccid]),
        ("3F00/sfi:02", [SHIPPED.iccid]),
        ("EF_IMSI", [SHIPPED.imsi]),
        ("07", [SHIPPED.imsi]),
        ("7F20/6F07", [SHIPPED.imsi]),
        ("EF_AD", [AdministrativeData(0, 2)]),
        ("EF_MSISDN", [DiallingNumber("+15551234567")]),
        ("7F10/6F40", [DiallingNumber("+15551234567")]),
        ("EF_SMSP", [SmsParameters("+4917")]),
        ("EF_SPN", [ServiceProvider("sipua")]),
        ("EF_LI", [("en",)]),
        ("EF_HPPLMN", [30]),
        ("EF_ACC", [frozenset({int(SHIPPED.imsi[-1])})]),
        ("EF_FPLMN", [None]),
    ],
)
def test_one_file(text: str, expected: list[Any]) -> None:
    assert values(content(Bench(described=FULL), text)) == expected


def test_records_by_name_path_and_sfi() -> None:
    bench = Bench()
    listed = bench.uicc.applications()
    for text in ("EF_DIR", "3F00/2F00", "3F00/sfi:1E"):
        found = content(bench, text)
        assert [value for value in values(found) if value] == listed
        assert found.structure == "linear fixed"
        assert len(found.parts) == 3


def test_isim_files_are_read_in_the_isim() -> None:
    assert SHIPPED.isim is not None
    bench = Bench()
    assert values(content(bench, "EF_IMPI")) == [SHIPPED.isim.impi]
    assert values(content(bench, "6F02", "isim")) == [SHIPPED.isim.impi]
    assert values(content(bench, "04", "isim")) == list(SHIPPED.isim.impu)
    alone = Bench(described=SHIPPED._replace(isim=None))
    with pytest.raises(NoApplication, match="no ISIM"):
        content(alone, "EF_IMPI")


def test_a_file_the_card_has_not() -> None:
    for text in ("EF_PNN", "7FFF/5FC0/4F01", "sfi:1C", "3F00/7F99/6F07"):
        with pytest.raises(StatusError, match="6A82"):
            content(Bench(), text)


@pytest.mark.parametrize("text", ["EF_IMSI", "sfi:07"])
def test_a_locked_file(text: str) -> None:
    with pytest.raises(PinRequired, match="6982"):
        content(Bench(described=PIN_ON), text)


@pytest.mark.parametrize("text", ["EF_Keys", "08", "7FFF/6F08", "7F20/6F20"])
def test_keys_are_masked_in_traces(text: str) -> None:
    bench = Bench()
    found = content(bench, text)
    keys = found.parts[0].hex().upper()
    assert found.place.ef.secret
    reading = [apdu for apdu in bench.traced if apdu.answer.endswith("9000")][-1]
    assert reading.name == "READ BINARY"
    assert reading.answer == ".." * len(found.parts[0]) + "9000"
    assert keys not in "".join(apdu.answer for apdu in bench.traced)
    assert keys not in repr(found)
    assert "EF_DIR" in repr(EF_DIR)


def test_a_walk() -> None:
    bench = Bench(described=FULL)
    applications = bench.uicc.applications()
    before = bench.exchange.apdus
    found = {each.place.directory.name + "/" + each.place.ef.name: each
             for each in walk(bench.uicc, applications)}  # fmt: skip
    assert bench.exchange.apdus - before < 400
    assert not [each for each in found.values() if each.problem]
    for name in ("MF/EF_ICCID", "ADF.USIM/EF_IMSI", "ADF.USIM/EF_Keys", "ADF.ISIM/EF_IMPI",
                 "ADF.USIM/EF_GBABP", "DF.GSM/EF_Kc", "DF.TELECOM/EF_ADN"):  # fmt: skip
        assert name in found
    assert "ADF.USIM/EF_PNN" not in found


def test_a_walk_over_a_locked_card() -> None:
    bench = Bench(described=PIN_ON)
    found = list(walk(bench.uicc, bench.uicc.applications()))
    open_ones = {each.place.ef.name for each in found if each.parts}
    locked = {each.place.ef.name for each in found if each.problem}
    assert {"EF_ICCID", "EF_DIR", "EF_AD", "EF_SPN"} <= open_ones
    assert {"EF_IMSI", "EF_Keys", "EF_IMPI"} <= locked
    assert all("PIN1" in each.problem for each in found if each.problem)
    assert bench.uicc.pin_tries() == 3


def test_a_walk_ends() -> None:
    """A card on which every file has 254 records."""

    def endless(command: bytes, transmit: Transmit) -> bytes:
        if command[1] == 0xB2:
            return b"\x01" * 20 + b"\x90\x00" if command[2] < 255 else b"\x6a\x83"
        if command[1] == 0xA4 and command[3] == 4:
            return bytes.fromhex("620782054221001414" + "9000")
        return b"\x90\x00"

    bench = Bench()
    applications = bench.uicc.applications()
    bench.exchange.link.manners = endless  # type: ignore[attr-defined]
    before = bench.exchange.apdus
    assert list(walk(bench.uicc, applications))
    assert bench.exchange.apdus - before < 1800


def test_the_structure_the_card_tells_counts() -> None:
    link = ScriptedLink(
        ("00A4000C023F00", "9000"),
        ("00A40004022FE200", "62078205422100010A" + "9000"),
        ("00B2010401", "AB9000"),
        ("00B2020401", "6A83"),
    )
    found = read(Uicc(Exchange(link)), find("EF_ICCID", ""), [])
    assert (found.structure, found.parts) == ("linear fixed", (b"\xab",))


@pytest.mark.parametrize("descriptor", ["3921", "7821"])
def test_structures_that_are_not_read(descriptor: str) -> None:
    link = ScriptedLink(
        ("00A4000C023F00", "9000"),
        ("00A40004022FE200", f"62048202{descriptor}9000"),
    )
    with pytest.raises(Exception, match="not read"):
        read(Uicc(Exchange(link)), find("EF_ICCID", ""), [])
    assert not link.script


def test_a_file_longer_than_one_read_by_sfi() -> None:
    link = ScriptedLink(
        ("00A4000C023F00", "9000"),
        ("00B0850000", "AB" * 256 + "9000"),
        ("00B0010000", "CD" * 4 + "9000"),
    )
    found = read(Uicc(Exchange(link)), find("sfi:05", ""), [])
    assert found.parts == (b"\xab" * 256 + b"\xcd" * 4,)


def test_what_does_not_follow_its_coding_has_no_value() -> None:
    place = find("EF_ICCID", "")
    assert isinstance(place, Place)
    assert place.ef is EF_ICCID
    assert Content(place).value(b"\x00") is None


def test_plain_values() -> None:
    assert plain(frozenset({3, 1})) == [1, 3]
    assert plain((AdministrativeData(0, 2), b"\xab")) == [
        {"operation_mode": 0, "mnc_length": 2},
        "AB",
    ]
