"""Every declared file against the vectors in its declaration; codecs against bad octets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card.coding import access as coding_access
from card.coding import basic as coding
from card.coding import network as coding_network
from card.coding import numbers as coding_numbers
from card.coding.basic import AdministrativeData, Application
from card.errors import AnswerError
from card.files import ef as files
from card.files.catalogue import DIRECTORIES, find
from card.files.ef import Ef, Example
from card.files.services import ISIM_SERVICES, USIM_SERVICES

ALL: list[Ef[Any]] = []
for directory in DIRECTORIES:
    ALL += [ef for ef in directory.files if ef not in ALL]
WALK = [(ef, example) for ef in ALL for example in ef.examples]
digits = st.text("0123456789")


@pytest.mark.parametrize(("ef", "example"), WALK, ids=lambda each: getattr(each, "name", ""))
def test_declared_vectors(ef: Ef[Any], example: Example) -> None:
    octets = bytes.fromhex(example.octets)
    assert ef.decode(octets) == example.value
    encoded = ef.encode(example.value)
    assert octets.startswith(encoded)
    assert coding.is_unused(octets[len(encoded) :])


def test_every_decoded_file_has_vectors() -> None:
    assert all(ef.examples for ef in ALL if ef.decode is not bytes)
    assert {example.source for _, example in WALK} == {files.PYSIM, files.OURS}
    declared = [each for each in vars(files).values() if isinstance(each, Ef)]
    assert all(ef in ALL and ef.examples for ef in declared)


def test_a_directory_has_no_identifier_twice() -> None:
    for directory in DIRECTORIES:
        for identifiers in (
            [ef.fid for ef in directory.files],
            [ef.sfi for ef in directory.files if ef.sfi is not None],
        ):
            assert len(identifiers) == len(set(identifiers)), directory.name


def test_files_with_keys_are_marked() -> None:
    names = {ef.name for ef in ALL if ef.secret}
    assert names == {
        *("EF_Keys", "EF_KeysPS", "EF_EPSNSC", "EF_Kc", "EF_KcGPRS"),
        *("EF_5GS3GPPNSC", "EF_5GSN3GPPNSC", "EF_5GAUTHKEYS"),
    }


@pytest.mark.parametrize(
    ("text", "kind", "path", "name"),
    [
        ("EF_IMSI", "usim", "7FFF/6F07", "EF_IMSI"),
        ("imsi", "usim", "7FFF/6F07", "EF_IMSI"),
        ("EF.IMSI", "isim", "7FFF/6F07", "EF_IMSI"),
        ("IMSI", "", "7FFF/6F07", "EF_IMSI"),
        ("AD", "isim", "7FFF/6FAD", "EF_AD"),
        ("DF.GSM/AD", "isim", "3F00/7F20/6FAD", "EF_AD"),
        ("ADF.USIM/EF_AD", "isim", "7FFF/6FAD", "EF_AD"),
        ("EF_P-CSCF", "isim", "7FFF/6F09", "EF_P-CSCF"),
        ("pcscf", "isim", "7FFF/6F09", "EF_P-CSCF"),
        ("3F00/2FE2", "usim", "3F00/2FE2", "EF_ICCID"),
        ("2FE2", "usim", "3F00/2FE2", "EF_ICCID"),
        ("6F07", "isim", "7FFF/6F07", "EF_IST"),
        ("6f07", "usim", "7FFF/6F07", "EF_IMSI"),
        ("3F00/7FFF/6F07", "usim", "7FFF/6F07", "EF_IMSI"),
        ("7FFF/6F07", "usim", "7FFF/6F07", "EF_IMSI"),
        ("7F20/6F07", "usim", "3F00/7F20/6F07", "EF_IMSI"),
        ("7F20/6F20", "usim", "3F00/7F20/6F20", "EF_Kc"),
        ("7FFF/5F3B/4F20", "usim", "7FFF/5F3B/4F20", "EF_Kc"),
        ("7FFF/5F50/4F01", "usim", "7FFF/5F50/4F01", "EF 4F01"),
        ("07", "usim", "7FFF/sfi:07", "EF_IMSI"),
        ("7", "usim", "7FFF/sfi:07", "EF_IMSI"),
        ("sfi:1E", "", "3F00/sfi:1E", "EF_DIR"),
        ("3F00/sfi:02", "isim", "3F00/sfi:02", "EF_ICCID"),
        ("sfi:1C", "isim", "7FFF/sfi:1C", "EF"),
    ],
)
def test_which_file_a_text_means(text: str, kind: Any, path: str, name: str) -> None:
    place = find(text, kind)
    assert (place.path, place.ef.name) == (path, name)


@pytest.mark.parametrize(
    "text", ["", "EF_NOTHING", "00", "sfi:1F", "sfi:AD", "7FFF/IMSIX", "XY/6F07", "7F2/6F07", "/"]
)
def test_texts_that_mean_no_file(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w{3}"):
        find(text, "usim")


def test_the_application_that_a_card_has_not() -> None:
    with pytest.raises(ValueError, match="the card has none"):
        find("7FFF/6F07", "")


@pytest.mark.parametrize(
    ("decode", "octets"),
    [
        (coding.decode_application, "FFFFFF"),
        (coding.decode_application, "6100"),
        (coding.decode_application, "61054F03A00000"),
        (coding.decode_application, "611B4F10A0000000871002FFFFFFFF8907090000"),
        (coding.decode_iccid, "FFFFFFFFFFFFFFFFFFFF"),
        (coding.decode_iccid, "98"),
        (coding.decode_iccid, "98F01010000000000010"),
        (coding.decode_imsi, ""),
        (coding.decode_imsi, "00FFFFFFFFFFFFFFFF"),
        (coding.decode_imsi, "FFFFFFFFFFFFFFFFFF"),
        (coding.decode_imsi, "0829826082000020"),
        (coding.decode_imsi, "0829826082A0002080"),
        (coding.decode_imsi, "0129"),
        (coding.decode_imsi, "0929826082000020801111"),
        (coding.decode_ad, "0000"),
        (coding.decode_text, "FFFFFFFF"),
        (coding.decode_text, "8000"),
        (coding.decode_text, "8002C328"),
        (coding.decode_text, "8003610D0A"),
        (coding.decode_text, "8003"),
        (coding.decode_pcscf, "8000"),
        (coding.decode_pcscf, "80020103"),
        (coding.decode_pcscf, "800503C0A80C22"),
        (coding.decode_pcscf, "8005007800790A"),
        (coding_numbers.decode_dialling_number, "FF" * 13),
        (coding_numbers.decode_dialling_number, "0D81" + "11" * 12),
        (coding_numbers.decode_dialling_number, "81" + "0481214365" + "FF" * 9),
        (coding_numbers.decode_sms_parameters, "FD" + "FF" * 26),
        (coding_numbers.decode_service_provider, "00"),
        (coding_numbers.decode_service_provider, "0080D800FFFF"),
        (coding_numbers.decode_emergency_number, "11F2FF"),
        (coding_numbers.decode_languages, "1234"),
        (coding_numbers.decode_languages, "C3A4"),
        (coding_access.decode_rules, "FFFF"),
        (coding_access.decode_rules, "9000"),
        (coding_access.decode_rules, "800101A4039501"),
        (coding_network.decode_plmns, "A2F210"),
        (coding_network.decode_plmn, "62F2"),
        (coding_network.decode_preferred, "62F2A08000"),
        (coding_network.decode_access_classes, "02"),
        (coding_network.decode_search_interval, ""),
        (coding_network.decode_loci, "1234ABCD62F2101234FF"),
        (coding_network.decode_bootstrapping, "10ABCD"),
        (coding_network.decode_bootstrapping, "0001FF00"),
    ],
)
def test_octets_that_are_refused(decode: Callable[[bytes], object], octets: str) -> None:
    with pytest.raises(AnswerError):
        decode(bytes.fromhex(octets))


def test_mnc_length_that_is_not_said() -> None:
    assert coding.decode_ad(bytes(3)) == AdministrativeData(0, 0)
    assert coding.decode_ad(bytes.fromhex("0000000F")).mnc_length == 0
    assert coding.decode_ad(bytes.fromhex("000000F3")).mnc_length == 3


def test_labels_are_made_safe_to_print() -> None:
    record = bytes.fromhex("61124F07A000000087100250074142" + "1B5B33FF" + "43")
    assert coding.decode_application(record).label == "AB[3�C"


@pytest.mark.parametrize(
    ("aid", "kind"),
    [
        ("A0000000871002FF33FF018900000100", "usim"),
        ("A0000000871004", "isim"),
        ("A000000087100A", "other"),
        ("A000000087", "other"),
    ],
)
def test_kind_of_application(aid: str, kind: str) -> None:
    assert Application(bytes.fromhex(aid)).kind == kind


@given(digits.filter(lambda text: 6 <= len(text) <= 15))
def test_any_imsi_there_and_back(imsi: str) -> None:
    assert len(coding.encode_imsi(imsi)) == 9
    assert coding.decode_imsi(coding.encode_imsi(imsi)) == imsi


@given(st.sets(st.integers(1, 255)))
def test_any_services_there_and_back(services: set[int]) -> None:
    assert coding.decode_services(coding.encode_services(services)) == services


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60))
def test_any_printable_text_there_and_back(text: str) -> None:
    assert coding.decode_text(coding.encode_text(text) + b"\xff\xff") == text


@given(
    st.text("0123456789*#pwe", max_size=19),
    st.booleans(),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=10),
)
def test_any_dialling_number_there_and_back(digits: str, abroad: bool, name: str) -> None:
    """Names in ASCII of which the SMS alphabet knows every character; ` is the one it lacks."""
    number = f"+{digits}" if abroad and digits else digits
    entry = coding_numbers.DiallingNumber(number, name.replace("`", ""))
    assert coding_numbers.decode_dialling_number(_filled(entry)) == entry


