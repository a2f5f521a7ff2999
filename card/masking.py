"""One APDU as text for people and files, with what must stay secret blotted out."""

from __future__ import annotations

from typing import NamedTuple

from card.apdu import AUTHENTICATE, AUTHENTICATE_CHAINED, PIN_INSTRUCTIONS, Command

BLOT = ".."  # stands for one octet, so that lengths stay to be seen
HEADER_OCTETS = 5  # CLA INS P1 P2 Lc
SYNC_FAILURE_TAG, SYNC_FAILURE_OCTETS = 0xDC, 16  # DC 0E AUTS: no secret, it goes to the network


class TracedApdu(NamedTuple):
    """What the trace hook is given: one command as sent and one answer as received.

    ``command`` and ``answer`` are hexadecimal text, upper case, ``..`` for
    each octet of a PIN or key; ``answer`` includes SW1 SW2, which is ``sw`` as
    a number. ``name`` is that of the command: GET RESPONSE has its own line.
    """

    name: str
    command: str
    answer: str
    sw: int


def masked(command: Command, answer: bytes, cause: int, *, first: bool) -> TracedApdu:
    """The APDU without PINs, RES, CK, IK, Kc and SRES.

    ``cause`` is the instruction whose result ``answer`` carries (for GET
    RESPONSE the one before), ``first`` whether this is the beginning of it.
    """
    octets = command.to_bytes()
    shown = len(octets)
    if command.ins in PIN_INSTRUCTIONS:
        shown = HEADER_OCTETS
    visible = len(answer)
    if cause in {AUTHENTICATE, AUTHENTICATE_CHAINED}:
        data = answer[:-2]
        is_auts = first and data[:1] == b"\xdc" and len(data) == SYNC_FAILURE_OCTETS
        visible = len(answer) if is_auts else min(1, len(data)) if first else 0
    return TracedApdu(
        command.name,
        octets[:shown].hex().upper() + BLOT * (len(octets) - shown),
        answer[:visible].hex().upper()
        + BLOT * (len(answer) - 2 - visible)
        + (answer[max(visible, len(answer) - 2) :].hex().upper()),
        int.from_bytes(answer[-2:], "big"),
    )


def unmasked(command: Command, answer: bytes) -> TracedApdu:
    """The APDU with everything in it, for a user who asked to see secrets."""
    return TracedApdu(
        command.name,
        command.to_bytes().hex().upper(),
        answer.hex().upper(),
        int.from_bytes(answer[-2:], "big"),
    )
