"""The file control parameters that SELECT and STATUS return (TS 102 221 §11.1.1.3)."""

from __future__ import annotations

from typing import NamedTuple

from card.tlv import Tlv

PIN1 = 0x01
UNIVERSAL_PIN = 0x11
APPLICATION_PINS = (*range(0x01, 0x09), UNIVERSAL_PIN)  # PIN Appl 1 to 8 (§9.5.1): global
LOCAL_PINS = range(0x81, 0x89)  # Second PIN Appl 1 to 8

# Structures of a file, the low bits of its descriptor (§11.1.1.4.3)
TRANSPARENT, LINEAR_FIXED, CYCLIC = "transparent", "linear fixed", "cyclic"
BER_TLV, DIRECTORY = "BER-TLV", "directory"
_STRUCTURES = {1: TRANSPARENT, 2: LINEAR_FIXED, 6: CYCLIC}


class PinEntry(NamedTuple):
    """One key of the PIN status template. ``used`` is False for a PIN that stands in for
    no other now (usage qualifier 00).
    """

    reference: int
    enabled: bool
    used: bool = True


class Fcp(NamedTuple):
    """What this program asks of an FCP; 0 or empty where the card does not say.

    ``size`` and ``record_length`` in octets, ``aid`` the full AID of an ADF,
    ``pins`` the keys of a directory, None where it has no PIN status template.
    """

    size: int = 0
    record_length: int = 0
    aid: bytes = b""
    pins: tuple[PinEntry, ...] | None = None
    structure: str = ""

    @property
    def pin(self) -> tuple[int, bool] | None:
        """The key reference of the user's PIN and whether it is enabled: the first enabled
        application PIN, else the card's first one, disabled.

        A local PIN is the user's only on a card without application PINs: beside one
        it is PIN2, which must not be spent on PIN1's digits.
        """
        if self.pins is None:
            return None
        user = [each for each in self.pins if each.reference in APPLICATION_PINS]
        user = user or [each for each in self.pins if each.reference in LOCAL_PINS]
        for each in user:
            if each.enabled and each.used:
                return each.reference, True
        return (user[0].reference if user else PIN1), False


def parse_fcp(octets: bytes) -> Fcp:
    """The FCP template (tag 62). Raises AnswerError."""
    template = Tlv(Tlv(octets).value(0x62))
    size = int.from_bytes(template.value(0x80), "big") if 0x80 in template else 0
    descriptor = template.value(0x82) if 0x82 in template else b""
    return Fcp(
        size=size,
        record_length=int.from_bytes(descriptor[2:4], "big"),
        aid=template.value(0x84) if 0x84 in template else b"",
        pins=_pins(Tlv(template.value(0xC6))) if 0xC6 in template else None,
        structure=_structure(descriptor[0]) if descriptor else "",
    )


def _structure(descriptor: int) -> str:
    if descriptor & 0xBF == 0x39:
        return BER_TLV
    if descriptor & 0x38 == 0x38:
        return DIRECTORY
    return _STRUCTURES.get(descriptor & 0x07, "")


def _pins(status: Tlv) -> tuple[PinEntry, ...]:
    """The PIN status template (§9.5.2): bit 8 of PS_DO (tag 90) belongs to the first key
    reference (tag 83), and so on; a usage qualifier (95) to the reference after it.
    """
    bits = int.from_bytes(status.value(0x90)[:1], "big") if 0x90 in status else 0
    pins: list[PinEntry] = []
    used = True
    for tag, value in status:
        if tag == 0x95:
            used = value != b"\x00"
        elif tag == 0x83 and len(value) == 1 and len(pins) < 8:
            pins.append(PinEntry(value[0], bool(bits & (0x80 >> len(pins))), used))
            used = True
    return tuple(pins)
