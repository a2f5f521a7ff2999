"""TP-Data-Coding-Scheme: which alphabet, and where a message is to be shown (TS 23.038 §4)."""

from __future__ import annotations

from typing import NamedTuple

GSM7 = "gsm7"
OCTETS = "octets"
UCS2 = "ucs2"

FLASH = 0
"""Message class of what is shown at once and not stored."""

_ALPHABETS = (GSM7, OCTETS, UCS2, GSM7)
_CODES = {GSM7: 0x00, OCTETS: 0x04, UCS2: 0x08}

_COMPRESSED = 0x20
_HAS_CLASS = 0x10


class Coding(NamedTuple):
    """``message_class`` is 0 to 3, or -1 for none; ``waiting`` tells of a message waiting
    indication. What is ``compressed`` (TS 23.042) is not decompressed here."""

    alphabet: str = GSM7
    message_class: int = -1
    compressed: bool = False
    waiting: bool = False

    def to_octet(self) -> int:
        """The octet of the general group; message waiting indications are not written."""
        octet = _CODES[self.alphabet] | (_COMPRESSED if self.compressed else 0)
        return octet if self.message_class < 0 else octet | _HAS_CLASS | self.message_class


def read_coding(octet: int) -> Coding:
    """What an octet means; reserved ones are the default alphabet (§4)."""
    group = octet >> 4
    if group < 0b1000:  # general, from 0100 on with automatic deletion
        alphabet = _ALPHABETS[octet >> 2 & 3]
        message_class = octet & 3 if octet & _HAS_CLASS else -1
        return Coding(alphabet, message_class, bool(octet & _COMPRESSED))
    if group == 0b1111:
        return Coding(OCTETS if octet & 0x04 else GSM7, octet & 3)
    if group in (0b1100, 0b1101):
        return Coding(GSM7, waiting=True)
    if group == 0b1110:
        return Coding(UCS2, waiting=True)
    return Coding()
