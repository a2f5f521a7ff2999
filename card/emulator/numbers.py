"""Telephone numbers in EF_ADN, EF_MSISDN and EF_SMSP (TS 31.102 §4.4.2.3, §4.2.27)."""

from __future__ import annotations

_ALPHA_OCTETS = 14
_NUMBER_OCTETS = 10
_INTERNATIONAL, _UNKNOWN = 0x91, 0x81  # type of number, in the ISDN numbering plan
_ONLY_SERVICE_CENTRE = 0xFD  # parameter indicators of EF_SMSP: bit 2 clear, TS-SC is present


def address_record(number: str) -> bytes:
    """A record of EF_ADN or EF_MSISDN without a name; an empty number leaves it unused."""
    if not number:
        return b"\xff" * (_ALPHA_OCTETS + 14)
    return b"\xff" * _ALPHA_OCTETS + _number(number) + b"\xff\xff"


def service_centre_record(number: str) -> bytes:
    """A record of EF_SMSP which holds a service centre's address, or nothing."""
    if not number:
        return b"\xff" * (_ALPHA_OCTETS + 28)
    return (
        b"\xff" * _ALPHA_OCTETS
        + bytes([_ONLY_SERVICE_CENTRE])
        + b"\xff" * 12  # TP-Destination
        + _number(number)
        + b"\xff" * 3  # TP-PID, TP-DCS, TP-VP
    )


def _number(number: str) -> bytes:
    """Length, type, and 10 octets of digits, the low half first; 12 octets."""
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN
    halves = digits + "F" * (len(digits) % 2)
    swapped = bytes(int(halves[at + 1] + halves[at], 16) for at in range(0, len(halves), 2))
    return bytes([1 + len(swapped), kind]) + swapped.ljust(_NUMBER_OCTETS, b"\xff")
