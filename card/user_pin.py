"""Managing a PIN: its state, verify, change, enable, disable, unblock (TS 102 221 §9.5,
§11.1.9 to §11.1.13).

Before a PIN or PUK is sent the card is asked how many tries are left. With
fewer than two nothing is sent unless the caller forces it.
"""

from __future__ import annotations

from typing import NamedTuple

from card import pin as pins
from card.apdu import (
    CHANGE_PIN,
    DISABLE_PIN,
    ENABLE_PIN,
    INSTRUCTION_NAMES,
    UNBLOCK_PIN,
    VERIFY_PIN,
    Command,
    Response,
)
from card.coding.access import KEYS
from card.coding.basic import Application
from card.errors import PinDisabled, PinMalformed, StatusError
from card.fcp import LOCAL_PINS, PIN1, UNIVERSAL_PIN, PinEntry
from card.uicc import Uicc

PUK_OCTETS = 8
GLOBAL_PINS = range(0x01, 0x09)  # PIN Appl 1 to 8
ADM_KEYS = (*range(0x0A, 0x0F), *range(0x8A, 0x8F))
REPLACE = 0x80  # in P1 of DISABLE PIN, with the key that stands in (§11.1.11)
WRONG_STATE = frozenset((0x6984, 0x6985, 0x9808))


class PinState(NamedTuple):
    """One PIN of a card. None stands for what the card does not tell.

    ``tries_left`` is 0 when it is blocked. ``verified`` is told by few cards.
    """

    reference: int
    name: str
    enabled: bool | None
    verified: bool | None
    tries_left: int | None
    unblock_tries_left: int | None


class UserPin:
    """PIN1 or the universal PIN of an application, or of the MF where none is given.

    ``reference`` is the key reference that the FCP's PIN status template lists:
    PIN Appl 1 to 8, which are global, or on some cards a local one. Methods
    that send a PIN tell whether they did: False says that the card was in that
    state already. They raise PinMalformed, PinWrong, PinBlocked, StatusError
    and what the link raises.
    """

    def __init__(
        self, uicc: Uicc, application: Application | None, *, universal: bool = False
    ) -> None:
        """Raises StatusError 6A88 when the card lists its PINs and no such one among them."""
        self._uicc = uicc
        self._application = application
        with uicc.in_directory(application):
            self.reference = _choose(uicc.directory_pins(), universal)
        self.name = name_of(self.reference)

    def state(self) -> PinState:
        """What the card tells about it; spends no try."""
        with self._uicc.in_directory(self._application):
            entries = self._uicc.directory_pins()
            return state_of(self._uicc, self.reference, _enabled(entries, self.reference))

    def verify(self, pin: str, *, force: bool = False) -> bool:
        """Present the PIN; not sent when the card does not ask for it."""
        block = pins.pin_block(pin)
        with self._uicc.in_directory(self._application):
            if not self._asked_for(force):
                return False
            return self._send(VERIFY_PIN, block)

    def change(self, old: str, new: str, *, force: bool = False) -> bool:
        """Give it another value. Raises PinDisabled when it is not enabled."""
        blocks = pins.pin_block(old) + pins.pin_block(new)
        with self._uicc.in_directory(self._application):
            if self._is_enabled() is False:
                raise PinDisabled(f"{self.name} is disabled: enable it before it is changed")
            self._check_tries(force)
            return self._send(CHANGE_PIN, blocks)

    def enable(self, pin: str, *, force: bool = False) -> bool:
        """Let the card ask for it from now on."""
        return self._switch(ENABLE_PIN, pin, on=True, force=force)

    def disable(self, pin: str, *, universal: bool = False, force: bool = False) -> bool:
        """Let the card no longer ask for it; with ``universal`` it asks for the universal
        PIN instead.
        """
        p1 = REPLACE | UNIVERSAL_PIN if universal else 0
        return self._switch(DISABLE_PIN, pin, on=False, force=force, p1=p1)

    def unblock(self, puk: str, new: str, *, force: bool = False) -> bool:
        """Give it a new value by its PUK; the PIN is enabled afterwards."""
        if not (len(puk) == PUK_OCTETS and puk.isascii() and puk.isdecimal()):
            raise PinMalformed("a PUK is 8 decimal digits; nothing was sent to the card")
        blocks = puk.encode() + pins.pin_block(new)
        with self._uicc.in_directory(self._application):
            answer = pins.ask_tries(self._uicc.exchange, UNBLOCK_PIN, self.reference)
            tries = pins.tries_in(answer, "UNBLOCK PIN")
            if tries is not None:
                pins.check_tries(tries, "PUK", force=force)
            return self._send(UNBLOCK_PIN, blocks, "PUK")

    def _switch(self, instruction: int, pin: str, *, on: bool, force: bool, p1: int = 0) -> bool:
        block = pins.pin_block(pin)
        with self._uicc.in_directory(self._application):
            if self._is_enabled() is on:
                return False
            self._check_tries(force)
            return self._send(instruction, block, p1=p1)

    def _is_enabled(self) -> bool | None:
        return _enabled(self._uicc.directory_pins(), self.reference)

    def _asked_for(self, force: bool) -> bool:
        """Whether VERIFY is worth a try; checks that there are tries."""
        if self._is_enabled() is False:
            return False
        return self._check_tries(force)

    def _check_tries(self, force: bool) -> bool:
        """False when the card tells of none: verified already, or disabled."""
        tries = pins.tries_left(self._uicc.exchange, self.reference)
        if tries is not None:
            pins.check_tries(tries, "PIN", force=force)
        return tries is not None

    def _send(self, instruction: int, data: bytes, name: str = "PIN", p1: int = 0) -> bool:
        command = Command(0, instruction, p1, self.reference, data)
        response = self._uicc.exchange.send(command)
        self._uicc.forget_fcp()
        if response.sw in WRONG_STATE:
            advice = "the PIN is not in the state for this, or may not be switched on this card"
            raise StatusError(response.sw, advice, INSTRUCTION_NAMES[instruction])
        pins.check_outcome(response, INSTRUCTION_NAMES[instruction], name)
        return True


