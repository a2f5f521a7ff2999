"""A message beside its octets: each line decoded, with where it stands and what it is made of."""

from __future__ import annotations

from typing import NamedTuple

ACROSS = 16
MAX_LINES = 400
TEXTUAL = ("text/", "application/sdp", "application/reginfo+xml", "application/pidf+xml")
PRINTABLE = range(0x20, 0x7F)


class Line(NamedTuple):
    """``octets`` at ``offset``, line end included, and the ``text`` they are."""

    offset: int
    octets: bytes
    text: str


def lines_of(data: bytes) -> list[Line]:
    """A message line by line; a body that is not text in rows of 16 octets."""
    end = data.find(b"\r\n\r\n")
    head, body = (data, b"") if end < 0 else (data[: end + 4], data[end + 4 :])
    lines = _text_lines(head, 0)
    if body:
        content_type = _content_type(head)
        if content_type.startswith(TEXTUAL) or content_type.endswith(("xml", "json")):
            lines += _text_lines(body, len(head))
        else:
            lines += _rows(body, len(head))
    return lines[:MAX_LINES]


def hexadecimal(octets: bytes) -> list[str]:
    """Rows of at most 16 octets, in pairs of digits."""
    return [octets[at : at + ACROSS].hex(" ") for at in range(0, len(octets), ACROSS)]


def _text_lines(data: bytes, offset: int) -> list[Line]:
    lines = []
    for octets in data.splitlines(keepends=True):
        text = octets.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        lines.append(Line(offset, octets, text))
        offset += len(octets)
    return lines


def _rows(data: bytes, offset: int) -> list[Line]:
    return [
        Line(
            offset + at,
            data[at : at + ACROSS],
            "".join(chr(each) if each in PRINTABLE else "·" for each in data[at : at + ACROSS]),
        )
        for at in range(0, len(data), ACROSS)
    ]


def _content_type(head: bytes) -> str:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip() in (b"content-type", b"c"):
            return value.partition(b";")[0].strip().decode("utf-8", "replace")
    return ""
