"""Where in a TOML file a key stands; tomllib does not tell.

The file is cut into its statements, each of which is given to tomllib: one
line, or as many as it takes until the statement is complete. So nothing of
TOML's spelling is known here. It is slow, and done only when a fault is to be
reported.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from card.profile_table import Fault


def report(faults: list[Fault], file: str, text: str) -> str:
    """One line for each fault, in the order of the file: file, line, key, what is expected.

    A key that is missing is reported on the line of its table.
    """
    from operator import itemgetter

    lines = lines_of(text)
    places = [lines.get(key) or lines.get(key.rpartition(".")[0], 0) for key, _ in faults]
    return "\n".join(
        f"{file}{f':{line}' if line else ''}: {key}: {expected}"
        for line, (key, expected) in sorted(zip(places, faults, strict=True), key=itemgetter(0))
    )


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1 on, on which each table and each key begins, by dotted name.

    ``text`` must be valid TOML. Of an array of tables only the first is found.
    """
    lines: dict[str, int] = {}
    table = ""
    for number, statement in _statements(text):
        path, value = _only(tomllib.loads(statement))
        if statement.lstrip().startswith("["):
            table, names = f"{path}.", _names(path, {})
        else:
            names = _names(table + path, value)
        for name in names:
            lines.setdefault(name, number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Every statement that holds a key, with the number of its first line."""
    pending, begin = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        begin = begin if pending else number
        pending += f"{line}\n"
        try:
            found = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # a value that goes on in the next line
        if found:
            yield begin, pending
        pending = ""


def _only(document: dict[str, Any]) -> tuple[str, Any]:
    """The one key of a statement, dotted, and its value."""
    path, value = next(iter(document.items()))
    while isinstance(value, dict) and len(value) == 1:
        key, value = next(iter(value.items()))
        path += f".{key}"
    return path, value


def _names(path: str, value: Any) -> Iterator[str]:
    """``path``, all that leads to it, and the keys of an inline table in it."""
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _names(f"{path}.{key}", inner)