def _filled(entry: coding_numbers.DiallingNumber) -> bytes:
    octets = coding_numbers.encode_dialling_number(entry)
    return octets[:-14] + b"\xff" * 6 + octets[-14:]


@given(st.lists(st.from_regex(r"[0-9]{3}-[0-9]{2,3}", fullmatch=True), max_size=8))
def test_any_plmns_there_and_back(plmns: list[str]) -> None:
    octets = coding_network.encode_plmns(plmns) + b"\xff\xff\xff\xff"
    assert coding_network.decode_plmns(octets) == tuple(plmns)


octets = st.one_of(st.none(), st.integers(0, 254))
numbers = st.from_regex(r"([+]?[0-9]{1,20})?", fullmatch=True)


@given(st.builds(coding_numbers.SmsParameters, numbers, st.just("Name"), numbers, octets, octets,
                 octets))  # fmt: skip
def test_any_sms_parameters_there_and_back(parameters: coding_numbers.SmsParameters) -> None:
    record = coding_numbers.encode_sms_parameters(parameters)
    assert coding_numbers.decode_sms_parameters(record) == parameters


@given(
    st.lists(
        st.builds(
            coding_network.PreferredPlmn,
            st.from_regex(r"[0-9]{3}-[0-9]{2,3}", fullmatch=True),
            st.sets(st.sampled_from(sorted(coding_network.TECHNOLOGIES))).map(
                lambda names: tuple(each for each in coding_network.TECHNOLOGIES if each in names)
            ),
        ),
        max_size=5,
    )
)
def test_any_plmn_selector_there_and_back(entries: list[coding_network.PreferredPlmn]) -> None:
    octets = coding_network.encode_preferred(entries) + b"\xff\xff\xff\x00\x00"
    assert coding_network.decode_preferred(octets) == tuple(entries)


