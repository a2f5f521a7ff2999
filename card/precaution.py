"""What is asked before a command leaves for the card: whether it may, and that it is counted.

Reading costs a card nothing. AUTHENTICATE moves its sequence number on, a PIN
may spend a try, and any other instruction might write.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from card.apdu import (
    AUTHENTICATE,
    AUTHENTICATE_CHAINED,
    GET_RESPONSE,
    PIN_INSTRUCTIONS,
    READ_BINARY,
    READ_RECORD,
    SELECT,
    STATUS,
    Command,
)
from card.errors import CardError, CardProtected, NotSent
from card.masking import TracedApdu, masked_command

READING = frozenset((SELECT, READ_BINARY, READ_RECORD, STATUS, GET_RESPONSE))
RUNS_AKA = frozenset((AUTHENTICATE, AUTHENTICATE_CHAINED))

Withheld = Callable[[TracedApdu], None]
"""Sees each command that a dry run did not send."""


class Precaution:
    """Asked by an exchange before each command.

    ``protected`` are ICCIDs, or how they begin, of cards that are only read.
    ``counts`` says whether to keep count of AUTHENTICATE and PIN commands
    (``card.counters``). With ``withheld`` nothing is sent that costs the card
    something. ``iccid`` is to be set once it is known; until then a list of
    protected cards lets nothing pass but reading.
    """

    __slots__ = ("counts", "iccid", "protected", "withheld")

    def __init__(
        self,
        protected: frozenset[str] = frozenset(),
        *,
        counts: bool = False,
        withheld: Withheld | None = None,
    ) -> None:
        self.iccid = ""
        self.protected = protected
        self.counts = counts
        self.withheld = withheld

    def __call__(self, command: Command) -> None:
        """Raises CardProtected, or NotSent in a dry run."""
        if not costs(command):
            return
        self._check_protection(command)
        if self.withheld is not None:
            self.withheld(TracedApdu(command.name, masked_command(command), "", 0))
            raise NotSent(f"a dry run: {command.name} was not sent")
        if self.counts and self.iccid:
            from card.counters import count

            count(self.iccid, is_pin=command.ins in PIN_INSTRUCTIONS)

    def _check_protection(self, command: Command) -> None:
        if not self.protected:
            return
        if not self.iccid:
            raise CardProtected(
                f"{command.name} was not sent: some cards are protected, and this one does not"
                " tell its ICCID, so it may be one of them"
            )
        if is_protected(self.iccid, self.protected):
            raise CardProtected(
                f"{command.name} was not sent: the card {self.iccid} is protected and is only read;"
                " take it off the list (protected in config.toml, or SIPUA_PROTECTED) to use it"
            )


def costs(command: Command) -> bool:
    """Whether a command does more than read; a PIN command without a PIN asks for the tries."""
    if command.ins in PIN_INSTRUCTIONS:
        return bool(command.data)
    return command.ins not in READING


def protected_cards(given: Iterable[str] = ()) -> frozenset[str]:
    """The entries ``given`` and those in SIPUA_PROTECTED, which commas or blanks separate.

    An entry is an ICCID or the beginning of one. Raises CardError for one that cannot be.
    """
    named = os.environ.get("SIPUA_PROTECTED", "")
    entries = [*given, *named.replace(",", " ").split()]
    return frozenset(map(_entry, entries))


def is_protected(iccid: str, protected: Iterable[str]) -> bool:
    """Whether an entry means this card. Where one of both has a check digit more, it does."""
    return any(iccid.startswith(entry) or entry.startswith(iccid) for entry in protected)


def _entry(text: str) -> str:
    digits = text.strip().rstrip("…*").replace(" ", "").upper()
    if not digits or digits.strip("0123456789ABCDEF"):
        raise CardError(f"the list of protected cards holds {text!r}, which is no ICCID")
    return digits
