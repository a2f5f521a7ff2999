"""How wide a text will be in a font that is not known: not less than the widest usual one draws.

The numbers are those of DejaVu Sans, wider than Segoe, Roboto, San Francisco or Arial, so that
what is laid out by them is cut off nowhere.
"""

from __future__ import annotations

_NARROW = frozenset("ijlI.,:;'!|` ")
_MEDIUM = frozenset('ft()[]{}r/\\-"*')
_WIDE = frozenset("mwMW@%")


def width(text: str, size: float) -> float:
    """How wide ``text`` is at most, in the unit that ``size`` is in."""
    return size * sum(map(_share, text))


def wrapped(text: str, size: float, space: float) -> list[str]:
    """The text in lines no wider than ``space``; a word that is wider is divided."""
    lines: list[str] = []
    line, used = "", 0.0
    blank = size * _share(" ")
    for word in text.split():
        needed = width(word, size)
        if line and used + blank + needed <= space:
            line, used = f"{line} {word}", used + blank + needed
            continue
        if line:
            lines.append(line)
        rest = word
        while needed > space:
            first, rest = _divided(rest, size, space)
            lines.append(first)
            needed = width(rest, size)
        line, used = rest, needed
    return [*lines, line] if line else lines


def fitted(text: str, size: float, space: float) -> str:
    """The text, or as much of it as ``space`` takes and an ellipsis."""
    if width(text, size) <= space:
        return text
    first, _ = _divided(text, size, space - size)
    return f"{first.rstrip()}…"


def _divided(word: str, size: float, space: float) -> tuple[str, str]:
    """As much of the word as fits, one character at least, and the rest."""
    used, count = 0.0, 0
    for character in word:
        used += size * _share(character)
        if used > space and count:
            break
        count += 1
    return word[:count], word[count:]


def _share(character: str) -> float:
    if character in _NARROW:
        return 0.34
    if character in _MEDIUM:
        return 0.5
    if character in _WIDE:
        return 1.0
    if character > "\u2fff":
        return 1.05
    return 0.78 if character > "\x7f" or character.isupper() else 0.65
