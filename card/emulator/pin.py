"""The PIN commands (TS 102 221 §11.1.9 to §11.1.13) for PIN1, PIN2 and the universal PIN.

ADM1 is known, since access rules name it, and blocked: nobody holds its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator.access import ADM1, UNIVERSAL_PIN
from card.emulator.refused import OK, Refused
from card.emulator.state import PIN_TRIES, PUK_TRIES, is_pin

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard
    from card.emulator.state import PinState

PIN_OCTETS = 8

_REPLACE = 0x80 | UNIVERSAL_PIN  # P1 of DISABLE PIN: the universal PIN takes PIN1's place


def verify(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """VERIFY; without data it asks for the tries left, also of a blocked or disabled PIN."""
    if p2 == ADM1 and not p1:
        raise Refused(0x6983 if data else 0x63C0)
    pin = _pin(card, p1, p2)
    if not data:
        raise Refused(0x63C0 | pin.tries)
    _check_length(data, PIN_OCTETS)
    if pin.tries and not pin.enabled:
        return OK
    _present(card, p2, data)
    return OK


def change(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """CHANGE PIN: the old one, then the new one, which is looked at first."""
    pin = _pin(card, p1, p2)
    _check_length(data, 2 * PIN_OCTETS)
    new = _new_pin(data)
    if not pin.enabled:
        raise Refused(0x6985)
    _present(card, p2, data[:PIN_OCTETS])
    pin.set(new)
    card.state.save()
    return OK


def disable(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """DISABLE PIN: files behind PIN1 open without it, or with the universal PIN instead."""
    state = card.state
    replaced = p1 == _REPLACE and p2 == state.user and UNIVERSAL_PIN in state.pins
    pin = _pin(card, 0 if replaced else p1, p2)
    _check_length(data, PIN_OCTETS)
    if not pin.enabled or pin.name == "pin2":
        raise Refused(0x6985)
    _present(card, p2, data)
    pin.enabled = False
    if p2 == state.user:
        state.replaced = replaced
    state.save()
    return OK


def enable(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """ENABLE PIN; the PIN counts as verified afterwards."""
    pin = _pin(card, p1, p2)
    _check_length(data, PIN_OCTETS)
    if pin.enabled:
        raise Refused(0x6985)
    _present(card, p2, data)
    _enable(card, p2, pin)
    card.state.save()
    return OK


def unblock(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """UNBLOCK PIN: the PUK, then a new PIN; without data it asks for the PUK's tries.

    Afterwards the PIN is enabled and verified.
    """
    pin = _pin(card, p1, p2)
    if not data:
        raise Refused(0x63C0 | pin.puk_tries)
    _check_length(data, 2 * PIN_OCTETS)
    new = _new_pin(data)
    if not pin.puk_tries:
        raise Refused(0x6983)
    pin.puk_tries -= 1
    card.state.save()
    if not pin.puk_matches(data[:PIN_OCTETS]):
        raise Refused(0x63C0 | pin.puk_tries)
    pin.puk_tries = PUK_TRIES
    pin.tries = PIN_TRIES
    pin.set(new)
    _enable(card, p2, pin)
    card.state.save()
    card.verified.add(p2)
    return OK


def _present(card: EmulatedCard, reference: int, presented: bytes) -> None:
    """Compare. The try is spent, and stored so, before that; a wrong PIN closes what was open."""
    pin = card.state.pins[reference]
    card.verified.discard(reference)
    if not pin.tries:
        raise Refused(0x6983)
    pin.tries -= 1
    card.state.save()
    if not pin.matches(presented):
        raise Refused(0x63C0 | pin.tries)
    pin.tries = PIN_TRIES
    card.state.save()
    card.verified.add(reference)


def _enable(card: EmulatedCard, reference: int, pin: PinState) -> None:
    pin.enabled = True
    if reference == card.state.user:
        card.state.replaced = False


def _pin(card: EmulatedCard, p1: int, p2: int) -> PinState:
    if p1:
        raise Refused(0x6A86)
    if p2 not in card.state.pins:
        raise Refused(0x6A88)
    return card.state.pins[p2]


def _new_pin(data: bytes) -> bytes:
    new = data[PIN_OCTETS:]
    if not is_pin(new):
        raise Refused(0x6A80)
    return new


def _check_length(data: bytes, length: int) -> None:
    if len(data) != length:
        raise Refused(0x6700)
