"""TPDUs and RPDUs against what other programs' tests say of the same octets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import LocalError, ParseError
from sipua.sms import gsm7, rpdu, tpdu
from sipua.sms.address import Address, alphanumeric, read_address, tp_octets
from sipua.sms.coding import GSM7, OCTETS, UCS2, Coding, read_coding
from sipua.sms.joining import Joiner
from sipua.sms.rpdu import RpAck, RpData, RpError, RpSmma
from sipua.sms.segmentation import split
from sipua.sms.timestamp import Timestamp, read_timestamp, validity_octet, validity_seconds
from sipua.sms.tpdu import Deliver, DeliverReport, StatusReport, Submit, SubmitReport
from sipua.sms.user_data import Element, Part, UserData

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "vectors" / "sms.json").read_text()
)
NOW = Timestamp(2026, 11, 22, 8, 30, 59, 4)


@pytest.mark.parametrize("vector", VECTORS["packed"], ids=lambda each: each["septets"][:16])
def test_septets_are_packed_as_others_pack_them(vector: dict[str, Any]) -> None:
    septets = bytes.fromhex(vector["septets"])
    packed = bytes.fromhex(vector["hex"])
    assert gsm7.pack(septets, vector["fill"]) == packed
    assert gsm7.unpack(packed, len(septets), vector["fill"]) == septets


@pytest.mark.parametrize("text", VECTORS["addresses"]["of"])
def test_addresses_are_written_as_others_write_them(text: str) -> None:
    octets = bytes.fromhex(VECTORS["addresses"]["of"][text])
    assert tp_octets(read_address(text)) == octets


@pytest.mark.parametrize("seconds", VECTORS["relative_validity"]["seconds"])
def test_validity(seconds: str) -> None:
    octet = VECTORS["relative_validity"]["seconds"][seconds]
    assert validity_octet(int(seconds)) == octet
    assert validity_seconds(octet) == int(seconds)


@settings(deadline=None)
@given(st.integers(0, 255))
def test_every_validity_octet_is_found_by_its_seconds(octet: int) -> None:
    assert validity_octet(validity_seconds(octet)) == octet
    assert validity_octet(validity_seconds(octet) - 1) == octet


def test_more_than_the_longest_validity_is_the_longest() -> None:
    assert validity_octet(1e9) == 255
    assert validity_octet(0) == 0


@pytest.mark.parametrize("vector", VECTORS["deliver"], ids=lambda each: each["originator"])
def test_deliver(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    deliver = tpdu.parse_from_network(octets)
    assert isinstance(deliver, Deliver)
    assert str(deliver.originator) == vector["originator"]
    assert str(deliver.sent) == vector["sent"]
    assert deliver.user_data.text == vector["text"]
    assert not deliver.more
    assert deliver.to_bytes() == octets


@pytest.mark.parametrize("vector", VECTORS["submit"], ids=lambda each: each["hex"][:24])
def test_submit(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    (user_data,) = split(vector["text"], message_class=vector.get("message_class", -1))
    submit = Submit(
        vector["reference"],
        read_address(vector["destination"]),
        user_data,
        vector.get("validity"),
        status_wanted=vector.get("status_wanted", False),
    )
    assert submit.to_bytes() == octets
    assert tpdu.parse_from_terminal(octets) == submit


def test_extension_table() -> None:
    """The vector escapes a space by a second ESC, which we would not do."""
    vector = VECTORS["extension_table"]
    submit = tpdu.parse_from_terminal(bytes.fromhex(vector["hex"]))
    assert isinstance(submit, Submit)
    assert submit.user_data.text == vector["text"]
    assert split(vector["text"])[0].text == vector["text"]


def test_absolute_validity() -> None:
    vector = VECTORS["absolute_validity"]
    submit = tpdu.parse_from_terminal(bytes.fromhex(vector["hex"]))
    assert isinstance(submit, Submit)
    assert str(submit.validity) == vector["validity"]
    assert submit.to_bytes() == bytes.fromhex(vector["hex"])


def test_a_long_text_is_cut_where_another_program_cuts_it() -> None:
    vector = VECTORS["submit_in_parts"]
    pieces = split(vector["text"], vector["concatenation"])
    submits = [
        Submit(0, read_address(vector["destination"]), piece, vector["validity"])
        for piece in pieces
    ]
    assert [each.to_bytes().hex().upper() for each in submits] == vector["hex"]


def test_parts_of_another_program_are_joined() -> None:
    vector = VECTORS["deliver_in_parts"]
    joiner = Joiner()
    joined = []
    for octets in vector["hex"]:
        deliver = tpdu.parse_from_network(bytes.fromhex(octets))
        assert isinstance(deliver, Deliver)
        assert deliver.more
        joined += joiner.add(str(deliver.originator), deliver.user_data, 0)
    (text,) = joined
    assert text == (vector["text"], 3, 0, vector["originator"])


@pytest.mark.parametrize("vector", VECTORS["status_report"], ids=lambda each: each["recipient"])
def test_status_report(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    report = tpdu.parse_from_network(octets)
    assert isinstance(report, StatusReport)
    assert report.reference == vector["reference"]
    assert str(report.recipient) == vector["recipient"]
    assert str(report.sent) == vector["sent"]
    assert report.status == vector["status"]
    if "A0" not in vector["hex"]:  # a time zone that no clock has
        assert report.to_bytes() == octets


@settings(deadline=None)
@given(st.integers(0, 255))
def test_every_coding_is_read(octet: int) -> None:
    coding = read_coding(octet)
    assert coding.alphabet in {GSM7, OCTETS, UCS2}
    assert -1 <= coding.message_class <= 3
    if octet < 0x40 and coding.alphabet != GSM7:
        assert read_coding(coding.to_octet()) == coding


@pytest.mark.parametrize(
    ("octet", "coding"),
    [
        (0x00, Coding()),
        (0x0C, Coding()),  # the reserved alphabet
        (0x10, Coding(GSM7, 0)),
        (0x11, Coding(GSM7, 1)),
        (0x18, Coding(UCS2, 0)),
        (0x24, Coding(OCTETS, compressed=True)),
        (0x48, Coding(UCS2)),  # to be deleted once read
        (0x84, Coding()),  # reserved
        (0xC8, Coding(GSM7, waiting=True)),
        (0xE0, Coding(UCS2, waiting=True)),
        (0xF0, Coding(GSM7, 0)),
        (0xF5, Coding(OCTETS, 1)),
    ],
)
def test_codings(octet: int, coding: Coding) -> None:
    assert read_coding(octet) == coding


def test_the_whole_alphabet_goes_there_and_back() -> None:
    septets = bytes(each for each in range(128) if each != gsm7.ESCAPE)
    text = gsm7.text_of(septets)
    assert len(set(text)) == 127
    assert gsm7.septets(text) == septets


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x1be", "€"),
        (b"\x1ba", "a"),  # not in the extension table
        (b"\x1b\x1be", " e"),
        (b"x\x1b", "x"),
    ],
)
def test_escapes_always_mean_something(septets: bytes, text: str) -> None:
    assert gsm7.text_of(septets) == text


@pytest.mark.parametrize("text", ["\x1b", "a\x1bb", "ж", "ç", "\N{GRINNING FACE}"])
def test_what_the_alphabet_has_not_is_refused(text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        gsm7.septets(text)


@pytest.mark.parametrize("text", ["", "+", "sip:bob", "1" * 21, "+49 170 x", "12;ext=3"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(LocalError):
        read_address(text)


def test_numbers_as_people_type_them() -> None:
    assert read_address("+49 (170) 12.34-56/7") == Address("491701234567", 1)
    assert read_address("*100#") == Address("*100#", 0)


@pytest.mark.parametrize("name", ["", "twelve chars", "Ж"])
def test_names_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(LocalError):
        alphanumeric(name)


REPORTS = [
    (DeliverReport(), False, "0000"),
    (DeliverReport(0xD3), True, "00d300"),
    (DeliverReport(user_data=UserData(b"ok")), False, "0006000 2ef35".replace(" ", "")),
]


@pytest.mark.parametrize(("report", "failed", "octets"), REPORTS)
def test_deliver_reports(report: DeliverReport, failed: bool, octets: str) -> None:
    assert report.to_bytes().hex() == octets
    assert tpdu.parse_from_terminal(bytes.fromhex(octets), failed=failed) == report


@pytest.mark.parametrize("failure", [None, 0xC3])
def test_submit_reports(failure: int | None) -> None:
    report = SubmitReport(NOW, failure)
    failed = failure is not None
    assert tpdu.parse_from_network(report.to_bytes(), failed=failed) == report


def test_a_report_with_nothing_but_its_type_is_taken() -> None:
    """Some telephones leave TP-PI out of the report in RP-ACK."""
    assert tpdu.parse_from_terminal(b"\0") == DeliverReport()


def test_parameter_indicators_are_followed() -> None:
    octets = b"\x01\x87\x00" + NOW.to_octets() + b"\x39\x00\x02" + gsm7.pack(b"ok")
    report = tpdu.parse_from_network(octets)
    assert report == SubmitReport(NOW, None, UserData(b"ok"))


SMSC = Address("491760000443", 1)

RPDUS = [
    (RpData(7, b"\x01\x02", destination=SMSC), "0007000791947106004034020102"),
    (RpData(7, b"\x01\x02", originator=SMSC, from_network=True), "0107079194710600403400020102"),
    (RpAck(255), "02ff"),
    (RpAck(1, b"\0\0", from_network=True), "0301410 20000".replace(" ", "")),
    (RpError(9, 22, b"\x00\xd3\x00"), "040901164103 00d300".replace(" ", "")),
    (RpError(9, 38, from_network=True), "05090126"),
    (RpError(9, 81, from_network=True, diagnostics=b"\x05"), "0509025105"),
    (RpSmma(3), "0603"),
]


@pytest.mark.parametrize(("message", "octets"), RPDUS, ids=lambda each: str(each)[:20])
def test_rpdus(message: rpdu.Rpdu, octets: str) -> None:
    assert message.to_bytes().hex() == octets
    assert rpdu.parse(bytes.fromhex(octets)) == message


def test_what_follows_an_rpdu_is_passed_over() -> None:
    assert rpdu.parse(bytes.fromhex("03ff4202abcd")) == RpAck(255, from_network=True)


@pytest.mark.parametrize(
    "octets", ["", "00", "01ff", "0700", "0500", "050900", "0002000791", "0102000003aabb"]
)
def test_rpdus_that_end_too_early_are_refused(octets: str) -> None:
    with pytest.raises(ParseError):
        rpdu.parse(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    ["", "04", "0415", "04ff91", "000b91", "01004316565811f9", "4000800000" + "00" * 7],
)
def test_tpdus_that_end_too_early_are_refused(octets: str) -> None:
    with pytest.raises(ParseError):
        tpdu.parse_from_network(bytes.fromhex(octets))


def test_a_command_is_not_served() -> None:
    with pytest.raises(ParseError, match="type 2"):
        tpdu.parse_from_terminal(b"\x02\x00")


def test_too_long_to_write() -> None:
    with pytest.raises(LocalError):
        Submit(0, SMSC, UserData(bytes(161))).to_bytes()
    with pytest.raises(LocalError):
        RpAck(0, bytes(234)).to_bytes()


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_garbage_is_refused_or_understood(data: bytes, failed: bool) -> None:
    for parse in (tpdu.parse_from_network, tpdu.parse_from_terminal):
        try:
            found = parse(data, failed=failed)
        except ParseError:
            continue
        if isinstance(found, Deliver | Submit):
            assert isinstance(found.user_data.text, str)
            assert found.user_data.part is None or found.user_data.part.total > 0


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_garbage_is_no_rpdu_or_one_that_says_the_same_again(data: bytes) -> None:
    try:
        message = rpdu.parse(data)
    except ParseError:
        return
    try:
        octets = message.to_bytes()
    except LocalError:
        return  # TPDUs longer than any we write
    assert rpdu.parse(octets) == message


def timestamps() -> st.SearchStrategy[Timestamp]:
    return st.builds(
        Timestamp,
        st.integers(1970, 2069),
        *[st.integers(0, 59) for _ in range(5)],
        st.integers(-79, 79),
    )


@settings(deadline=None)
@given(timestamps())
def test_times_go_there_and_back(time: Timestamp) -> None:
    assert read_timestamp(time.to_octets()) == time


@settings(deadline=None)
@given(
    st.binary(max_size=120).map(lambda data: bytes(octet & 0x7F for octet in data)),
    st.lists(st.builds(Element, st.integers(0, 255), st.binary(max_size=4)), max_size=3),
    st.sampled_from([GSM7, OCTETS, UCS2]),
    timestamps(),
)
def test_user_data_goes_there_and_back(
    content: bytes, header: list[Element], alphabet: str, sent: Timestamp
) -> None:
    user_data = UserData(content, Coding(alphabet), tuple(header))
    deliver = Deliver(Address("4917", 1), sent, user_data)
    assert tpdu.parse_from_network(deliver.to_bytes()) == deliver


@pytest.mark.parametrize(
    ("identifier", "data", "part"),
    [
        (0, "1e0302", Part(0x1E, 3, 2)),
        (8, "01020302", Part(0x102, 3, 2, wide=True)),
        (0, "1e0300", None),
        (0, "1e0304", None),
        (0, "1e0000", None),
        (0, "1e03", None),
        (8, "1e0302", None),
        (5, "1e0302", None),
    ],
)
def test_parts(identifier: int, data: str, part: Part | None) -> None:
    user_data = UserData(b"", Coding(), (Element(identifier, bytes.fromhex(data)),))
    assert user_data.part == part
    if part is not None:
        assert part.to_element() == user_data.header[0]
