"""A text as the user data of one message or several (TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.sms import gsm7
from sipua.sms.coding import GSM7, UCS2, Coding
from sipua.sms.user_data import MAX_OCTETS, Part, UserData

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 255

HEADER_OCTETS = {False: 6, True: 7}
"""Length octet, identifier, its length, and 3 or 4 octets; by whether the reference is wide."""


def capacity(alphabet: str, header: int = 0) -> int:
    """Septets, or octets, that fit beside a header of so many octets."""
    octets = MAX_OCTETS - header
    return 8 * octets // 7 if alphabet == GSM7 else octets


def split(
    text: str, reference: int = 0, *, wide: bool = False, message_class: int = -1
) -> list[UserData]:
    """The messages that carry a text: in the GSM 7-bit alphabet if that has all of it.

    ``reference`` tells several parts from those of other texts: 8 bits, or 16 when
    ``wide``. No character is cut in two. Raises LocalError for more than 255 parts.
    """
    try:
        content, alphabet = gsm7.septets(text), GSM7
    except UnicodeEncodeError:
        content, alphabet = text.encode("utf-16-be", "replace"), UCS2
    coding = Coding(alphabet, message_class)
    if len(content) <= capacity(alphabet):
        return [UserData(content, coding)]
    pieces = list(_pieces(content, alphabet, capacity(alphabet, HEADER_OCTETS[wide])))
    total = len(pieces)
    if total > MAX_PARTS:
        raise LocalError(f"the text would need {total} messages, more than {MAX_PARTS}")
    return [
        UserData(piece, coding, (Part(reference, total, number, wide).to_element(),))
        for number, piece in enumerate(pieces, 1)
    ]


def _pieces(content: bytes, alphabet: str, room: int) -> Iterator[bytes]:
    room -= 0 if alphabet == GSM7 else room % 2
    begin = 0
    while begin < len(content):
        end = begin + room
        if end < len(content) and _cuts_character(content, end, alphabet):
            end -= 1 if alphabet == GSM7 else 2
        yield content[begin:end]
        begin = end


def _cuts_character(content: bytes, end: int, alphabet: str) -> bool:
    """Whether an ESC, or the first half of a surrogate pair, would be the last of a piece."""
    if alphabet == GSM7:
        return content[end - 1] == gsm7.ESCAPE
    return 0xD8 <= content[end - 2] < 0xDC
