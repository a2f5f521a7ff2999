"""What other people's programs need of an emulated UICC, point by point.

Points 1 to 12 and 14 to 16 of the list of facts about card clients; 13, the
AUTHENTICATE command, has test_emulated_authenticate.py, PIN1 test_emulated_pin.py.
"""

from __future__ import annotations

import functools
import operator

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.coding.basic import Application
from card.files import ef as files
from card.profile import Isim, shipped
from card.tlv import Tlv

MF_EFS = ["2F00", "2FE2", "2F05", "2F06"]
USIM_EFS = "6F05 6F06 6F07 6F08 6F09 6F31 6F38 6F40 6F46 6F5B 6F5C 6F73 6F78 6F7B 6F7E 6FAD 6FB7"
ISIM_EFS = "6F02 6F03 6F04 6F06 6F07 6F09 6FAD"
EVERY_EF = [
    *(("", fid) for fid in MF_EFS),
    *((USIM, fid) for fid in USIM_EFS.split()),
    *((ISIM, fid) for fid in ISIM_EFS.split()),
]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(fixture_card("isim"))


def read(terminal: Terminal, fid: str) -> bytes:
    """A transparent EF of the current DF, whole."""
    assert terminal.send(f"00A4000C02{fid}") == "9000"
    answer = terminal.send("00B0000000")
    assert answer.endswith("9000"), answer
    return bytes.fromhex(answer[:-4])


def records(terminal: Terminal, fid: str) -> list[bytes]:
    """All records of a linear fixed EF, their length found by asking for 255 octets."""
    assert terminal.send(f"00A4000C02{fid}") == "9000"
    length = terminal.send("00B20104FF")
    assert length[:2] == "6C", length
    found: list[bytes] = []
    while (answer := terminal.send(f"00B2{len(found) + 1:02X}04{length[2:]}")) != "6A83":
        assert answer.endswith("9000"), answer
        found.append(bytes.fromhex(answer[:-4]))
    return found


class TestPoint1TransmissionAsOverT0:
    def test_the_atr_is_well_formed_and_offers_t0_first(self, terminal: Terminal) -> None:
        """ISO/IEC 7816-3 §8.2."""
        atr = terminal.card.atr
        assert atr[0] == 0x3B
        historical = atr[1] & 0x0F
        position, indicator, protocols = 1, atr[1], []
        while indicator & 0xF0:
            position += bin(indicator & 0x70).count("1")
            if not indicator & 0x80:
                break
            position += 1
            indicator = atr[position]
            protocols.append(indicator & 0x0F)
        assert protocols == [0, 15]
        assert len(atr) == position + 1 + historical + 1 <= 33
        assert functools.reduce(operator.xor, atr[1:]) == 0, "TCK"

    def test_data_that_answers_data_waits_for_get_response(self, terminal: Terminal) -> None:
        announced = terminal.send("00A40004023F00")
        assert announced[:2] == "61"
        fcp = terminal.send("00C00000" + announced[2:])
        assert fcp.startswith("62")
        assert fcp.endswith("9000")
        assert terminal.send("00C00000" + announced[2:]) == "6985", "it is given once"

    def test_a_superfluous_le_is_accepted(self, terminal: Terminal) -> None:
        assert terminal.send("00A40004023F0000")[:2] == "61"
        assert terminal.send(f"00A4040C10{USIM}00") == "9000"

    def test_get_response_in_pieces_and_with_a_wrong_length(self, terminal: Terminal) -> None:
        length = int(terminal.send("00A40004023F00")[2:], 16)
        assert terminal.send(f"00C00000{length + 1:02X}") == f"6C{length:02X}"
        first = terminal.send("00C0000005")
        assert first[-4:] == f"61{length - 5:02X}"
        rest = terminal.send("00C0000000")
        whole = bytes.fromhex(first[:-4] + rest[:-4])
        assert len(whole) == length
        assert [tag for tag, _ in Tlv(whole)] == [0x62]

    def test_another_command_drops_what_waits(self, terminal: Terminal) -> None:
        terminal.send("00A40004023F00")
        terminal.send("80F2000C00")
        assert terminal.send("00C0000010") == "6985"


