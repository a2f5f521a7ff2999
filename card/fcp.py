"""The file control parameters that SELECT and STATUS return (TS 102 221 §11.1.1.3)."""

from __future__ import annotations

from typing import NamedTuple

from card.tlv import Tlv

PIN1 = 0x01
_APPLICATION_PINS = (*range(0x01, 0x09), 0x11)  # PIN Appl 1 to 8, universal PIN (§9.5.1)
_SECOND_PINS = range(0x81, 0x89)  # Second PIN Appl 1 to 8


class Fcp(NamedTuple):
    """What this program asks of an FCP; 0 or empty where the card does not say.

    ``size`` and ``record_length`` in octets, ``aid`` the full AID of an ADF,
    ``pin`` the key reference of the user's PIN and whether it is enabled.
    """

    size: int = 0
    record_length: int = 0
    aid: bytes = b""
    pin: tuple[int, bool] | None = None


def parse_fcp(octets: bytes) -> Fcp:
    """The FCP template (tag 62). Raises AnswerError."""
    template = Tlv(Tlv(octets).value(0x62))
    size = int.from_bytes(template.value(0x80), "big") if 0x80 in template else 0
    descriptor = template.value(0x82) if 0x82 in template else b""
    return Fcp(
        size=size,
        record_length=int.from_bytes(descriptor[2:4], "big"),
        aid=template.value(0x84) if 0x84 in template else b"",
        pin=_user_pin(Tlv(template.value(0xC6))) if 0xC6 in template else None,
    )


def _user_pin(status: Tlv) -> tuple[int, bool]:
    """The first enabled PIN of the PIN status template (§9.5.2), else PIN1, disabled.

    Bit 8 of PS_DO (tag 90) belongs to the first key reference (tag 83), and so
    on. A second application PIN counts only where no application PIN is enabled.
    """
    enabled = status.value(0x90)[:1] if 0x90 in status else b""
    bits = int.from_bytes(enabled, "big")
    references = [value[0] for value in status.values(0x83) if len(value) == 1]
    asked = [reference for at, reference in enumerate(references[:8]) if bits & (0x80 >> at)]
    for kind in (_APPLICATION_PINS, _SECOND_PINS):
        for reference in asked:
            if reference in kind:
                return reference, True
    return PIN1, False
