"""What a terminal says of itself: as the specifications write it, and nothing else."""

from __future__ import annotations

import pytest

from sipua.errors import LocalError
from sipua.ims.terminal import contact_params, instance, whereabouts


@pytest.mark.parametrize(
    ("imei", "urn"),
    [
        ("90420156025763", "urn:gsma:imei:90420156-025763-0"),  # RFC 7254 §4.1
        ("904201560257634", "urn:gsma:imei:90420156-025763-0"),
        ("90420156-025763-4", "urn:gsma:imei:90420156-025763-0"),
        ("9042015602576342", "urn:gsma:imei:90420156-025763-0;svn=42"),
    ],
)
def test_instance(imei: str, urn: str) -> None:
    assert instance(imei) == urn


@pytest.mark.parametrize("imei", ["", "1234", "90420156025763a", "90420156025763420", '9">\r\n'])
def test_what_is_no_imei(imei: str) -> None:
    with pytest.raises(LocalError, match="no IMEI"):
        instance(imei)


def test_contact_params() -> None:
    assert contact_params("", ()) == ""
    assert contact_params("90420156025763", ("mmtel", "smsip", "+g.x", '+g.y="a,b"')) == (
        '+sip.instance="<urn:gsma:imei:90420156-025763-0>";'
        '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel";+g.3gpp.smsip;+g.x;+g.y="a,b"'
    )


@pytest.mark.parametrize(
    "feature",
    ["", "a b", "a;b", "a>", 'a="b', 'a="b"c"', 'a="b\r\nVia: c"', "a=", 'a="\\"', "a=b;c", "a,b"],
)
def test_what_is_no_feature_tag(feature: str) -> None:
    with pytest.raises(LocalError, match="no feature tag"):
        contact_params("", (feature,))


def test_whereabouts_are_told_when_and_only_when_they_were() -> None:
    assert whereabouts("", "") == ()
    assert whereabouts("3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010001", "ims.example") == (
        ("P-Access-Network-Info", "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010001"),
        ("P-Visited-Network-ID", "ims.example"),
    )
