"""Text that somebody pasted: header lines, messages, or several of them with remarks between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sipua.auth.scheme import CHALLENGE_HEADERS, CREDENTIALS_HEADERS
from sipua.errors import ParseError
from sipua.explain.heard import Heard
from sipua.sip.limits import MAX_HEAD
from sipua.sip.message import Request, Response, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 16 * 1024 * 1024

_START_LINE = re.compile(
    r"^[ \t>|]*(?:SIP/2\.0 [1-6][0-9]{2}\b[^\r\n]*"
    r"|[A-Z]{2,20} [^ \r\n]{1,4096} SIP/2\.0)[ \t]*\r?$",
    re.MULTILINE,
)
_CREDENTIALS = tuple(CREDENTIALS_HEADERS.values())
_ANSWER_WORDS = ("response=", "auts=", "signature=", "res=", "auth-reject=")


def read_text(text: str) -> list[Heard]:
    """What a text holds of SIP, in order; empty when there is nothing. Raises nothing."""
    starts = [found.start() for found in _START_LINE.finditer(text)]
    if not starts:
        return list(_loose_lines(text))
    ends = [*starts[1:], len(text)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        message = _message(text[start:end])
        if message is not None:
            found.append(Heard(message))
    return found


def _message(text: str) -> Request | Response | None:
    """A message whose lines may be indented, and whose line ends may be any."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    margin = re.match(r"[ \t>|]*", lines[0])
    width = margin.end() if margin else 0
    lines = [line[width:] if not line[:width].strip(" \t>|") else line for line in lines]
    head: list[str] = []
    for at, line in enumerate(lines):
        if not line.strip():
            body = lines[at + 1 :]
            break
        head.append(line)
    else:
        body = []
    kept = [line for line in head if not line.lower().startswith(("content-length", "l:"))]
    octets = "\r\n".join([*kept, "", ""]).encode("utf-8", "surrogateescape")
    if len(octets) > MAX_HEAD:
        return None
    try:
        message = parse(octets)
    except ParseError:
        return None
    message.body = _body(head, body)
    return message


def _body(head: list[str], lines: list[str]) -> bytes:
    """As much as Content-Length says, its line ends CRLF again; empty where it says nothing."""
    length = 0
    for line in head:
        name, _, value = line.partition(":")
        if name.strip().lower() in ("content-length", "l") and value.strip().isdecimal():
            length = int(value.strip()[:9])
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")[:length]


def _loose_lines(text: str) -> Iterator[Heard]:
    """Header lines by themselves: challenges, then the answers to them."""
    challenges: list[tuple[str, str]] = []
    credentials: list[tuple[str, str]] = []
    for line in _unfolded(text):
        name, value = _header_of(line)
        if name in _CREDENTIALS:
            credentials.append((name, value))
        elif name:
            challenges.append((name, value))
    if challenges:
        status = 407 if challenges[0][0] == CHALLENGE_HEADERS[407] else 401
        yield Heard(Response(status, "", challenges))
    for number, field in enumerate(credentials, 2):
        yield Heard(Request("", "", [("CSeq", f"{number} REGISTER"), field]))


def _unfolded(text: str) -> list[str]:
    lines: list[str] = []
    for line in text[:MAX_TEXT].splitlines():
        if line[:1] in (" ", "\t") and lines and "=" in line and "," in lines[-1][-2:]:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return lines


def _header_of(line: str) -> tuple[str, str]:
    """Name and value; a value alone is told apart by what stands in it. ("", "") for no header."""
    name, colon, value = line.partition(":")
    for known in (*CREDENTIALS_HEADERS, *_CREDENTIALS):
        if colon and name.strip().lower() == known.lower():
            return known, value.strip()
    word = line.partition(" ")[0].lower()
    if word not in ("digest", "umts", "pgp"):
        return "", ""
    squeezed = line.lower().replace(" ", "")
    is_answer = any(each in squeezed for each in _ANSWER_WORDS)
    if not is_answer:
        return CHALLENGE_HEADERS[401], line
    return _CREDENTIALS[0], line
