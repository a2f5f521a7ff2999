"""The ``;name=value`` parameters of a header or URI."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.grammar import TOKEN, end_of_quoted, is_token, split, unquote

_NOT_IN_VALUE = ' \t",;<>'


class Parameters:
    """Parameters in their order, names compared without regard to case.

    ``items`` holds the text as received, quotes included; None stands for a
    parameter without "=".
    """

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, str | None]] | None = None) -> None:
        self.items = items if items is not None else []

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read ``name=value;name``, without the leading semicolon."""
        items: list[tuple[str, str | None]] = []
        for part in split(text, ";", brackets=False):
            name, equals, value = part.partition("=")
            name = name.rstrip(" \t")
            if not is_token(name):
                raise ParseError(f"{part[:40]!r} is not a parameter")
            if not equals:
                items.append((name, None))
                continue
            value = value.lstrip(" \t")
            _check_value(value)
            items.append((name, value))
        return cls(items)

    def get(self, name: str) -> str | None:
        """The value without quotes, "" for one without "=", None when absent."""
        name = name.lower()
        for known, value in self.items:
            if known.lower() == name:
                return "" if value is None else unquote(value)
        return None

    def set(self, name: str, value: str | None) -> None:
        """Give ``name`` this value, quoted by the caller where needed; None for no "="."""
        for position, (known, _) in enumerate(self.items):
            if known.lower() == name.lower():
                self.items[position] = (known, value)
                return
        self.items.append((name, value))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __str__(self) -> str:
        """With the leading semicolon of each; empty when there are none."""
        return "".join(
            [f";{name}" if value is None else f";{name}={value}" for name, value in self.items]
        )

    def __repr__(self) -> str:
        return f"Parameters({self.items!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameters) and self.items == other.items


def _check_value(value: str) -> None:
    if not value.strip(TOKEN):
        return
    if value[0] == '"':
        # split() has seen that quotes pair up; what follows the string is junk
        if end_of_quoted(value, 0) != len(value):
            raise ParseError(f"text after a quoted parameter: {value[:40]!r}")
        return
    for character in _NOT_IN_VALUE:
        if character in value:
            raise ParseError(f"{value[:40]!r} is not a parameter value")
