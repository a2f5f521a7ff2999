"""Every declared file against the vectors in its declaration; codecs against bad octets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card import coding, files
from card.coding import AdministrativeData, Application
from card.errors import AnswerError
from card.files import Ef, Example
from card.services import ISIM_SERVICES, USIM_SERVICES

ALL = (*files.MF_FILES, *files.USIM_FILES, *files.ISIM_FILES)
WALK = [(ef, example) for ef in ALL for example in ef.examples]
digits = st.text("0123456789")


@pytest.mark.parametrize(("ef", "example"), WALK, ids=lambda each: getattr(each, "name", ""))
def test_declared_vectors(ef: Ef[Any], example: Example) -> None:
    octets = bytes.fromhex(example.octets)
    assert ef.decode(octets) == example.value
    encoded = ef.encode(example.value)
    assert octets.startswith(encoded)
    assert coding.is_unused(octets[len(encoded) :])


def test_every_file_is_declared_once_with_vectors() -> None:
    declared = [each for each in vars(files).values() if isinstance(each, Ef)]
    assert sorted(declared, key=id) == sorted(ALL, key=id)
    assert all(ef.examples for ef in ALL)
    assert {example.source for _, example in WALK} == {files.PYSIM, files.OURS}


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


def test_services_the_specifications_number() -> None:
    assert USIM_SERVICES[27] == "GSM access"
    assert ISIM_SERVICES[1] == "P-CSCF address"
