"""Addresses of short messages: in TPDUs (TS 23.040 §9.1.2.5) and RPDUs (TS 24.011 §8.2.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.sms import gsm7

if TYPE_CHECKING:
    from sipua.sms.octets import Reader

UNKNOWN = 0
INTERNATIONAL = 1
ALPHANUMERIC = 5
ISDN = 1
"""Types of number, and the only numbering plan that is written."""

DIGITS = "0123456789*#abc"
FILLER = 0xF

MAX_DIGITS = 20
"""Semi-octets of an address in a TPDU; an alphanumeric one has up to 11 characters."""

MAX_TEXT = 11


class Address(NamedTuple):
    """``digits`` without the plus, or the text of an alphanumeric one."""

    digits: str = ""
    kind: int = UNKNOWN
    plan: int = ISDN

    def __str__(self) -> str:
        return f"+{self.digits}" if self.kind == INTERNATIONAL else self.digits

    @property
    def type_octet(self) -> int:
        """Type of number and numbering plan."""
        return 0x80 | self.kind << 4 | (0 if self.kind == ALPHANUMERIC else self.plan)


def read_address(text: str) -> Address:
    """A telephone number as a person types it; raises LocalError for anything else.

    What is between digits for the eye (blanks, hyphens, dots, brackets) is passed over.
    """
    plain = text.translate({ord(each): None for each in " -./()"}).lower()
    digits = plain.removeprefix("+")
    if not digits or len(digits) > MAX_DIGITS or set(digits) - set(DIGITS):
        raise LocalError(f"{text[:40]!r} is no telephone number of up to {MAX_DIGITS} digits")
    return Address(digits, INTERNATIONAL if plain != digits else UNKNOWN)


def alphanumeric(text: str) -> Address:
    """A name in place of a number, as networks give; raises LocalError."""
    try:
        if not 0 < len(gsm7.septets(text)) <= MAX_TEXT:
            raise LocalError(f"{text[:40]!r} is no name of 1 to {MAX_TEXT} characters")
    except UnicodeEncodeError as error:
        raise LocalError(f"{text[:40]!r} is not of the GSM 7-bit default alphabet") from error
    return Address(text, ALPHANUMERIC, 0)


def tp_octets(address: Address) -> bytes:
    """With its length in semi-octets in front (TS 23.040 §9.1.2.5)."""
    if address.kind == ALPHANUMERIC:
        septets = gsm7.septets(address.digits)
        value = gsm7.pack(septets)
        length = (7 * len(septets) + 3) // 4
    else:
        value = _semi_octets(address.digits)
        length = len(address.digits)
    return bytes([length, address.type_octet]) + value


def rp_octets(address: Address | None) -> bytes:
    """With its length in octets in front (TS 24.011 §8.2.5.1); nothing but that for none."""
    if address is None:
        return b"\0"
    value = bytes([address.type_octet]) + _semi_octets(address.digits)
    return bytes([len(value)]) + value


def take_tp(reader: Reader, what: str) -> Address:
    """The address that comes next in a TPDU; raises ParseError."""
    length = reader.octet(what)
    if length > MAX_DIGITS:
        raise ParseError(f"the {what} is {length} digits long, more than {MAX_DIGITS}")
    kind, plan = _type(reader.octet(what))
    value = reader.take((length + 1) // 2, what)
    if kind == ALPHANUMERIC:
        return Address(gsm7.text_of(gsm7.unpack(value, 4 * length // 7)), kind, 0)
    return Address(_digits(value)[:length], kind, plan)


def take_rp(reader: Reader, what: str) -> Address | None:
    """The address that comes next in an RPDU, None where it is empty; raises ParseError."""
    value = reader.take(reader.octet(what), what)
    if not value:
        return None
    kind, plan = _type(value[0])
    return Address(_digits(value[1:]), kind, plan)


def _type(octet: int) -> tuple[int, int]:
    return octet >> 4 & 7, octet & 0xF


def _semi_octets(digits: str) -> bytes:
    codes = [DIGITS.index(each) for each in digits]
    codes += [FILLER] * (len(codes) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def _digits(value: bytes) -> str:
    codes = [code for octet in value for code in (octet & 0xF, octet >> 4)]
    return "".join(DIGITS[code] for code in codes if code != FILLER)
