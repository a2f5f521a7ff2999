"""Bodies of several parts (RFC 2046 §5.1, RFC 5621)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import ParseError
from sipua.sip.parameters import Parameters

MIXED = "multipart/mixed"
MAX_PARTS = 16
MAX_BOUNDARY = 70


class Part(NamedTuple):
    """``content_type`` as its header has it."""

    content_type: str
    body: bytes
    disposition: str = ""

    @property
    def media_type(self) -> str:
        """The type without its parameters, in small letters."""
        return media_type(self.content_type)


def media_type(content_type: str) -> str:
    """The type without its parameters, in small letters."""
    return content_type.partition(";")[0].strip().lower()


def build(parts: list[Part], boundary: str) -> tuple[str, bytes]:
    """Content-Type and body; ``boundary`` must stand in none of the parts."""
    body = b""
    for part in parts:
        lines = [f"--{boundary}", f"Content-Type: {part.content_type}"]
        if part.disposition:
            lines.append(f"Content-Disposition: {part.disposition}")
        body += "\r\n".join([*lines, "", ""]).encode() + part.body + b"\r\n"
    return f'{MIXED};boundary="{boundary}"', body + f"--{boundary}--\r\n".encode()


def split(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body, one for a body that has only one; raises ParseError."""
    kind, _, rest = content_type.partition(";")
    if not kind.strip().lower().startswith("multipart/"):
        return [Part(content_type, body)] if body else []
    boundary = Parameters.parse(rest).get("boundary") or ""
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise ParseError("a multipart body without a boundary")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)[1:]
    parts: list[Part] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            return parts
        parts.append(_read(piece))
    raise ParseError(f"a multipart body without its end, or of more than {MAX_PARTS} parts")


def _read(piece: bytes) -> Part:
    """A part as it stands after its delimiter; text where there is no Content-Type."""
    padding, _, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t"):
        raise ParseError("text after a boundary")
    head, _, body = (b"\r\n" + rest).partition(b"\r\n\r\n")
    fields = {"content-type": "text/plain", "content-disposition": ""}
    for line in head.decode("utf-8", "surrogateescape").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in fields:
            fields[name.strip().lower()] = value.strip()
    return Part(fields["content-type"], body, fields["content-disposition"])