def test_point_2_bursts_of_power_begin_at_the_mf_with_pin1_unverified() -> None:
    terminal = Terminal(fixture_card("pin"))
    for _ in range(8):
        terminal.select(USIM)
        assert terminal.send("0020000108 32343638FFFFFFFF") == "9000"
        assert terminal.send("00B0870009").endswith("9000")
        terminal.card.power_on()
        status = bytes.fromhex(terminal.send("80F2000000")[:-4])
        assert Tlv(Tlv(status).value(0x62)).value(0x83) == b"\x3f\x00"
        assert terminal.send("00A40004027FFF") == "6A82"
        terminal.select(USIM)
        assert terminal.send("00B0870009") == "6982"
        terminal.card.reset()


class TestPoint3SelectByFid:
    @pytest.mark.parametrize("fid", ["3F00", *MF_EFS])
    def test_from_the_mf(self, terminal: Terminal, fid: str) -> None:
        fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch(f"00A4000402{fid}"))).value(0x62))
        assert fcp.value(0x83).hex().upper() == fid

    @pytest.mark.parametrize(("aid", "fid"), EVERY_EF)
    def test_every_ef_of_the_current_df(self, terminal: Terminal, aid: str, fid: str) -> None:
        if aid:
            terminal.select(aid)
        assert terminal.send(f"00A4000C02{fid}") == "9000"

    @pytest.mark.parametrize("fid", ["7F20", "7FE0", "7F25", "7F10", "0000", "FFFF"])
    def test_missing_files_leave_the_current_one(self, terminal: Terminal, fid: str) -> None:
        terminal.select(USIM)
        terminal.send("00A4000C026F07")
        assert terminal.send(f"00A4000402{fid}") == "6A82"
        assert terminal.send("00B0000000").endswith("9000")

    def test_7fff_is_the_application_in_use(self, terminal: Terminal) -> None:
        assert terminal.send("00A40004027FFF") == "6A82"
        terminal.select(ISIM)
        terminal.send("00A4000C023F00")
        fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch("00A40004027FFF"))).value(0x62))
        assert fcp.value(0x84).hex().upper() == ISIM


class TestPoint4SelectByAid:
    @pytest.mark.parametrize("aid", [USIM, ISIM, USIM[:14], ISIM[:14], ISIM[:20]])
    def test_full_and_truncated(self, terminal: Terminal, aid: str) -> None:
        fcp = terminal.fetch(f"00A40404{len(aid) // 2:02X}{aid}")
        assert Tlv(Tlv(bytes.fromhex(fcp)).value(0x62)).value(0x84).hex().upper().startswith(aid)

    @pytest.mark.parametrize("p2", ["0C", "00"])
    def test_without_data_in_the_answer(self, terminal: Terminal, p2: str) -> None:
        assert terminal.send(f"00A404{p2}07{ISIM[:14]}") == "9000"
        assert terminal.send("00B0820000").endswith("9000")

    @pytest.mark.parametrize(
        "aid",
        [
            "A0000005591010FFFFFFFF8900000100",  # ISD-R of an eUICC
            "A00000015141434C00",  # ARA-M
            "A000000003000000",  # GlobalPlatform
            "A000000087100A",  # HPSIM
            "A000000087100B",  # USIM-INI
            USIM + "00",
            "A0000000",
        ],
    )
    def test_unknown(self, terminal: Terminal, aid: str) -> None:
        assert terminal.send(f"00A40404{len(aid) // 2:02X}{aid}") == "6A82"

    def test_a_usim_only_card_has_no_isim(self) -> None:
        assert Terminal(fixture_card("usim")).send(f"00A4040410{ISIM}") == "6A82"


class TestPoint5SelectByPath:
    def test_from_the_mf(self, terminal: Terminal) -> None:
        assert terminal.fetch("00A40804022F00").startswith("62")
        assert terminal.fetch("00A4080404 3F002F00").startswith("62")

    def test_through_the_current_application(self, terminal: Terminal) -> None:
        assert terminal.send("00A4080404 7FFF6F07") == "6A82"
        terminal.select(USIM)
        terminal.send("00A4000C023F00")
        assert terminal.send("00A4080C04 7FFF6F07") == "9000"
        assert terminal.send("00B0000009") == "0809101000000000409000"

    def test_from_the_current_df(self, terminal: Terminal) -> None:
        terminal.select(USIM)
        assert terminal.send("00A4090C02 6F07") == "9000"

    @pytest.mark.parametrize("path", ["2F002F00", "7FFF6FFF", "6F07"])
    def test_to_nowhere(self, terminal: Terminal, path: str) -> None:
        terminal.select(USIM)
        assert terminal.send(f"00A40804{len(path) // 2:02X}{path}") == "6A82"

    def test_odd_paths(self, terminal: Terminal) -> None:
        assert terminal.send("00A40804032F0000") == "6700"
        assert terminal.send("00A4080400") == "6700"

    def test_the_parent(self, terminal: Terminal) -> None:
        terminal.select(USIM)
        fcp = terminal.fetch("00A4030400")
        assert Tlv(Tlv(bytes.fromhex(fcp)).value(0x62)).value(0x83) == b"\x3f\x00"


