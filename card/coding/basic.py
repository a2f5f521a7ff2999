"""How the values in a UICC's files are written: digits, texts, bitmaps, addresses.

Every ``decode_`` raises AnswerError for octets that do not follow the
specification: they come from a card. Every ``encode_`` gives the octets without
the FF that fills up a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from card.errors import AnswerError
from card.tlv import Tlv, write_tlv

USIM_AID = bytes.fromhex("A0000000871002")  # RID of 3GPP and application code (TS 101 220 §L)
ISIM_AID = bytes.fromhex("A0000000871004")

FQDN, IPV4, IPV6 = 0, 1, 2  # address types of EF_P-CSCF


class Application(NamedTuple):
    """One application of a card: its full AID (5 to 16 octets) and its name for people."""

    aid: bytes
    label: str = ""

    @property
    def kind(self) -> Literal["usim", "isim", "other"]:
        """Told by the first seven octets of the AID; the rest belongs to the issuer."""
        start = self.aid[:7]
        return "usim" if start == USIM_AID else "isim" if start == ISIM_AID else "other"


class AdministrativeData(NamedTuple):
    """EF_AD. ``mnc_length`` is 2 or 3 digits, 0 where an old card does not say."""

    operation_mode: int
    mnc_length: int


def is_unused(octets: bytes) -> bool:
    """Whether a record or file was never written: nothing but FF."""
    return not octets.strip(b"\xff")


def decode_application(record: bytes) -> Application:
    """A record of EF_DIR: 61 { 4F AID, 50 label } (TS 102 221 §13.1)."""
    template = Tlv(Tlv(record).value(0x61))
    aid = template.value(0x4F)
    if not 5 <= len(aid) <= 16:
        raise AnswerError(f"EF_DIR holds an AID of {len(aid)} octets, not 5 to 16")
    label = template.value(0x50) if 0x50 in template else b""
    return Application(aid, _printable(label.rstrip(b"\xff").decode("utf-8", "replace")))


def encode_application(application: Application) -> bytes:
    """A record of EF_DIR."""
    label = write_tlv(0x50, application.label.encode()) if application.label else b""
    return write_tlv(0x61, write_tlv(0x4F, application.aid) + label)


def decode_iccid(octets: bytes) -> str:
    """EF_ICCID: up to 20 digits, two an octet with the low half first (TS 102 221 §13.2).

    Some issuers write hexadecimal digits; they are kept.
    """
    digits = _swapped(octets[:10]).rstrip("F")
    if not 10 <= len(digits) <= 20 or "F" in digits:
        raise AnswerError("EF_ICCID does not hold a card number")
    return digits


def encode_iccid(iccid: str) -> bytes:
    """EF_ICCID, 10 octets."""
    return bytes.fromhex(_swap(iccid.ljust(20, "F")))


def decode_imsi(octets: bytes) -> str:
    """EF_IMSI: length, then a half octet of type and parity, then digits (TS 31.102 §4.2.2)."""
    length = octets[0] if octets else 0
    if length in (0, 0xFF):
        raise AnswerError("EF_IMSI is empty: this card was not personalised")
    digits = _swapped(octets[1 : 1 + length])[1:].rstrip("F")
    if len(octets) < 1 + length or not 6 <= len(digits) <= 15 or not digits.isdecimal():
        raise AnswerError("EF_IMSI does not hold an IMSI of 6 to 15 digits")
    return digits


def encode_imsi(imsi: str) -> bytes:
    """EF_IMSI, 9 octets; type 1 with the parity bit set for an odd number of digits."""
    halves = ("9" + imsi) if len(imsi) % 2 else ("1" + imsi + "F")
    return bytes((len(halves) // 2,)) + bytes.fromhex(_swap(halves)).ljust(8, b"\xff")


def decode_ad(octets: bytes) -> AdministrativeData:
    """EF_AD: mode of operation, 2 octets more, and the MNC's length (TS 31.102 §4.2.18)."""
    if len(octets) < 3:
        raise AnswerError("EF_AD is shorter than 3 octets")
    mnc_length = octets[3] & 0x0F if len(octets) > 3 else 0
    return AdministrativeData(octets[0], mnc_length if mnc_length in (2, 3) else 0)


def encode_ad(ad: AdministrativeData) -> bytes:
    """EF_AD, 4 octets."""
    return bytes((ad.operation_mode, 0, 0, ad.mnc_length))


def decode_services(octets: bytes) -> frozenset[int]:
    """EF_UST, EF_IST: bit 1 of octet 1 is service 1 (TS 31.102 §4.2.8, TS 31.103 §4.2.7)."""
    return frozenset(
        at * 8 + bit + 1 for at, octet in enumerate(octets) for bit in range(8) if octet >> bit & 1
    )


def encode_services(services: Iterable[int]) -> bytes:
    """EF_UST, EF_IST in as few octets as hold the highest service."""
    bits = 0
    for service in services:
        bits |= 1 << (service - 1)
    return bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little")


def decode_text(octets: bytes) -> str:
    """EF_IMPI, EF_DOMAIN, EF_IMPU: UTF-8 text under tag 80 (TS 31.103 §4.2.2 to 4.2.4); and
    EF_PSISMSC (TS 31.102 §4.5.9).

    Control characters are refused: such text goes into SIP headers.
    """
    return _text(Tlv(octets).value(0x80))


def encode_text(text: str) -> bytes:
    """EF_IMPI, EF_DOMAIN, or a record of EF_IMPU or EF_PSISMSC."""
    return write_tlv(0x80, text.encode())


def decode_pcscf(octets: bytes) -> str:
    """A record of EF_P-CSCF: a type and an FQDN or an address (TS 31.103 §4.2.8)."""
    content = Tlv(octets).value(0x80)
    kind, value = content[:1], content[1:]
    if kind == bytes((FQDN,)):
        return _text(value)
    if (kind, len(value)) == (bytes((IPV4,)), 4):
        return ".".join(str(octet) for octet in value)
    if (kind, len(value)) == (bytes((IPV6,)), 16):
        from ipaddress import IPv6Address

        return str(IPv6Address(value))
    raise AnswerError("EF_P-CSCF holds an address of an unknown type or length")


def encode_pcscf(address: str) -> bytes:
    """A record of EF_P-CSCF; what is not an IPv4 or IPv6 address is taken for a name."""
    name = write_tlv(0x80, bytes((FQDN,)) + address.encode())
    if ":" not in address and not address[-1:].isdigit():
        return name  # spares most callers the import

    from ipaddress import ip_address

    try:
        packed = ip_address(address).packed
    except ValueError:
        return name
    return write_tlv(0x80, bytes((IPV4 if len(packed) == 4 else IPV6,)) + packed)


def _text(octets: bytes) -> str:
    try:
        text = octets.rstrip(b"\xff").decode()
    except UnicodeDecodeError:
        raise AnswerError("the card's text is not UTF-8") from None
    if not text or _printable(text) != text:
        raise AnswerError("the card's text is empty or holds control characters")
    return text


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _swapped(octets: bytes) -> str:
    """The hexadecimal digits with the low half of each octet first."""
    return _swap(octets.hex().upper())


def _swap(digits: str) -> str:
    return "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))
