"""Identities from the IMSI, against the examples of TS 23.003 §13."""

from __future__ import annotations

import pytest

from sipua.errors import LocalError
from sipua.ims.identity import home_domain, identity_from_imsi


def test_two_digit_mnc_is_padded() -> None:
    """TS 23.003 §13.4B gives this IMPU as its example."""
    identity = identity_from_imsi("234150999999999", 2)
    assert identity.impu == "sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
    assert identity.impi == "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
    assert identity.domain == "ims.mnc015.mcc234.3gppnetwork.org"


def test_three_digit_mnc_is_taken_whole() -> None:
    assert home_domain("310410123456789", 3) == "ims.mnc410.mcc310.3gppnetwork.org"


def test_the_same_imsi_differs_by_mnc_length() -> None:
    assert home_domain("001010123456789", 2) == "ims.mnc001.mcc001.3gppnetwork.org"
    assert home_domain("001010123456789", 3) == "ims.mnc010.mcc001.3gppnetwork.org"


@pytest.mark.parametrize("imsi", ["", "12345", "1234567890123456", "00101012345678x", "٠٠١٠١٠١٢٣٤"])
def test_what_is_not_an_imsi_is_refused(imsi: str) -> None:
    with pytest.raises(LocalError, match="IMSI"):
        home_domain(imsi, 2)


@pytest.mark.parametrize("mnc_length", [0, 1, 4])
def test_other_mnc_lengths_are_refused(mnc_length: int) -> None:
    with pytest.raises(LocalError, match="MNC"):
        home_domain("001010123456789", mnc_length)