class TestPoint6ReadBinary:
    def test_exact_whole_and_partial(self, terminal: Terminal) -> None:
        terminal.send("00A4000C022FE2")
        whole = "980001010000000000F4"
        assert terminal.send("00B000000A") == whole + "9000"
        assert terminal.send("00B0000000") == whole + "9000"
        assert terminal.send("00B00000") == whole + "9000"
        assert terminal.send("00B0000802") == whole[16:] + "9000"
        assert terminal.send("00B0000003") == whole[:6] + "9000"

    def test_too_long_is_told_the_right_length(self, terminal: Terminal) -> None:
        terminal.send("00A4000C022FE2")
        assert terminal.send("00B000000B") == "6C0A"
        assert terminal.send("00B00008FF") == "6C02"
        assert terminal.send("00B0000A01") == "6B00"

    def test_by_sfi(self, terminal: Terminal) -> None:
        assert terminal.send("00B082000A") == "980001010000000000F49000"
        assert terminal.send("00B0820802") == "00F49000"
        assert terminal.send("00B000000A").endswith("9000"), "it is the current EF now"
        assert terminal.send("00B09D0000") == "6A82"
        assert terminal.send("00B0C20000") == "6A86"

    def test_what_cannot_be_read_so(self, terminal: Terminal) -> None:
        assert terminal.send("00B0000000") == "6986"
        terminal.send("00A4000C022F00")
        assert terminal.send("00B0000000") == "6981"


class TestPoint7ReadRecord:
    def test_the_length_is_found_by_6c(self, terminal: Terminal) -> None:
        terminal.send("00A4000C022F00")
        assert terminal.send("00B20104FF") == "6C1A"
        assert terminal.send("00B2010400") == "6C1A"
        assert terminal.send("00B201041A").endswith("9000")

    def test_the_length_stands_in_the_fcp(self, terminal: Terminal) -> None:
        fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch("00A40004022F00"))).value(0x62))
        assert fcp.value(0x82).hex().upper() == "4221001A03"

    def test_out_of_range(self, terminal: Terminal) -> None:
        terminal.send("00A4000C022F00")
        assert terminal.send("00B204041A") == "6A83"
        assert terminal.send("00B200041A") == "6A83"

    def test_by_sfi(self, terminal: Terminal) -> None:
        assert terminal.send("00B201F41A").startswith("61184F10" + USIM)
        assert terminal.send("00B202041A").startswith("61184F10" + ISIM)

    def test_what_cannot_be_read_so(self, terminal: Terminal) -> None:
        assert terminal.send("00B201041A") == "6986"
        terminal.send("00A4000C022F00")
        assert terminal.send("00B201021A") == "6A86"
        assert terminal.send("00B201051A") == "6A86"
        terminal.send("00A4000C022FE2")
        assert terminal.send("00B201040A") == "6981"


def test_point_8_ef_dir_lists_the_applications_and_the_mf_has_an_fcp() -> None:
    terminal = Terminal(fixture_card("isim"))
    assert terminal.fetch("00A40004023F00").startswith("62")
    first, second, spare = records(terminal, "2F00")
    assert files.EF_DIR.decode(first) == Application(bytes.fromhex(USIM), "USIM")
    assert files.EF_DIR.decode(second) == Application(bytes.fromhex(ISIM), "ISIM")
    assert spare == b"\xff" * len(first)
    usim_only = records(Terminal(fixture_card("usim")), "2F00")
    assert usim_only[0] == first
    assert usim_only[1:] == [spare, spare]


