"""The telephone numbers of a profile as records of EF_MSISDN and EF_SMSP, without names."""

from __future__ import annotations

from card.coding.numbers import DiallingNumber, SmsParameters
from card.files.usim import EF_MSISDN, EF_SMSP

_NAME_OCTETS = 14
_NO_NAME = b"\xff" * _NAME_OCTETS
ADDRESS_OCTETS = _NAME_OCTETS + 14
_SMS_OCTETS = _NAME_OCTETS + 28


def address_record(number: str) -> bytes:
    """A record of EF_ADN or EF_MSISDN; an empty number leaves it unused."""
    if not number:
        return b"\xff" * ADDRESS_OCTETS
    return _NO_NAME + EF_MSISDN.encode(DiallingNumber(number))


def service_centre_record(number: str) -> bytes:
    """A record of EF_SMSP which holds a service centre's address, or nothing."""
    if not number:
        return b"\xff" * _SMS_OCTETS
    return _NO_NAME + EF_SMSP.encode(SmsParameters(number))
