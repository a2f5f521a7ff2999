"""Identities of a subscriber whose card has no ISIM (TS 23.003 §13)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError

MCC_LENGTH = 3
IMSI_LENGTHS = range(6, 16)
"""MCC, MNC and at least one digit of MSIN; at most 15 digits (TS 23.003 §2.2)."""


class Identity(NamedTuple):
    """Who registers, and where."""

    impi: str
    impu: str
    domain: str


def home_domain(imsi: str, mnc_length: int) -> str:
    """Home network domain name (TS 23.003 §13.2); a two-digit MNC gets a leading zero.

    Raises LocalError for what is not an IMSI, or an MNC of neither 2 nor 3 digits.
    """
    if not (imsi.isascii() and imsi.isdigit() and len(imsi) in IMSI_LENGTHS):
        raise LocalError("an IMSI has 6 to 15 digits")
    if mnc_length not in (2, 3):
        raise LocalError(f"an MNC has 2 or 3 digits, not {mnc_length}")
    mcc = imsi[:MCC_LENGTH]
    mnc = imsi[MCC_LENGTH : MCC_LENGTH + mnc_length]
    return f"ims.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org"


def identity_from_imsi(imsi: str, mnc_length: int) -> Identity:
    """IMPI (§13.3), temporary IMPU (§13.4B) and home domain; raises LocalError."""
    domain = home_domain(imsi, mnc_length)
    impi = f"{imsi}@{domain}"
    return Identity(impi, f"sip:{impi}", domain)