class TestPoint9Fcp:
    TAGS = frozenset({0x80, 0x81, 0x82, 0x83, 0x84, 0x88, 0x8A, 0x8B, 0x8C, 0xA5, 0xAB, 0xC6})

    @pytest.mark.parametrize(("aid", "fid"), EVERY_EF)
    def test_of_every_ef(self, terminal: Terminal, aid: str, fid: str) -> None:
        if aid:
            terminal.select(aid)
        whole = bytes.fromhex(terminal.fetch(f"00A4000402{fid}"))
        assert len(whole) < 128
        fcp = Tlv(Tlv(whole).value(0x62))
        assert {tag for tag, _ in fcp} == {0x82, 0x83, 0x8A, 0x8B, 0x80, 0x88}
        assert fcp.value(0x83).hex().upper() == fid
        assert fcp.value(0x8A) == b"\x05"
        descriptor = fcp.value(0x82)
        size = int.from_bytes(fcp.value(0x80), "big")
        if descriptor[0] == 0x41:
            assert descriptor == b"\x41\x21"
            assert size == len(read(terminal, fid))
        else:
            found = records(terminal, fid)
            assert descriptor == bytes((0x42, 0x21, 0, len(found[0]), len(found)))
            assert size == len(found) * len(found[0])

    @pytest.mark.parametrize(("aid", "fid"), EVERY_EF)
    def test_its_sfi_reads_the_same_file(self, terminal: Terminal, aid: str, fid: str) -> None:
        if aid:
            terminal.select(aid)
        fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch(f"00A4000402{fid}"))).value(0x62))
        if not (sfi := fcp.value(0x88)):
            return
        assert sfi[0] & 0x07 == 0
        if fcp.value(0x82)[0] == 0x41:
            by_sfi = terminal.send(f"00B0{0x80 | sfi[0] >> 3:02X}0000")
            assert by_sfi == read(terminal, fid).hex().upper() + "9000"
        else:
            length = fcp.value(0x82)[3]
            by_sfi = terminal.send(f"00B201{sfi[0] | 4:02X}{length:02X}")
            assert by_sfi == records(terminal, fid)[0].hex().upper() + "9000"

    @pytest.mark.parametrize("aid", [USIM, ISIM])
    def test_of_an_adf(self, terminal: Terminal, aid: str) -> None:
        whole = bytes.fromhex(terminal.fetch(f"00A4040410{aid}"))
        assert len(whole) < 128
        fcp = Tlv(Tlv(whole).value(0x62))
        assert {tag for tag, _ in fcp} <= self.TAGS
        assert fcp.value(0x82) == b"\x78\x21"
        assert fcp.value(0x84).hex().upper() == aid

    def test_the_rule_it_names_stands_in_ef_arr(self, terminal: Terminal) -> None:
        for aid, fid in EVERY_EF:
            if aid:
                terminal.select(aid)
            else:
                terminal.card.reset()
            fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch(f"00A4000402{fid}"))).value(0x62))
            rule = fcp.value(0x8B)
            found = records(terminal, rule[:2].hex())
            assert 1 <= rule[2] <= len(found)


@pytest.mark.parametrize(("name", "status"), [("isim", 0x60), ("pin", 0xE0)])
def test_point_10_c6_says_whether_pin1_is_wanted(name: str, status: int) -> None:
    terminal = Terminal(fixture_card(name))
    for command in ("00A40004023F00", f"00A4040410{USIM}"):
        fcp = Tlv(Tlv(bytes.fromhex(terminal.fetch(command))).value(0x62))
        assert fcp.value(0xC6).hex().upper() == f"9001{status:02X}83010183018183010A"


class TestPoint11FilesOfTheUsim:
    @pytest.mark.parametrize(
        ("name", "imsi", "mnc_length"),
        [("isim", "001010000000004", 2), ("mnc3", "001001000000005", 3)],
    )
    def test_identity(self, name: str, imsi: str, mnc_length: int) -> None:
        terminal = Terminal(fixture_card(name))
        assert len(read(terminal, "2FE2")) == 10
        assert files.EF_ICCID.decode(read(terminal, "2FE2")) == fixture_card(name).iccid
        terminal.select(USIM)
        content = read(terminal, "6F07")
        assert len(content) == 9
        assert files.EF_IMSI.decode(content) == imsi
        content = read(terminal, "6FAD")
        assert len(content) == 4
        assert files.EF_AD.decode(content).mnc_length == mnc_length
        assert read(terminal, "6F78") == (1 << int(imsi[-1])).to_bytes(2, "big")

    def test_services(self) -> None:
        terminal = Terminal(fixture_card("usim"))
        terminal.select(USIM)
        assert files.EF_UST.decode(read(terminal, "6F38")) == {19, 21, 33}

    def test_arr_and_spn(self, terminal: Terminal) -> None:
        assert records(terminal, "2F06")[0][:5] == bytes.fromhex("8001019000")
        terminal.select(USIM)
        assert records(terminal, "6F06")[1][:3] == bytes.fromhex("800101")
        assert read(terminal, "6F46") == b"\x00sipua".ljust(17, b"\xff")

    def test_an_imsi_with_an_even_number_of_digits(self) -> None:
        terminal = Terminal(shipped()._replace(imsi="00101012345678"))
        terminal.select(USIM)
        assert files.EF_IMSI.decode(read(terminal, "6F07")) == "00101012345678"


