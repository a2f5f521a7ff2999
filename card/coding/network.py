"""Networks in a UICC's files: which are preferred, forbidden, and where the phone was last.

PLMNs are written MCC-MNC. Decoders raise AnswerError, as in ``coding``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from card.errors import AnswerError

PLMN_OCTETS = 3
NO_PLMN = b"\xff" * PLMN_OCTETS
SEARCH_MINUTES = 6  # TS 22.011 §3.2.2.5: the unit of EF_HPPLMN
UPDATE_STATUS = 0x07

# TS 31.102 §4.2.5: bits of the access technology identifier
TECHNOLOGIES = {
    "UTRAN": 0x8000,
    "E-UTRAN": 0x4000,
    "NG-RAN": 0x0800,
    "GSM": 0x0080,
    "GSM COMPACT": 0x0040,
    "cdma2000 HRPD": 0x0020,
    "cdma2000 1xRTT": 0x0010,
}


class PreferredPlmn(NamedTuple):
    """One entry of a PLMN selector: the network and how to reach it."""

    plmn: str
    technologies: tuple[str, ...]


class Location(NamedTuple):
    """Where the phone was last. ``identity`` (TMSI, P-TMSI, GUTI) is hexadecimal, ``area`` the
    location, routing or tracking area code; ``status`` 0 is updated, 1 not updated.
    """

    identity: str
    plmn: str
    area: str
    status: int


class Bootstrapping(NamedTuple):
    """EF_GBABP: RAND in hexadecimal, B-TID and the key's lifetime."""

    rand: str
    b_tid: str
    lifetime: str


def decode_plmn(octets: bytes) -> str:
    """3 octets (TS 24.008 §10.5.1.13); "" for FFFFFF."""
    if octets == NO_PLMN:
        return ""
    halves = [half for octet in octets for half in (octet & 0x0F, octet >> 4)]
    if len(halves) != 2 * PLMN_OCTETS:
        raise AnswerError("a PLMN has 3 octets")
    mcc = [halves[0], halves[1], halves[2]]
    mnc = [halves[4], halves[5]] + ([] if halves[3] == 0x0F else [halves[3]])
    if max(*mcc, *mnc) > 9:
        raise AnswerError(f"{octets.hex().upper()} is no PLMN")
    return "".join(map(str, mcc)) + "-" + "".join(map(str, mnc))


def encode_plmn(plmn: str) -> bytes:
    """3 octets for MCC-MNC."""
    if not plmn:
        return NO_PLMN
    mcc, _, mnc = plmn.partition("-")
    return bytes.fromhex(f"{mcc[1]}{mcc[0]}{mnc[2:] or 'F'}{mcc[2]}{mnc[1]}{mnc[0]}")


def decode_plmns(octets: bytes) -> tuple[str, ...]:
    """EF_FPLMN, EF_EHPLMN, EF_PLMNsel: 3 octets each, unused ones left out."""
    return tuple(filter(None, map(decode_plmn, _parts(octets, PLMN_OCTETS))))


def encode_plmns(plmns: Iterable[str]) -> bytes:
    """EF_FPLMN, EF_EHPLMN, EF_PLMNsel."""
    return b"".join(map(encode_plmn, plmns))


def decode_preferred(octets: bytes) -> tuple[PreferredPlmn, ...]:
    """EF_PLMNwAcT, EF_OPLMNwAcT, EF_HPLMNwAcT: 5 octets each (TS 31.102 §4.2.5)."""
    entries = []
    for part in _parts(octets, PLMN_OCTETS + 2):
        plmn = decode_plmn(part[:PLMN_OCTETS])
        bits = int.from_bytes(part[PLMN_OCTETS:], "big")
        names = tuple(name for name, bit in TECHNOLOGIES.items() if bits & bit)
        if plmn:
            entries.append(PreferredPlmn(plmn, names))
    return tuple(entries)


def encode_preferred(entries: Iterable[PreferredPlmn]) -> bytes:
    """EF_PLMNwAcT, EF_OPLMNwAcT, EF_HPLMNwAcT."""
    return b"".join(
        encode_plmn(each.plmn)
        + sum(TECHNOLOGIES[name] for name in each.technologies).to_bytes(2, "big")
        for each in entries
    )


def decode_search_interval(octets: bytes) -> int:
    """EF_HPPLMN in minutes, 0 for never (TS 31.102 §4.2.6)."""
    if not octets:
        raise AnswerError("EF_HPPLMN is empty")
    return octets[0] * SEARCH_MINUTES


