"""BER-TLV as a UICC uses it (TS 101 220 §7.1.1, ISO/IEC 7816-4 §5.2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from card.errors import AnswerError

FILLERS = (0x00, 0xFF)  # allowed before, between and after data objects


class Tlv:
    """The data objects in some octets, in order; iterating gives (tag, value).

    A tag is the number its octets spell: 0x80, 0x7F21. Raises AnswerError when
    a tag, length or value is cut off or a length is longer than 3 octets.
    """

    __slots__ = ("objects",)

    def __init__(self, octets: bytes) -> None:
        self.objects = list(_objects(octets))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(self.objects)

    def __contains__(self, tag: int) -> bool:
        return any(found == tag for found, _ in self.objects)

    def value(self, tag: int) -> bytes:
        """The first value with this tag. Raises AnswerError when there is none."""
        for found, value in self.objects:
            if found == tag:
                return value
        raise AnswerError(f"the card's data has no object with tag {tag:02X}")

    def values(self, tag: int) -> list[bytes]:
        """Every value with this tag, in order."""
        return [value for found, value in self.objects if found == tag]

    def __repr__(self) -> str:
        return f"Tlv({', '.join(f'{tag:02X}:{len(value)}' for tag, value in self.objects)})"


def write_tlv(tag: int, value: bytes) -> bytes:
    """One data object. ``tag`` is the number its octets spell, the value below 64 KiB."""
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + write_length(len(value)) + value


def write_length(length: int) -> bytes:
    """The length field in its shortest form, 1 to 3 octets."""
    if length < 0x80:
        return bytes((length,))
    if length < 0x100:
        return bytes((0x81, length))
    return b"\x82" + length.to_bytes(2, "big")


def _objects(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at, end = 0, len(octets)
    while at < end:
        tag = octets[at]
        if tag in FILLERS:
            at += 1
            continue
        at += 1
        if tag & 0x1F == 0x1F:
            more = True
            while more:
                if at >= end or tag > 0xFFFF:
                    raise AnswerError("the card's data holds a broken tag")
                more = octets[at] >= 0x80
                tag = tag << 8 | octets[at]
                at += 1
        at, length = _read_length(octets, at)
        if at + length > end:
            raise AnswerError(f"the value of tag {tag:02X} is cut off")
        yield tag, octets[at : at + length]
        at += length


def _read_length(octets: bytes, at: int) -> tuple[int, int]:
    """Where the value starts, and its length."""
    first = octets[at] if at < len(octets) else 0x80
    if first < 0x80:
        return at + 1, first
    size = first - 0x80
    if not 1 <= size <= 2 or at + size >= len(octets):
        raise AnswerError("the card's data holds a broken length")
    return at + 1 + size, int.from_bytes(octets[at + 1 : at + 1 + size], "big")
