"""DF.GSM and DF.TELECOM, and the card as a SIM in class A0 (TS 51.011, GSM 11.11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from raw_terminal import USIM, Terminal, fixture_card

from card.coding.basic import AdministrativeData
from card.files import ef as files
from card.profile import Authentication
from card.tlv import Tlv

VECTORS = Path(__file__).parents[3] / "fixtures" / "vectors"
LIBOSMOCORE: dict[str, Any] = json.loads((VECTORS / "auts_libosmocore.json").read_text())
PIN = "32343638FFFFFFFF"  # "2468", as in fixtures/cards/pin.toml
WRONG = "30303030FFFFFFFF"
PUK = "3837363534333231"
PIN2, PUK2 = "34333231FFFFFFFF", "3837363534333231"

DF_GSM_EFS = "6F05 6F07 6F20 6F30 6F31 6F38 6F46 6F74 6F78 6F7B 6F7E 6FAD 6FAE"
DF_TELECOM_EFS = "6F3A 6F3C 6F40 6F42 6F43"
EVERY_EF = [
    *(("7F20", fid) for fid in DF_GSM_EFS.split()),
    *(("7F10", fid) for fid in DF_TELECOM_EFS.split()),
]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(fixture_card("isim"))


def fetch(terminal: Terminal, command: str) -> bytes:
    """The data that a 9Fxx announced."""
    announced = terminal.send(command)
    assert announced[:2] == "9F", announced
    answer = terminal.send("A0C00000" + announced[2:])
    assert answer.endswith("9000")
    assert len(answer) == 2 * int(announced[2:], 16) + 4
    return bytes.fromhex(answer[:-4])


def read(terminal: Terminal, *path: str) -> bytes:
    """A transparent EF, whole, as a SIM reader reads it: SELECT by SELECT, length from SELECT."""
    for fid in path:
        described = fetch(terminal, f"A0A4000002{fid}")
    size = int.from_bytes(described[2:4], "big")
    answer = terminal.send(f"A0B00000{size:02X}")
    assert answer.endswith("9000"), answer
    return bytes.fromhex(answer[:-4])


@pytest.mark.parametrize(("df", "fid"), EVERY_EF)
def test_every_ef_is_described_and_read_in_both_classes(
    terminal: Terminal, df: str, fid: str
) -> None:
    fetch(terminal, f"A0A4000002{df}")
    described = fetch(terminal, f"A0A4000002{fid}")
    assert len(described) == 15
    assert described[4:7].hex().upper() == fid + "04"
    assert described[11:13] == b"\x01\x02"
    size, structure, length = int.from_bytes(described[2:4], "big"), *described[13:15]
    uicc = Terminal(fixture_card("isim"))
    assert uicc.send(f"00A4080C04{df}{fid}") == "9000"
    if structure == 1:
        old = terminal.send(f"A0B20104{length:02X}")
        assert old == uicc.send(f"00B20104{length:02X}")
        assert size % length == 0
        assert terminal.send(f"A0B2{size // length + 1:02X}04{length:02X}") == "9402"
        assert terminal.send("A0B0000001") == "9408"
    else:
        old = terminal.send(f"A0B00000{size:02X}")
        assert old == uicc.send("00B0000000")
        assert terminal.send("A0B2010401") == "9408"
        assert terminal.send(f"A0B00000{size + 1:02X}") == f"67{size:02X}"
        assert terminal.send(f"A0B000{size:02X}01") == "6B00"
    assert old.endswith("9000")
    assert len(old) > 4


def test_a_df_is_described(terminal: Terminal) -> None:
    master = fetch(terminal, "A0A40000023F00")
    assert len(master) == 22
    assert master[4:7] == b"\x3f\x00\x01"
    assert master[12] == len(master) - 13
    assert master[13] & 0x80, "CHV1 is disabled"
    assert master[14] == 2
    assert master[18:22] == b"\x83\x8a\x83\x8a", "tries of CHV1, its PUK, CHV2, its PUK"
    gsm = fetch(terminal, "A0A40000027F20")
    assert gsm[4:7] == b"\x7f\x20\x02"
    assert gsm[15] == len(DF_GSM_EFS.split())
    assert terminal.send("A0F2000016") == gsm.hex().upper() + "9000"
    assert terminal.send("A0F2000003") == gsm.hex().upper()[:6] + "9000"
    assert terminal.send("A0F20000FF") == "6716"
    asked = Terminal(fixture_card("pin"))
    assert not fetch(asked, "A0A40000023F00")[13] & 0x80


def test_class_00_sees_a_df_with_an_fcp(terminal: Terminal) -> None:
    fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch("00A40004027F20"))).value(0x62))
    assert fcp.value(0x82) == b"\x78\x21"
    assert fcp.value(0x83) == b"\x7f\x20"
    assert 0x84 not in fcp
    assert terminal.send("00A4000C026F07") == "9000"
    assert terminal.send("00A4000C027F10") == "9000", "the other DF is in reach"
    assert terminal.send("00A4030C") == "9000"
    assert terminal.send("00A4000C022FE2") == "9000", "the parent is the MF"
    terminal.select(USIM)
    assert terminal.send("00A4000C027F20") == "6A82", "from an application it is not"


def test_the_subscriber_is_that_of_the_usim(terminal: Terminal) -> None:
    profile = fixture_card("isim")
    assert files.EF_ICCID.decode(read(terminal, "3F00", "2FE2")) == profile.iccid
    assert files.EF_IMSI.decode(read(terminal, "7F20", "6F07")) == profile.imsi
    assert files.EF_AD.decode(read(terminal, "6FAD")) == AdministrativeData(0, 2)
    assert read(terminal, "6F78") == (1 << 4).to_bytes(2, "big")
    assert read(terminal, "6FAE") == b"\x03"
    assert read(terminal, "6F46")[1:6] == b"sipua"
    table = read(terminal, "6F38")
    services = [n + 1 for n in range(32) if table[n // 4] >> 2 * (n % 4) & 3 == 3]
    assert services == [1, 2, 4, 7, 9, 12, 17]


def test_msisdn_and_service_centre() -> None:
    profile = fixture_card("isim")
    usim = profile.usim._replace(msisdn="+15550100004", smsc="15550199")
    terminal = Terminal(profile._replace(usim=usim))
    fetch(terminal, "A0A40000027F10")
    fetch(terminal, "A0A40000026F40")
    msisdn = "FF" * 14 + "07915155100040F0FFFFFFFF" + "FFFF"
    assert terminal.send("A0B201041C").startswith("FF" * 14 + "0791515510")
    assert len(terminal.send("A0B201041C")) == len(msisdn) + 4
    fetch(terminal, "A0A40000026F42")
    smsp = terminal.send("A0B201042A")
    assert smsp == "FF" * 14 + "FD" + "FF" * 12 + "05815155109" + "9" + "FF" * 6 + "FFFFFF9000"
    terminal.select(USIM)
    assert terminal.send("00A4000C026F42") == "9000"
    assert terminal.send("00B201042A") == smsp
    assert Terminal(profile).send(f"00A4080C04{'7FFF'}6F42") == "6A82"


class TestRunGsmAlgorithm:
    def test_the_published_values(self) -> None:
        profile = fixture_card("isim")
        keys = Authentication(
            "milenage", bytes.fromhex(LIBOSMOCORE["K"]), bytes.fromhex(LIBOSMOCORE["OPc"])
        )
        terminal = Terminal(profile._replace(authentication=keys))
        fetch(terminal, "A0A40000027F20")
        entry = LIBOSMOCORE["vector_sqn34"]
        answer = fetch(terminal, f"A088000010{LIBOSMOCORE['RAND']}")
        assert answer.hex() == (entry["SRES"] + entry["Kc"]).lower()

    def test_where_and_with_what(self, terminal: Terminal) -> None:
        command = "A088000010" + "00" * 16
        assert terminal.send(command) == "9804", "not in DF.GSM"
        fetch(terminal, "A0A40000027F20")
        assert terminal.send("A08800000F" + "00" * 15) == "6700"
        assert terminal.send("A088000110" + "00" * 16) == "6B00"
        assert terminal.send(command) == "9F0C"
        locked = Terminal(fixture_card("pin"))
        fetch(locked, "A0A40000027F20")
        assert locked.send(command) == "9804"
        assert locked.send("A020000108" + PIN) == "9000"
        assert locked.send(command) == "9F0C"


class TestChv:
    @pytest.fixture
    def terminal(self) -> Terminal:
        return Terminal(fixture_card("pin"))

    def test_it_is_pin1(self, terminal: Terminal) -> None:
        fetch(terminal, "A0A40000027F20")
        fetch(terminal, "A0A40000026F07")
        assert terminal.send("A0B0000009") == "9804"
        assert terminal.send("A020000108" + WRONG) == "9804"
        assert terminal.send("0020000100") == "63C2", "one counter in both classes"
        assert terminal.send("A020000108" + PIN) == "9000"
        assert terminal.send("A0B0000009").endswith("9000")

    def test_blocked_and_unblocked(self, terminal: Terminal) -> None:
        wrong = "A020000108" + WRONG
        assert [terminal.send(wrong) for _ in range(4)] == ["9804", "9804", "9840", "9840"]
        assert fetch(terminal, "A0A40000023F00")[18] == 0x80
        assert terminal.send(f"A02C000010{WRONG}{PIN}") == "9804"
        assert terminal.send(f"A02C000010{PUK}{PIN}") == "9000"
        assert terminal.send("A020000108" + PIN) == "9000"

    def test_chv2_is_pin2(self, terminal: Terminal) -> None:
        assert terminal.send("A020000208" + PIN2) == "9000"
        assert terminal.send("A020000208" + WRONG) == "9804"
        assert terminal.send("0020008100") == "63C2"
        assert terminal.send(f"A02C000210{PUK2}{PIN2}") == "9000"

    def test_change_disable_enable(self, terminal: Terminal) -> None:
        assert terminal.send(f"A024000110{PIN}{WRONG}") == "9000"
        assert terminal.send("A026000108" + WRONG) == "9000"
        assert terminal.send("A026000108" + WRONG) == "9808"
        assert terminal.send("A028000108" + WRONG) == "9000"

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("A020000308" + PIN, "6B00"),
            ("A020000108", "6700"),
            ("A0200001", "6700"),
            ("A0A4000001AA", "6700"),
            ("A0A40100023F00", "6B00"),
            ("A0A4000002FFFF", "9404"),
            ("A0B0000001", "9400"),
            ("A0CA000000", "6D00"),
            ("A0B000000100", "6700"),
            ("A0C0000005", "9808"),
            ("A0FA000000", "9000"),
        ],
    )
    def test_what_is_refused(self, terminal: Terminal, command: str, answer: str) -> None:
        assert terminal.send(command) == answer


class TestUpdateAndSeek:
    @pytest.fixture
    def terminal(self) -> Terminal:
        terminal = Terminal(fixture_card("isim"))
        fetch(terminal, "A0A40000027F10")
        fetch(terminal, "A0A40000026F3A")
        return terminal

    def test_records(self, terminal: Terminal) -> None:
        record = ("416E6E".ljust(28, "F") + "0781" + "5155F0").ljust(56, "F")
        assert terminal.send(f"A0DC03041C{record}") == "9000"
        assert terminal.send("A0B203041C") == record + "9000"
        assert terminal.send(f"A0DC0B041C{record}") == "9402"
        assert terminal.send(f"A0DC03041B{record[:-2]}") == "6700"
        assert fetch(terminal, "A0A2001003416E6E") == b"\x03"
        assert terminal.send("A0A2000003416E6E") == "9000"
        assert terminal.send("A0A2000203416E6E") == "9404", "no next one"
        assert terminal.send("A0A2000303416E6E") == "9404", "and none before"
        assert terminal.send("A0A2000103416E6E") == "9000", "from the end"
        assert terminal.send("A0A2000003426F62") == "9404"
        assert terminal.send("A0A2000403416E6E") == "6B00"

    def test_next_and_previous(self, terminal: Terminal) -> None:
        for number in range(1, 11):
            assert terminal.send(f"A0DC{number:02X}041C{number:02X}" + "FF" * 27) == "9000"
        first = [terminal.send("A0B200021C")[:2] for _ in range(10)]
        assert first == [f"{number:02X}" for number in range(1, 11)]
        assert terminal.send("A0B200021C") == "9402"
        assert terminal.send("A0B200041C")[:2] == "0A", "the current one"
        assert terminal.send("A0B200031C")[:2] == "09"

    def test_binary_under_its_rule(self, terminal: Terminal) -> None:
        fetch(terminal, "A0A40000027F20")
        described = fetch(terminal, "A0A40000026F20")
        assert described[8] == 0x11, "EF_Kc: CHV1 to read and to update"
        assert terminal.send("A0D6000002ABCD") == "9000"
        assert terminal.send("A0B0000003") == "ABCDFF9000"
        assert terminal.send("A0D6810002ABCD") == "6B00", "there are no SFIs"
        described = fetch(terminal, "A0A40000026F07")
        assert described[8] == 0x14, "EF_IMSI: ADM to update"
        assert terminal.send("A0D6000002ABCD") == "9804"
        described = fetch(terminal, "A0A40000026FAE")
        assert described[8] == 0x0F, "EF_Phase: never"
        assert terminal.send("A0D600000103") == "9804"