@given(
    st.lists(
        st.builds(
            coding_access.AccessRule,
            st.sets(st.sampled_from(sorted(coding_access.MODES.values())), min_size=1).map(
                lambda names: tuple(each for each in coding_access.MODES.values() if each in names)
            ),
            st.one_of(
                st.sampled_from(["always", "never"]),
                st.lists(
                    st.sampled_from(sorted(coding_access.KEYS.values())), min_size=1, max_size=3
                ).map(" or ".join),
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_access_rules_there_and_back(rules: list[coding_access.AccessRule]) -> None:
    assert coding_access.decode_rules(coding_access.encode_rules(rules)) == tuple(rules)


@given(st.binary(max_size=300))
def test_no_decoder_falls_over(octets: bytes) -> None:
    for ef in ALL:
        try:
            ef.decode(octets)
        except AnswerError:
            continue


def test_rules_of_other_shapes() -> None:
    rules = coding_access.decode_rules(
        bytes.fromhex("8401D4" + "AF10" + "A406830101950108" + "A406830181950108" + "800101B000")
    )
    assert rules[0] == (("command D4",), "PIN1 and PIN2")
    assert rules[1] == (("read",), "condition B0 ")


def test_services_the_specifications_number() -> None:
    assert USIM_SERVICES[27] == "GSM access"
    assert ISIM_SERVICES[1] == "P-CSCF address"