def states(uicc: Uicc, application: Application | None) -> list[PinState]:
    """Every PIN of the directory that is a user's, in the card's order; spends no try."""
    with uicc.in_directory(application):
        listed = uicc.directory_pins()
        entries = listed if listed is not None else (PinEntry(PIN1, True),)
        known = listed is not None
        return [
            state_of(uicc, each.reference, each.enabled if known else None)
            for each in entries
            if each.reference not in ADM_KEYS
        ]


def state_of(uicc: Uicc, reference: int, enabled: bool | None) -> PinState:
    """One PIN's state in the current directory."""
    answer = pins.ask_tries(uicc.exchange, VERIFY_PIN, reference)
    if answer.sw in pins.NOT_ASKED:
        enabled = False
    verified = True if answer.ok and enabled is not False else None
    return PinState(
        reference,
        name_of(reference),
        enabled,
        verified,
        _told(answer, "VERIFY PIN"),
        _told(pins.ask_tries(uicc.exchange, UNBLOCK_PIN, reference), "UNBLOCK PIN"),
    )


def name_of(reference: int) -> str:
    """What a key reference is called (TS 102 221 table 9.3)."""
    return KEYS.get(reference) or f"key {reference:02X}"


def _choose(entries: tuple[PinEntry, ...] | None, universal: bool) -> int:
    """The key reference meant; where the card lists none, the specification's reference."""
    if universal:
        wanted: tuple[range, ...] = (range(UNIVERSAL_PIN, UNIVERSAL_PIN + 1),)
    else:
        wanted = (GLOBAL_PINS, LOCAL_PINS)
    if entries is None:
        return wanted[0][0]
    for kind in wanted:
        for entry in entries:
            if entry.reference in kind:
                return entry.reference
    what = "universal PIN" if universal else "PIN1"
    raise StatusError(0x6A88, f"the card lists no {what}", "STATUS")


def _enabled(entries: tuple[PinEntry, ...] | None, reference: int) -> bool | None:
    for entry in entries or ():
        if entry.reference == reference:
            return entry.enabled
    return None


def _told(answer: Response, command: str) -> int | None:
    try:
        return pins.tries_in(answer, command)
    except StatusError:
        return None
