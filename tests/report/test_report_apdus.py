"""What a series of APDUs says: files by SFI and by path, values, authentication; nothing secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.report.apdus import CardReader, ReadApdu

USIM = "00A4040C07A0000000871002"
ISIM = "00A4040C07A0000000871004"
AUTHENTICATE = "0088008122" + "10" + "11" * 16 + "10" + "22" * 16
RES = "DB08" + "A1" * 8 + "10" + "B2" * 16 + "10" + "C3" * 16


def read(*exchanges: tuple[str, str], shows_secrets: bool = False) -> list[ReadApdu]:
    card = CardReader(shows_secrets=shows_secrets)
    found = [card.take(bytes.fromhex(c), bytes.fromhex(a)) for c, a in exchanges]
    return [each for each in found if each is not None]


def test_files_by_sfi_and_their_values() -> None:
    told = read(
        ("00A4000C023F00", "9000"),
        ("00B082000A", "98001010000000000010" + "9000"),
        (USIM, "9000"),
        ("00B0870009", "0809101010325476989000"),
        (ISIM, "9000"),
        ("00B2012400", "6C37"),
    )
    assert [each.about for each in told] == [
        "selects the master file",
        "reads EF_ICCID",
        "selects the application USIM",
        "reads EF_IMSI",
        "selects the application ISIM",
        "reads EF_IMPU, record 1",
    ]
    assert [each.result for each in told][1::2] == [
        "89000101000000000001",
        "001010123456789",
        "wrong Le, 55 octets are available",
    ]


@pytest.mark.parametrize(
    ("select", "name"),
    [
        ("00A40004022FE2", "EF_ICCID"),
        ("00A40804022FE2", "EF_ICCID"),
        ("00A40804047FFF6F07", "EF_IMSI"),
        ("00A40004027F20", "directory 7F20"),
        ("00A4000402ABCD", "EF ABCD"),
        ("00A4040408D276000085010000", "the application D276000085010000"),
    ],
)
def test_what_is_selected(select: str, name: str) -> None:
    before = [(USIM, "9000")] if "7FFF" in select else [("00A4000C023F00", "9000")]
    assert read(*before, (select, "9000"))[-1].about == f"selects {name}"


def test_res_auts_and_a_wrong_mac() -> None:
    res = read((AUTHENTICATE, "612C"), ("00C000002C", RES + "9000"))
    assert [each.authenticates for each in res] == [True, True]
    assert [each.authentication for each in res] == ["", "RES"]
    assert res[0].about == f"has the card authenticate: RAND {'11' * 16}, AUTN {'22' * 16}"
    auts = read((AUTHENTICATE, "6110"), ("00C0000010", "DC0E" + "55" * 14 + "9000"))[1]
    assert (auts.authentication, f"AUTS {'55' * 14}" in auts.result) == ("AUTS", True)
    assert read((AUTHENTICATE, "9862"))[0].authentication == "MAC"
    assert "security status" in read((AUTHENTICATE, "6982"))[0].authentication


def test_secrets_are_blotted_out_unless_asked_for() -> None:
    exchanges = (
        ("0020000108" + b"80426917".hex(), "9000"),
        (AUTHENTICATE, "612C"),
        ("00C0000010", RES[:32] + "611C"),  # in two parts
        ("00C000001C", RES[32:] + "9000"),
        (USIM, "9000"),
        ("00B0880021", "07" + "D4" * 32 + "9000"),  # EF_KEYS
    )
    shown = " ".join(str(each) for each in read(*exchanges))
    for secret in ("3830", "A1A1", "B2B2", "C3C3", "D4D4", "80426917"):
        assert secret not in shown
    assert read(*exchanges)[0].shown.command == "0020000108" + 8 * ".."
    bare = " ".join(each.shown.command + each.shown.answer for each in read(
        *exchanges, shows_secrets=True
    ))  # fmt: skip
    for secret in ("3830", "A1A1", "B2B2", "C3C3", "D4D4"):
        assert secret in bare


def test_what_is_no_apdu() -> None:
    assert read(("00", "9000"), ("00A40000", "90"), ("00A4000C053F00", "9000")) == []


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), max_size=8))
def test_whatever_a_reader_writes_down(exchanges: list[tuple[bytes, bytes]]) -> None:
    card = CardReader()
    for command, answer in exchanges:
        read = card.take(command, answer)
        assert read is None or read.shown.name


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A4", "B0", "B2", "88", "C0", "20"]),
            st.integers(0, 0xFFFF),
            st.binary(min_size=1, max_size=20),
            st.sampled_from(["9000", "6110", "6C10", "9862", "9F10"]),
        ),
        max_size=8,
    )
)
def test_whatever_a_card_answers(
    exchanges: list[tuple[str, int, bytes, str]],
) -> None:
    card = CardReader()
    for ins, params, data, sw in exchanges:
        for command in (
            f"00{ins}{params:04X}{len(data):02X}{data.hex()}",
            f"00{ins}{params:04X}00",
        ):
            card.take(bytes.fromhex(command), data + bytes.fromhex(sw))