def encode_search_interval(minutes: int) -> bytes:
    """EF_HPPLMN."""
    return bytes((minutes // SEARCH_MINUTES,))


def decode_access_classes(octets: bytes) -> frozenset[int]:
    """EF_ACC: bit 1 of the last octet is class 0 (TS 31.102 §4.2.15)."""
    if len(octets) != 2:
        raise AnswerError("EF_ACC has 2 octets")
    bits = int.from_bytes(octets, "big")
    return frozenset(number for number in range(16) if bits >> number & 1)


def encode_access_classes(classes: Iterable[int]) -> bytes:
    """EF_ACC."""
    return sum(1 << number for number in classes).to_bytes(2, "big")


def decode_loci(octets: bytes) -> Location:
    """EF_LOCI: TMSI, LAI, an octet not used, status (TS 31.102 §4.2.17)."""
    return _location(octets, identity=4, area=2, gap=1, name="EF_LOCI")


def encode_loci(location: Location) -> bytes:
    """EF_LOCI."""
    return _encode_location(location, b"\xff")


def decode_psloci(octets: bytes) -> Location:
    """EF_PSLOCI: P-TMSI with its signature, RAI, status (TS 31.102 §4.2.23)."""
    return _location(octets, identity=7, area=3, gap=0, name="EF_PSLOCI")


def decode_epsloci(octets: bytes) -> Location:
    """EF_EPSLOCI: GUTI, TAI, status (TS 31.102 §4.2.91)."""
    return _location(octets, identity=12, area=2, gap=0, name="EF_EPSLOCI")


def encode_psloci(location: Location) -> bytes:
    """EF_PSLOCI or EF_EPSLOCI."""
    return _encode_location(location, b"")


def decode_bootstrapping(octets: bytes) -> Bootstrapping:
    """EF_GBABP: three fields, each with its length in front (TS 31.102 §4.2.79)."""
    fields = []
    for name in Bootstrapping._fields:
        end = 1 + octets[0] if octets else 0
        if not octets or end > len(octets):
            raise AnswerError(f"EF_GBABP ends before {name} does")
        fields.append(octets[1:end])
        octets = octets[end:]
    rand, b_tid, lifetime = fields
    try:
        return Bootstrapping(rand.hex().upper(), b_tid.decode(), lifetime.decode())
    except UnicodeDecodeError:
        raise AnswerError("EF_GBABP holds text that is not UTF-8") from None


def encode_bootstrapping(parameters: Bootstrapping) -> bytes:
    """EF_GBABP."""
    fields = (
        bytes.fromhex(parameters.rand),
        parameters.b_tid.encode(),
        parameters.lifetime.encode(),
    )
    return b"".join(bytes((len(each),)) + each for each in fields)


def decode_sim_services(octets: bytes) -> frozenset[int]:
    """EF_SST: the services of a SIM that are allocated and activated (TS 51.011 §10.3.7)."""
    return frozenset(
        at * 4 + pair + 1
        for at, octet in enumerate(octets)
        for pair in range(4)
        if octet >> 2 * pair & 0b11 == 0b11
    )


def encode_sim_services(services: Iterable[int]) -> bytes:
    """EF_SST."""
    bits = 0
    for service in services:
        bits |= 0b11 << 2 * (service - 1)
    return bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little")


def _location(octets: bytes, identity: int, area: int, gap: int, name: str) -> Location:
    plmn_end = identity + PLMN_OCTETS
    if len(octets) < plmn_end + area + gap + 1:
        raise AnswerError(f"{name} is too short")
    return Location(
        octets[:identity].hex().upper(),
        decode_plmn(octets[identity:plmn_end]),
        octets[plmn_end : plmn_end + area].hex().upper(),
        octets[plmn_end + area + gap] & UPDATE_STATUS,
    )


def _encode_location(location: Location, gap: bytes) -> bytes:
    return (
        bytes.fromhex(location.identity)
        + encode_plmn(location.plmn)
        + bytes.fromhex(location.area)
        + gap
        + bytes((location.status,))
    )


def _parts(octets: bytes, width: int) -> list[bytes]:
    """Pieces of one width; filling at the end that makes no whole one is left out."""
    return [octets[at : at + width] for at in range(0, len(octets) - width + 1, width)]