class TestPoint14Status:
    def test_the_fcp_of_the_current_df(self, terminal: Terminal) -> None:
        selected = terminal.fetch(f"00A4040410{ISIM}")
        assert terminal.send("80F2000000") == selected + "9000"
        assert terminal.send(f"80F20000{len(selected) // 2:02X}") == selected + "9000"
        assert terminal.send("80F20000FF") == f"6C{len(selected) // 2:02X}"

    def test_no_data_and_the_aid(self, terminal: Terminal) -> None:
        assert terminal.send("80F2000C00") == "9000"
        assert terminal.send("80F2000100") == "6A86"
        terminal.select(USIM)
        assert terminal.send("80F2010100") == f"8410{USIM}9000"


class TestPoint15FilesOfTheIsim:
    def test_identities(self, terminal: Terminal) -> None:
        isim = fixture_card("isim").isim
        assert isim is not None
        terminal.select(ISIM)
        assert files.EF_IMPI.decode(read(terminal, "6F02")) == isim.impi
        assert files.EF_DOMAIN.decode(read(terminal, "6F03")) == isim.domain
        assert tuple(map(files.EF_IMPU.decode, records(terminal, "6F04"))) == isim.impu
        assert files.EF_IST.decode(read(terminal, "6F07")) == {1}
        assert tuple(map(files.EF_PCSCF.decode, records(terminal, "6F09"))) == isim.pcscf
        assert records(terminal, "6F09")[1].startswith(bytes.fromhex("800501C0000204"))

    def test_without_a_pcscf_the_file_and_the_service_are_missing(self) -> None:
        terminal = Terminal(fixture_card("pin")._replace(pin=shipped().pin))
        terminal.select(ISIM)
        assert terminal.send("00A40004026F09") == "6A82"
        assert files.EF_IST.decode(read(terminal, "6F07")) == frozenset()

    def test_the_longest_values_a_profile_may_hold(self) -> None:
        long = Isim("i" * 240, ("sip:" + "u" * 236,), "d" * 240, ("p" * 240,))
        terminal = Terminal(shipped()._replace(isim=long))
        terminal.select(ISIM)
        assert files.EF_IMPI.decode(read(terminal, "6F02")) == long.impi
        assert files.EF_IMPU.decode(records(terminal, "6F04")[0]) == long.impu[0]
        assert files.EF_PCSCF.decode(records(terminal, "6F09")[0]) == long.pcscf[0]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00FF000000", "6D00"),
        ("80A40000023F00", "6E00"),
        ("00F2000000", "6E00"),
        ("FFCA000000", "6E00"),
        ("10A40000023F00", "6E00"),
        ("01A40004023F00", "6881"),
        ("03B0000000", "6881"),
        ("81F2000000", "6881"),
        ("40A40004023F00", "6881"),
        ("0070800100", "6881"),
        ("0CA40004023F00", "6882"),
        ("00A40002023F00", "6A86"),
        ("00A47704023F00", "6A86"),
        ("00A40004013F", "6700"),
        ("00A40004023F", "6700"),
        ("00A40004023F000000", "6700"),
        ("00A400040000023F00", "6700"),
        ("00C0010000", "6A86"),
        ("80F2030000", "6A86"),
        ("80F2000001AA", "6700"),
        ("00B0000001AA", "6700"),
        ("00B2010401AA", "6700"),
        ("00C0000001AA", "6700"),
        ("00A4040410", "6700"),
        ("00A4000402", "6700"),
        ("0020000108", "6700"),
        ("00A4", "6700"),
        ("", "6700"),
    ],
)
def test_point_16_what_is_not_supported_has_its_word(
    terminal: Terminal, command: str, answer: str
) -> None:
    assert terminal.send(command) == answer
