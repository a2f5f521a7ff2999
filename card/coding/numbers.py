"""Telephone numbers, names and languages in a UICC's files, for people.

Names are in the SMS alphabet or one of the three UCS2 forms (TS 102 221 Annex A);
numbers are half octets, the low one first (TS 31.102 §4.2.26, TS 24.008 §10.5.4.7).
Decoders raise AnswerError, as in ``coding``.
"""

from __future__ import annotations

from typing import NamedTuple

from card.errors import AnswerError

DIGITS = "0123456789*#pwe"  # §4.4.2.3: 10 to 14 are *, #, pause, wild and expansion
INTERNATIONAL, UNKNOWN = 0x91, 0x81  # type of number, in the ISDN numbering plan
NUMBER_OCTETS = 10
NUMBER_TAIL = 14  # of a record: length, type, number, two identifiers
SMSP_TAIL = 28
ABSENT = 0xFF
SAME_IN_ASCII = frozenset(
    b" !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
"""Octets that mean the same character in the SMS alphabet and in ASCII."""


class DiallingNumber(NamedTuple):
    """A number, with + where it is international, and what it is called."""

    number: str
    name: str = ""


class SmsParameters(NamedTuple):
    """A record of EF_SMSP; None and "" where it does not say."""

    service_centre: str = ""
    name: str = ""
    destination: str = ""
    protocol: int | None = None
    data_coding: int | None = None
    validity: int | None = None


class ServiceProvider(NamedTuple):
    """EF_SPN: a name, and the octet that says when it is shown."""

    name: str
    display: int = 0


class EmergencyNumber(NamedTuple):
    """A record of EF_ECC; bit 1 to 5 of ``category`` are police, ambulance, fire, marine and
    mountain rescue.
    """

    number: str
    name: str = ""
    category: int = 0


def decode_name(octets: bytes) -> str:
    """A name with FF behind it."""
    if octets[:1] == b"\x80":  # UCS2, whose filling begins at a whole character
        text = octets[1:]
        end = next((at for at in range(0, len(text), 2) if text[at : at + 2].strip(b"\xff") == b""),
                   len(text))  # fmt: skip
        octets = octets[: 1 + end]
    else:
        octets = octets.rstrip(b"\xff")
    if SAME_IN_ASCII.issuperset(octets):
        return octets.decode("ascii")
    from osmocom.construct import GreedyBytes, GsmOrUcs2Adapter

    try:
        text_read: str = GsmOrUcs2Adapter(GreedyBytes)._decode(octets, None, None)
    except (ValueError, IndexError, OverflowError):
        raise AnswerError("the card's name is in no alphabet of TS 102 221 Annex A") from None
    return "".join(character for character in text_read if character.isprintable())


def encode_name(name: str) -> bytes:
    """A name without filling."""
    octets = name.encode("ascii", "replace")
    if octets.decode() == name and SAME_IN_ASCII.issuperset(octets):
        return octets
    from osmocom.construct import GreedyBytes, GsmOrUcs2Adapter

    return bytes(GsmOrUcs2Adapter(GreedyBytes)._encode(name, None, None))


def decode_dialling_number(record: bytes) -> DiallingNumber:
    """A record of EF_MSISDN, EF_ADN, EF_FDN, EF_SDN (TS 31.102 §4.2.26)."""
    if len(record) < NUMBER_TAIL:
        raise AnswerError(f"a telephone number's record has {NUMBER_TAIL} octets at least")
    tail = record[-NUMBER_TAIL:]
    return DiallingNumber(_number(tail[:12]), decode_name(record[:-NUMBER_TAIL]))


def encode_dialling_number(entry: DiallingNumber) -> bytes:
    """A record with a name that has no filling."""
    return encode_name(entry.name) + _number_field(entry.number) + b"\xff\xff"


def decode_sms_parameters(record: bytes) -> SmsParameters:
    """A record of EF_SMSP (TS 31.102 §4.2.27): a clear indicator bit says that a field is there."""
    if len(record) < SMSP_TAIL:
        raise AnswerError(f"EF_SMSP has {SMSP_TAIL} octets a record at least")
    tail = record[-SMSP_TAIL:]
    present = [not tail[0] >> bit & 1 for bit in range(5)]
    return SmsParameters(
        service_centre=_number(tail[13:25]) if present[1] else "",
        name=decode_name(record[:-SMSP_TAIL]),
        destination=_destination(tail[1:13]) if present[0] else "",
        protocol=tail[25] if present[2] else None,
        data_coding=tail[26] if present[3] else None,
        validity=tail[27] if present[4] else None,
    )


def encode_sms_parameters(parameters: SmsParameters) -> bytes:
    """A record with a name that has no filling."""
    destination = b"\xff" * 12
    if parameters.destination:
        field = _number_field(parameters.destination)
        destination = bytes((len(parameters.destination.lstrip("+")),)) + field[1:]
    centre = parameters.service_centre
    octets = (parameters.protocol, parameters.data_coding, parameters.validity)
    fields = (parameters.destination or None, centre or None, *octets)
    indicators = 0xE0 | sum(1 << bit for bit, field in enumerate(fields) if field is None)
    return (
        encode_name(parameters.name)
        + bytes((indicators,))
        + destination
        + (_number_field(centre) if centre else b"\xff" * 12)
        + bytes(ABSENT if octet is None else octet for octet in octets)
    )


def decode_service_provider(octets: bytes) -> ServiceProvider:
    """EF_SPN (TS 31.102 §4.2.12)."""
    if len(octets) < 2:
        raise AnswerError("EF_SPN is shorter than 2 octets")
    return ServiceProvider(decode_name(octets[1:]), octets[0])


def encode_service_provider(provider: ServiceProvider) -> bytes:
    """EF_SPN without filling."""
    return bytes((provider.display,)) + encode_name(provider.name)


def decode_emergency_number(record: bytes) -> EmergencyNumber:
    """A record of EF_ECC (TS 31.102 §4.2.21): 3 octets of number, a name, a category."""
    if len(record) < 4:
        raise AnswerError("EF_ECC has 4 octets a record at least")
    return EmergencyNumber(_digits(record[:3]), decode_name(record[3:-1]), record[-1])


def encode_emergency_number(entry: EmergencyNumber) -> bytes:
    """A record with a name that has no filling."""
    return _halves(entry.number, 3) + encode_name(entry.name) + bytes((entry.category,))


def decode_languages(octets: bytes) -> tuple[str, ...]:
    """EF_PL, EF_LI: two letters each (ISO 639), preferred first (TS 102 221 §13.3)."""
    pairs = [octets[at : at + 2] for at in range(0, len(octets) - 1, 2)]
    codes = [pair for pair in pairs if pair.strip(b"\xff")]
    if not all(code.isalpha() for code in codes):
        raise AnswerError("a language is not two letters")
    return tuple(code.decode("ascii") for code in codes)


def encode_languages(languages: tuple[str, ...]) -> bytes:
    """EF_PL, EF_LI."""
    return "".join(languages).encode("ascii")


def _number(field: bytes) -> str:
    """Length in octets, type, digits: 12 octets."""
    length = field[0]
    if length in (0, ABSENT):
        return ""
    if not 1 <= length <= NUMBER_OCTETS + 1:
        raise AnswerError(f"a telephone number has {length} octets, not 1 to 11")
    return _with_plus(field[1], _digits(field[2 : 1 + length]))


def _destination(field: bytes) -> str:
    """As ``_number``, but the length counts digits (TS 23.040 §9.1.2.5)."""
    if field[0] == ABSENT:
        return ""
    return _with_plus(field[1], _digits(field[2:])[: field[0]])


def _with_plus(kind: int, digits: str) -> str:
    return f"+{digits}" if kind & 0x70 == 0x10 and digits else digits


def _digits(octets: bytes) -> str:
    """Half octets, low first, up to the first F."""
    halves = [half for octet in octets for half in (octet & 0x0F, octet >> 4)]
    if 0x0F in halves:
        halves = halves[: halves.index(0x0F)]
    return "".join(DIGITS[half] for half in halves)


def _number_field(number: str) -> bytes:
    digits = number.removeprefix("+")
    if not digits:
        return b"\xff" * 12
    if len(digits) > 2 * NUMBER_OCTETS:
        raise ValueError(f"{number} has more than {2 * NUMBER_OCTETS} digits")
    kind = INTERNATIONAL if number.startswith("+") else UNKNOWN
    return bytes((1 + (len(digits) + 1) // 2, kind)) + _halves(digits, NUMBER_OCTETS)


def _halves(digits: str, octets: int) -> bytes:
    values = [DIGITS.index(digit) for digit in digits]
    values += [0x0F] * (2 * octets - len(values))
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))
