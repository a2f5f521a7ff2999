"""What a card remembers without power: its SQNs, PIN1 and the tries left.

Every change is in the state file before the card answers, so that neither a
SQN nor a spent PIN try is ever forgotten.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from card.aka.sequence import IND_BITS, SQN_MAX, SequenceArray

if TYPE_CHECKING:
    from card.profile import Profile
    from card.statefile import StateFile

PIN_TRIES = 3  # TS 102 221 §11.1.9
PUK_TRIES = 10  # TS 102 221 §11.1.13


class CardState:
    """The lasting state of one card, kept in ``file``, or in memory only without one.

    Raises StateError when the file cannot be used; every method that changes
    something raises it too when the change cannot be stored.
    """

    def __init__(self, profile: Profile, file: StateFile | None = None) -> None:
        self._file = file
        self._iccid = profile.iccid
        self._puk1 = profile.pin.puk1
        kept = file.load() if file else {}
        if file and kept:
            self._restore(kept, file)
            return
        self.sequence = SequenceArray(values=[profile.authentication.sqn] * (1 << IND_BITS))
        self.pin1_enabled = profile.pin.enabled
        self.pin1_tries = PIN_TRIES
        self.puk1_tries = PUK_TRIES
        self._pin1 = profile.pin.pin1

    def accept_sqn(self, sqn: int) -> bool:
        """Whether SQN is fresh; if so it is stored when this returns."""
        if not self.sequence.accept(sqn):
            return False
        self._save()
        return True

    def check_pin1(self, presented: bytes) -> bool:
        """Compare 8 octets with PIN1; the try is spent before they are compared."""
        self.pin1_tries -= 1
        self._save()
        if not compare_digest(presented, _padded(self._pin1)):
            return False
        self.pin1_tries = PIN_TRIES
        self._save()
        return True

    def check_puk1(self, presented: bytes) -> bool:
        """Compare 8 octets with the PUK of PIN1, in the same way."""
        self.puk1_tries -= 1
        self._save()
        if not compare_digest(presented, _padded(self._puk1)):
            return False
        self.puk1_tries = PUK_TRIES
        self._save()
        return True

    def set_pin1(self, pin: bytes) -> None:
        """Give PIN1 a new value, 4 to 8 digits padded with FF, and all its tries.

        Raises ValueError when that is not how a PIN looks.
        """
        digits = pin.rstrip(b"\xff")
        if len(pin) != 8 or not digits.isdigit() or len(digits) < 4:
            raise ValueError("a PIN is 4 to 8 digits, padded with FF to 8 octets")
        self._pin1 = digits.decode("ascii")
        self.pin1_tries = PIN_TRIES
        self._save()

    def enable_pin1(self, enabled: bool) -> None:
        """Switch the demand for PIN1 on or off."""
        self.pin1_enabled = enabled
        self._save()

    def _save(self) -> None:
        if self._file:
            self._file.save(
                {
                    "iccid": self._iccid,
                    "sqn": self.sequence.values,
                    "pin1": self._pin1,
                    "pin1_enabled": self.pin1_enabled,
                    "pin1_tries": self.pin1_tries,
                    "puk1_tries": self.puk1_tries,
                }
            )

    def _restore(self, kept: dict[str, Any], file: StateFile) -> None:
        if kept.get("iccid") != self._iccid:
            file.damaged(f"it belongs to the card with ICCID {kept.get('iccid')}")
        values = kept.get("sqn")
        if not isinstance(values, list) or len(values) != 1 << IND_BITS:
            file.damaged(f"sqn is not a list of {1 << IND_BITS} numbers")
        for sqn in values:
            _check_number("sqn", sqn, SQN_MAX, file)
        for key, most in (("pin1_tries", PIN_TRIES), ("puk1_tries", PUK_TRIES)):
            _check_number(key, kept.get(key), most, file)
        pin1 = kept.get("pin1")
        if not (
            isinstance(pin1, str) and pin1.isascii() and pin1.isdigit() and 4 <= len(pin1) <= 8
        ):
            file.damaged("pin1 is not 4 to 8 digits")
        if not isinstance(kept.get("pin1_enabled"), bool):
            file.damaged("pin1_enabled is neither true nor false")
        self.sequence = SequenceArray(values=values)
        self.pin1_enabled = kept["pin1_enabled"]
        self.pin1_tries = kept["pin1_tries"]
        self.puk1_tries = kept["puk1_tries"]
        self._pin1 = pin1


def _padded(digits: str) -> bytes:
    return digits.encode("ascii").ljust(8, b"\xff")


def _check_number(key: str, value: object, most: int, file: StateFile) -> None:
    if type(value) is not int or not 0 <= value <= most:  # bool is an int too
        file.damaged(f"{key} is not a number from 0 to {most}")
