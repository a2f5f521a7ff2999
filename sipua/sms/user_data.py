"""TP-User-Data: the text, and the header that may stand before it (TS 23.040 §9.2.3.24)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.sms import gsm7
from sipua.sms.coding import GSM7, UCS2, Coding
from sipua.sms.octets import Reader

MAX_OCTETS = 140

CONCATENATED_8 = 0x00
CONCATENATED_16 = 0x08
"""Information elements of one part of a longer message."""


class Element(NamedTuple):
    """One information element of the header."""

    identifier: int
    data: bytes


class Part(NamedTuple):
    """Which part of a longer message it is, counted from 1. ``wide`` references have 16 bits."""

    reference: int
    total: int
    number: int
    wide: bool = False

    def to_element(self) -> Element:
        """As the header carries it."""
        size = 2 if self.wide else 1
        data = self.reference.to_bytes(size, "big") + bytes([self.total, self.number])
        return Element(CONCATENATED_16 if self.wide else CONCATENATED_8, data)


class UserData(NamedTuple):
    """``content`` is one septet an octet in the GSM 7-bit alphabet, octets otherwise."""

    content: bytes = b""
    coding: Coding = Coding()
    header: tuple[Element, ...] = ()

    @property
    def text(self) -> str:
        """What people read; octets of no alphabet are one character each."""
        return decode(self.content, self.coding)

    @property
    def part(self) -> Part | None:
        """Which part it is; None for a message of its own.

        Of several elements the last counts, one that makes no sense counts not (§9.2.3.24.1).
        """
        found = None
        for element in self.header:
            found = _read_part(element) or found
        return found

    def to_octets(self) -> bytes:
        """TP-UDL and TP-UD; raises LocalError for more than fits into one message."""
        header = _header_octets(self.header)
        if self.coding.alphabet != GSM7 or self.coding.compressed:
            octets, length = header + self.content, len(header) + len(self.content)
        else:
            fill = _fill(len(header))
            octets = header + gsm7.pack(self.content, fill)
            length = (8 * len(header) + fill) // 7 + len(self.content)
        if len(octets) > MAX_OCTETS:
            raise LocalError(f"{len(octets)} octets of text, more than {MAX_OCTETS} in one message")
        return bytes([length]) + octets


def take_user_data(reader: Reader, coding: Coding, *, with_header: bool) -> UserData:
    """TP-UDL and TP-UD come next; raises ParseError."""
    length = reader.octet("user data length")
    in_septets = coding.alphabet == GSM7 and not coding.compressed
    size = (7 * length + 7) // 8 if in_septets else length
    if size > MAX_OCTETS:
        raise ParseError(f"the user data is {size} octets long, more than {MAX_OCTETS}")
    octets = reader.take(size, "user data")
    header, used = _read_header(octets) if with_header else ((), 0)
    if not in_septets:
        return UserData(octets[used:], coding, header)
    fill = _fill(used)
    before = (8 * used + fill) // 7
    content = gsm7.unpack(octets[used:], max(0, length - before), fill)
    return UserData(content, coding, header)


def decode(content: bytes, coding: Coding) -> str:
    """Content as text, whatever it is."""
    if coding.compressed:
        return content.decode("latin-1")
    if coding.alphabet == GSM7:
        return gsm7.text_of(content)
    if coding.alphabet == UCS2:  # with the surrogates that every telephone writes
        return content.decode("utf-16-be", "replace")
    return content.decode("latin-1")


def _fill(header: int) -> int:
    """Bits of 0 after a header of so many octets, up to the next septet (figure 9.2.3.24 (a))."""
    return -8 * header % 7


def _header_octets(elements: tuple[Element, ...]) -> bytes:
    if not elements:
        return b""
    octets = b"".join(
        bytes([element.identifier, len(element.data)]) + element.data for element in elements
    )
    return bytes([len(octets)]) + octets


def _read_header(octets: bytes) -> tuple[tuple[Element, ...], int]:
    """The elements and how many octets they take; raises ParseError."""
    outer = Reader(octets, "user data")
    length = outer.octet("header length")
    inner = Reader(outer.take(length, "header"), "user data header")
    elements = []
    while inner.left:
        identifier = inner.octet("element")
        elements.append(Element(identifier, inner.take(inner.octet("element"), "element")))
    return tuple(elements), 1 + length


def _read_part(element: Element) -> Part | None:
    data = element.data
    wide = element.identifier == CONCATENATED_16
    if len(data) != (4 if wide else 3) or element.identifier not in (
        CONCATENATED_8,
        CONCATENATED_16,
    ):
        return None
    total, number = data[-2:]
    if not 1 <= number <= total:
        return None
    return Part(int.from_bytes(data[:-2], "big"), total, number, wide)
