"""The GSM 7-bit default alphabet with its extension table (TS 23.038 §6.2.1), packed and not.

The characters themselves are the work of the package gsm0338; national language
tables are not known here.
"""

from __future__ import annotations

import gsm0338  # registers the codec
from gsm0338.charset import BASIC_CHARACTER_SET_EXTENSION as EXTENSION

CODEC = gsm0338.Codec.NAME
ESCAPE = 0x1B
SPACE = 0x20


def septets(text: str) -> bytes:
    """One octet a septet; characters of the extension table take two.

    Raises UnicodeEncodeError when the alphabet has not all of the characters.
    """
    if "\x1b" in text:  # the codec takes it for a character, but it would swallow the next one
        place = text.index("\x1b")
        raise UnicodeEncodeError(CODEC, text, place, place + 1, "ESC is no character")
    return text.encode(CODEC)


def text_of(coded: bytes) -> str:
    """The text of septets, one an octet below 128; whatever they are, they mean something.

    A character that the extension table has not is that of the default alphabet,
    a second ESC a space (TS 23.038 §6.2.1.1); an ESC at the end is nothing.
    """
    known = bytearray()
    position = 0
    while position < len(coded):
        septet = coded[position]
        position += 1
        if septet != ESCAPE:
            known.append(septet)
            continue
        following = coded[position : position + 1]
        position += 1
        if following == bytes([ESCAPE]):
            known.append(SPACE)
        elif following and following[0] in EXTENSION:
            known += bytes([ESCAPE]) + following
        else:
            known += following
    return bytes(known).decode(CODEC)


def pack(coded: bytes, fill: int = 0) -> bytes:
    """Septets put together without gaps, after ``fill`` bits of 0 (TS 23.038 §6.1.2.1)."""
    bits = 0
    for septet in reversed(coded):
        bits = bits << 7 | septet
    return (bits << fill).to_bytes((7 * len(coded) + fill + 7) // 8, "little")


def unpack(packed: bytes, count: int, fill: int = 0) -> bytes:
    """``count`` septets out of octets; those that are not there are 0."""
    bits = int.from_bytes(packed, "little") >> fill
    return bytes(bits >> 7 * place & 0x7F for place in range(count))
