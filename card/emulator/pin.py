"""The PIN commands for PIN1 (TS 102 221 §11.1.9 to §11.1.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard
    from card.emulator.state import CardState

PIN1 = 0x01  # key reference, TS 102 221 §9.5.1
PIN_OCTETS = 8


def verify(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """VERIFY; without data it asks for the tries left, also of a blocked or disabled PIN."""
    _check_reference(p1, p2)
    if not data:
        raise Refused(0x63C0 | card.state.pin1_tries)
    _check_length(data, PIN_OCTETS)
    if card.state.pin1_tries and not card.state.pin1_enabled:
        return OK
    card.pin1_verified = False
    _present(card.state, data)
    card.pin1_verified = True
    return OK


def change(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """CHANGE PIN: the old one, then the new one."""
    _check_reference(p1, p2)
    _check_length(data, 2 * PIN_OCTETS)
    _check_enabled(card.state, True)
    card.pin1_verified = False
    _present(card.state, data[:PIN_OCTETS])
    card.pin1_verified = True
    _set(card.state, data[PIN_OCTETS:])
    return OK


def disable(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """DISABLE PIN: files behind PIN1 open without it."""
    return _switch(card, p1, p2, data, False)


def enable(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """ENABLE PIN; the PIN counts as verified afterwards."""
    return _switch(card, p1, p2, data, True)


def unblock(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """UNBLOCK PIN: the PUK, then a new PIN; without data it asks for the PUK's tries.

    Afterwards the PIN is enabled and verified.
    """
    _check_reference(p1, p2)
    state = card.state
    if not data:
        raise Refused(0x63C0 | state.puk1_tries)
    _check_length(data, 2 * PIN_OCTETS)
    if not state.puk1_tries:
        raise Refused(0x6983)
    if not state.check_puk1(data[:PIN_OCTETS]):
        raise Refused(0x63C0 | state.puk1_tries)
    _set(state, data[PIN_OCTETS:])
    state.enable_pin1(True)
    card.pin1_verified = True
    return OK


def _switch(card: EmulatedCard, p1: int, p2: int, data: bytes, enabled: bool) -> bytes:
    _check_reference(p1, p2)
    _check_length(data, PIN_OCTETS)
    _check_enabled(card.state, not enabled)
    card.pin1_verified = False
    _present(card.state, data)
    card.state.enable_pin1(enabled)
    card.pin1_verified = True
    return OK


def _present(state: CardState, pin: bytes) -> None:
    if not state.pin1_tries:
        raise Refused(0x6983)
    if not state.check_pin1(pin):
        raise Refused(0x63C0 | state.pin1_tries)


def _set(state: CardState, pin: bytes) -> None:
    try:
        state.set_pin1(pin)
    except ValueError:
        raise Refused(0x6A80) from None


def _check_reference(p1: int, p2: int) -> None:
    if p1:
        raise Refused(0x6A86)
    if p2 != PIN1:
        raise Refused(0x6A88)


def _check_length(data: bytes, length: int) -> None:
    if len(data) != length:
        raise Refused(0x6700)


def _check_enabled(state: CardState, enabled: bool) -> None:
    if state.pin1_enabled is not enabled:
        raise Refused(0x6985)
