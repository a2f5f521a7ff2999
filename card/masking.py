"""One APDU as text for people and files, with what must stay secret blotted out."""

from __future__ import annotations

from typing import NamedTuple

from card.apdu import AUTHENTICATE, AUTHENTICATE_CHAINED, PIN_INSTRUCTIONS, Command

BLOT = ".."  # stands for one octet, so that lengths stay to be seen
HEADER_OCTETS = 5  # CLA INS P1 P2 Lc
SUCCESS = b"\xdb"  # the tag before RES, CK and IK


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


def masked(
    command: Command, answer: bytes, cause: int, *, first: bool, secret: bool = False
) -> TracedApdu:
    """The APDU without PINs, RES, CK, IK, Kc and SRES.

    ``cause`` is the instruction whose result ``answer`` carries (for GET
    RESPONSE the one before), ``first`` whether this is the beginning of it,
    ``secret`` whether it comes out of a file that holds keys.
    """
    data, sw = answer[:-2], answer[-2:]
    visible = 0 if secret else len(data)
    if cause in {AUTHENTICATE, AUTHENTICATE_CHAINED} and not (first and _is_auts(data)):
        visible = 1 if first and data[:1] == SUCCESS else 0
    return TracedApdu(
        command.name,
        masked_command(command),
        data[:visible].hex().upper() + BLOT * (len(data) - visible) + sw.hex().upper(),
        int.from_bytes(sw, "big"),
    )


def masked_command(command: Command) -> str:
    """The command alone, without PINs."""
    octets = command.to_bytes()
    shown = HEADER_OCTETS if command.ins in PIN_INSTRUCTIONS else len(octets)
    return octets[:shown].hex().upper() + BLOT * (len(octets) - shown)


def _is_auts(data: bytes) -> bool:
    """Whether this is DC 0E AUTS, which is no secret: it goes to the network."""
    return len(data) == 16 and data[:2] == b"\xdc\x0e"


def unmasked(command: Command, answer: bytes) -> TracedApdu:
    """The APDU with everything in it, for a user who asked to see secrets."""
    return TracedApdu(
        command.name,
        command.to_bytes().hex().upper(),
        answer.hex().upper(),
        int.from_bytes(answer[-2:], "big"),
    )
