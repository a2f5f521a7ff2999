"""Challenges and credentials as anybody may have written them.

RFC 3261 parts parameters by commas, RFC 2543's PGP by semicolons, the patent's
UMTS mode by white space. One reading does for all three, also where they stand
in one header: a word with "=" after it is a parameter, any other word begins
the next challenge.
"""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.grammar import end_of_quoted, is_token
from sipua.sip.headers import Challenge

_BLANK = " \t"
_BETWEEN = _BLANK + ",;"


def read_challenges(value: str) -> list[Challenge]:
    """The challenges of a header value, in linear time; raises ParseError."""
    found: list[Challenge] = []
    position = 0
    follows_scheme = False
    while True:
        start = _skip(value, position, _BETWEEN)
        if start == len(value):
            break
        alone = follows_scheme and not value[position:start].strip(_BLANK)
        end = _find(value, start, _BETWEEN + "=")
        word = value[start:end]
        position = _skip(value, end, _BLANK)
        follows_scheme = value[position : position + 1] != "="
        if not follows_scheme:
            start = _skip(value, position + 1, _BLANK)
            quoted = value[start : start + 1] == '"'
            position = end_of_quoted(value, start) if quoted else _find(value, start, _BETWEEN)
            if not found:
                raise ParseError(f"a parameter before any scheme: {word[:20]!r}")
            found[-1].read(word, value[start:position])
        elif alone:  # token68 of RFC 7235 §2.1, as "Bearer abc" has it
            found[-1].params.setdefault(word, "")
            follows_scheme = False
            position = end
        elif is_token(word):
            found.append(Challenge(word))
            position = end
        else:
            raise ParseError(f"not a challenge: {word[:20]!r}")
    if not found:
        raise ParseError("an empty challenge")
    return found


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _find(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] not in characters:
        position += 1
    return position
