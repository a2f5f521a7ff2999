"""The header lines of a message, kept as they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sipua.errors import ParseError
from sipua.sip.grammar import split
from sipua.sip.names import KEYS, LISTS


class Headers:
    """Header lines in order. Looked up by any case and by compact form alike.

    Values are text: UTF-8, other octets kept by surrogate escapes.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)
        self._index: dict[str, list[str]] | None = None

    def get(self, name: str) -> str | None:
        """Value of the first line of this name."""
        values = (self._index or self.by_key()).get(KEYS[name])
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Values of all lines of this name, in order."""
        return list((self._index or self.by_key()).get(KEYS[name], ()))

    def values(self, name: str) -> list[str]:
        """As ``all``, with list headers split at their commas and empty lists left out.

        Raises ParseError when a quoted string is not closed.
        """
        key = KEYS[name]
        lines = (self._index or self.by_key()).get(key)
        if not lines:
            return []
        if key not in LISTS:
            return lines.copy()
        return [
            value
            for line in lines
            if line
            for value in ((line,) if "," not in line else split(line, ","))
        ]

    def legible(self, name: str) -> list[str]:
        """As ``values``, but the lines as they are when a quoted string is not closed: for what
        is told or weighed, where nothing has to be refused for it."""
        try:
            return self.values(name)
        except ParseError:
            return self.all(name)

    def add(self, name: str, value: str) -> None:
        """Append a line."""
        self._items.append((name, value))
        self._index = None

    def prepend(self, name: str, value: str) -> None:
        """Insert a line before all others."""
        self._items.insert(0, (name, value))
        self._index = None

    def set(self, name: str, value: str) -> None:
        """Replace the first line of this name and drop the others, or append one."""
        self.replace(name, [value])

    def replace(self, name: str, values: Iterable[str]) -> None:
        """Put these lines where the first of this name stands, dropping all it had."""
        key = KEYS[name]
        items: list[tuple[str, str]] = []
        place = spelled = None
        for item in self._items:
            if KEYS[item[0]] == key:
                if place is None:
                    place, spelled = len(items), item[0]
            else:
                items.append(item)
        place = len(items) if place is None else place
        items[place:place] = [(spelled or name, value) for value in values]
        self._items = items
        self._index = None

    def remove(self, name: str) -> None:
        """Drop all lines of this name; none is no error."""
        key = KEYS[name]
        self._items = [item for item in self._items if KEYS[item[0]] != key]
        self._index = None

    def copy(self) -> Headers:
        """An independent list of the same lines."""
        return Headers(self._items)

    def by_key(self) -> dict[str, list[str]]:
        """Values by key (``names.KEYS``), in order; to be read only."""
        index = self._index
        if index is None:
            index = {}
            for name, value in self._items:
                key = KEYS[name]
                if key in index:
                    index[key].append(value)
                else:
                    index[key] = [value]
            self._index = index
        return index

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and KEYS[name] in self.by_key()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __repr__(self) -> str:
        # values may hold credentials
        return f"Headers({[name for name, _ in self._items]})"


def read_lines(lines: list[str]) -> tuple[Headers, str]:
    """Headers from lines, the first of which is the start line.

    Also what is wrong with a line, "" when nothing is; that line is left out.
    """
    items: list[tuple[str, str]] = []
    index: dict[str, list[str]] = {}
    problem = ""
    rows = iter(lines)
    next(rows)
    for row in rows:
        name, colon, value = row.partition(":")
        try:
            key = KEYS[name]
        except ParseError as error:
            if row[:1] in (" ", "\t"):
                return read_lines(_unfold(lines))
            problem = str(error)
            continue
        if not colon:
            problem = f"a header line without a colon: {name[:40]!r}"
            continue
        value = value.strip(" \t")
        items.append((name, value))
        if key in index:
            index[key].append(value)
        else:
            index[key] = [value]
    headers = Headers()
    headers._items = items
    headers._index = index
    return headers, problem


def _unfold(lines: list[str]) -> list[str]:
    """Continuation lines joined to their header by one space (RFC 3261 §7.3.1)."""
    start_line, *rest = lines
    pieces: list[str] = []
    for line in rest:
        if line[:1] in (" ", "\t"):
            pieces.append(" " + line.lstrip(" \t"))
        else:
            pieces.append("\r\n" + line)
    return [start_line, *"".join(pieces).removeprefix("\r\n").lstrip(" ").split("\r\n")]
