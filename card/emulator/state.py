"""What a card remembers without power: SQNs, PINs and their tries, files written, Ks.

Every change is in the state file before the card answers, so that neither a
SQN nor a spent PIN try is ever forgotten.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from card.aka.sequence import IND_BITS, SQN_MAX, SequenceArray
from card.emulator.access import ADM1, PIN1, PIN2, UNIVERSAL_PIN

if TYPE_CHECKING:
    from card.profile import Profile
    from card.statefile import StateFile

PIN_TRIES = 3  # TS 102 221 §11.1.9
PUK_TRIES = 10  # TS 102 221 §11.1.13


class PinState:
    """One PIN: its value, whether it is enabled, the tries left for it and for its PUK.

    ``name`` is what the profile and the state file call it: "pin1".
    """

    __slots__ = ("_puk", "_puk_name", "_value", "enabled", "name", "puk_tries", "tries")

    def __init__(self, name: str, value: str, puk: str, enabled: bool) -> None:
        self.name = name
        self._puk_name = name.replace("pin", "puk")
        self._value = value
        self._puk = puk
        self.enabled = enabled
        self.tries = PIN_TRIES
        self.puk_tries = PUK_TRIES

    def __repr__(self) -> str:
        return f"PinState({self.name}, enabled={self.enabled}, tries={self.tries})"

    def matches(self, presented: bytes) -> bool:
        """Whether these 8 octets are the PIN."""
        return compare_digest(presented, _padded(self._value))

    def puk_matches(self, presented: bytes) -> bool:
        """Whether these 8 octets are its PUK."""
        return compare_digest(presented, _padded(self._puk))

    def set(self, pin: bytes) -> None:
        """Give it a new value, for which ``is_pin`` holds."""
        self._value = pin.rstrip(b"\xff").decode("ascii")

    def to_state(self) -> dict[str, Any]:
        """Its part of the state file."""
        return {
            self.name: self._value,
            f"{self.name}_enabled": self.enabled,
            f"{self.name}_tries": self.tries,
            f"{self._puk_name}_tries": self.puk_tries,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take over what ``to_state`` gave. Raises ValueError for what cannot be right."""
        name = self.name
        value, enabled = kept.get(name), kept.get(f"{name}_enabled")
        if not (
            isinstance(value, str) and value.isascii() and value.isdigit() and 4 <= len(value) <= 8
        ):
            raise ValueError(f"{name} is not 4 to 8 digits")
        if not isinstance(enabled, bool):
            raise ValueError(f"{name}_enabled is neither true nor false")  # noqa: TRY004
        self.tries = _number(f"{name}_tries", kept, PIN_TRIES)
        self.puk_tries = _number(f"{self._puk_name}_tries", kept, PUK_TRIES)
        self._value = value
        self.enabled = enabled


class CardState:
    """The lasting state of one card, kept in ``file``, or in memory only without one.

    ``pins`` are found by key reference, ``user`` is that of PIN1. ``replaced`` says
    that the universal PIN stands in for a disabled PIN1. ``files`` holds the content
    of each EF that was updated, by path: octets, or a list of records, in hexadecimal.
    ``ks`` is Ks of the last GBA bootstrapping with its RAND, or empty.

    Raises StateError when the file cannot be used; ``save`` and ``accept_sqn``
    raise it too when a change cannot be stored.
    """

    def __init__(self, profile: Profile, file: StateFile | None = None) -> None:
        pin = profile.pin
        self._file = file
        self._iccid = profile.iccid
        self.sequence = SequenceArray(values=[profile.authentication.sqn] * (1 << IND_BITS))
        self.pin1 = PinState("pin1", pin.pin1, pin.puk1, pin.enabled)
        self.user = PIN2 if "pin-81" in profile.quirks else PIN1
        self.pins = {self.user: self.pin1}
        if self.user == PIN1:
            self.pins[PIN2] = PinState("pin2", pin.pin2, pin.puk2, True)
        if pin.universal_pin:
            universal = PinState("universal_pin", pin.universal_pin, pin.universal_puk, True)
            self.pins[UNIVERSAL_PIN] = universal
        self.replaced = False
        self.files: dict[str, str | list[str]] = {}
        self.ks = b""
        kept = file.load() if file else {}
        if file and kept:
            try:
                self._restore(kept)
            except ValueError as error:
                file.damaged(str(error))

    def accept_sqn(self, sqn: int) -> bool:
        """Whether SQN is fresh; if so it is stored when this returns."""
        if not self.sequence.accept(sqn):
            return False
        self.save()
        return True

    def pin_status(self) -> bytes:
        """The content of the PIN status template, C6 (§9.5.2): one bit a key, then the keys."""
        enabled, bit, keys = 0, 0x80, b""
        for reference, pin in self.pins.items():
            if pin.enabled:
                enabled |= bit
            if reference == UNIVERSAL_PIN:
                keys += b"\x95\x01" + (b"\x08" if self.replaced else b"\x00")
            keys += b"\x83\x01" + bytes([reference])
            bit >>= 1
        return b"\x90\x01" + bytes([enabled | bit]) + keys + b"\x83\x01" + bytes([ADM1])

    def save(self) -> None:
        """Store everything as it stands now."""
        if self._file is None:
            return
        state: dict[str, Any] = {"iccid": self._iccid, "sqn": self.sequence.values}
        for pin in self.pins.values():
            state.update(pin.to_state())
        if self.replaced:
            state["pin1_replaced"] = True
        if self.ks:
            state["ks"] = self.ks.hex()
        if self.files:
            state["files"] = self.files
        self._file.save(state)

    def _restore(self, kept: dict[str, Any]) -> None:
        """Raises ValueError with what cannot be right."""
        if kept.get("iccid") != self._iccid:
            raise ValueError(f"it belongs to the card with ICCID {kept.get('iccid')}")
        values = kept.get("sqn")
        if not isinstance(values, list) or len(values) != 1 << IND_BITS:
            raise ValueError(f"sqn is not a list of {1 << IND_BITS} numbers")
        for sqn in values:
            _number("sqn", {"sqn": sqn}, SQN_MAX)
        for pin in self.pins.values():
            if pin is self.pin1 or pin.name in kept:  # PIN1 was the first to be kept
                pin.restore(kept)
        files, ks = kept.get("files", {}), kept.get("ks", "")
        if not isinstance(files, dict):
            raise ValueError("files is not an object")  # noqa: TRY004
        if not isinstance(ks, str):
            raise ValueError("ks is not text")  # noqa: TRY004
        self.sequence = SequenceArray(values=values)
        self.replaced = kept.get("pin1_replaced") is True and UNIVERSAL_PIN in self.pins
        self.files = files
        self.ks = bytes.fromhex(ks)


def is_pin(octets: bytes) -> bool:
    """Whether they are 4 to 8 digits, padded with FF to 8 octets (§9.5.1)."""
    digits = octets.rstrip(b"\xff")
    return len(octets) == 8 and len(digits) >= 4 and digits.isdigit()


def _padded(digits: str) -> bytes:
    return digits.encode("ascii").ljust(8, b"\xff")


def _number(key: str, kept: dict[str, Any], most: int) -> int:
    value = kept.get(key)
    if type(value) is not int or not 0 <= value <= most:  # bool is an int too
        raise ValueError(f"{key} is not a number from 0 to {most}")
    return value
