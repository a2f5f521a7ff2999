"""The tables of a profile, read key by key; every fault is noted, none ends the reading.

A reader that finds a fault notes it and gives a harmless value, so that one
look at the file tells all that is wrong with it. Whoever reads a whole file
asks for ``faults`` at the end and uses nothing that was read if there are any.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

EXAMPLE = os.path.join(os.path.dirname(__file__), "emulator", "default.toml")


Fault = tuple[str, str]
"""One fault: the dotted name of the key, and what is expected there."""


class Table:
    """One table of the file, whose keys are taken out until none is left.

    ``faults`` is shared by all tables of a file. A check gives the value to use
    or raises ValueError with what is expected; its words never repeat the value,
    which may be a key or a PIN. Without a default the key must be there.
    """

    def __init__(
        self,
        values: dict[str, Any],
        faults: list[Fault],
        name: str = "",
        places: dict[str, str] | None = None,
    ) -> None:
        self.left = dict(values)
        self.faults = faults
        self._name = name
        self._places = {} if places is None else places  # of the keys of all tables read so far

    def wrong(self, key: str, expected: str) -> None:
        """Note a fault."""
        self.faults.append((f"{self._name}.{key}" if self._name else key, expected))

    def read(self, key: str, check: Callable[[Any], T], default: T | None, harmless: T) -> T:
        """The value of ``key`` after ``check``, which must look at its type too."""
        self._places.setdefault(key, self._name)
        if key not in self.left:
            if default is None:
                self.wrong(key, "the key is missing")
                return harmless
            return default
        try:
            return check(self.left.pop(key))
        except ValueError as error:
            self.wrong(key, str(error))
            return harmless

    def table(self, key: str, default: dict[str, Any] | None = None) -> Table:
        """A table below this one; of one that is missing or no table only that is noted."""

        def check(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise ValueError(f"it must be a table, [{key}]")  # noqa: TRY004
            return value

        before = len(self.faults)
        values = self.read(key, check, default, {})
        faults = self.faults if len(self.faults) == before else []
        return Table(values, faults, key, self._places)

    def text(self, key: str, check: Callable[[str], str], default: str | None = None) -> str:
        """Text that ``check`` lets pass."""
        return self.read(key, lambda value: check(_text(value)), default, "")

    def texts(
        self,
        key: str,
        check: Callable[[str], str],
        least: int = 0,
        default: tuple[str, ...] | None = None,
    ) -> tuple[str, ...]:
        """A list of ``least`` or more texts, each of which ``check`` lets pass."""

        def check_all(value: Any) -> tuple[str, ...]:
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise ValueError("it must be a list of texts in quotes")
            if len(value) < least:
                raise ValueError(f"it must hold at least {least}")
            return tuple(check(each) for each in value)

        return self.read(key, check_all, default, ())

    def octets(self, key: str, lengths: tuple[int, ...], default: bytes | None = None) -> bytes:
        """Octets in hexadecimal, of one of the ``lengths``; b"" if there was a fault."""
        return self.read(key, lambda value: octets(value, lengths), default, b"")

    def number(
        self, key: str, least: int, most: int, default: int | None = None, unit: str = ""
    ) -> int:
        """A whole number in a range."""
        what = f"a number of {unit}" if unit else "a number"

        def check(value: Any) -> int:
            if type(value) is not int or not least <= value <= most:  # bool is an int too
                raise ValueError(f"it must be {what} from {least} to {most}")
            return value

        return self.read(key, check, default, least)

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""

        def check(value: Any) -> bool:
            if not isinstance(value, bool):
                raise ValueError("it must be true or false")  # noqa: TRY004
            return value

        return self.read(key, check, default, default)

    def end(self, circumstance: str = "here", example: str = EXAMPLE) -> None:
        """Note as a fault each key that nobody asked for, and where to see those there are."""
        for key in self.left:
            place = self._places.get(key)
            where = f"; it belongs into [{place}]" if place else f"; see the example in {example}"
            self.wrong(key, f"there is no such key {circumstance}{where}")


def octets(value: Any, lengths: tuple[int, ...]) -> bytes:
    """Hexadecimal digits to octets. Raises ValueError, which does not show the digits."""
    text = _text(value)
    digits = " or ".join(str(2 * length) for length in lengths)
    sizes = " or ".join(map(str, lengths))
    expected = f"it must be {digits} hexadecimal digits ({sizes} octets)"
    if len(text) not in [2 * length for length in lengths]:
        raise ValueError(f"{expected}; it has {len(text)} characters")
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if 2 * len(found) != len(text):  # fromhex skips spaces
        raise ValueError(f"{expected}; another character stands in it")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be text in quotes")  # noqa: TRY004
    return value
