"""The pieces all SIP header grammars share (RFC 3261 §25.1), each in linear time."""

from __future__ import annotations

from sipua.errors import ParseError

DIGITS = "0123456789"
HEX_DIGITS = DIGITS + "abcdefABCDEF"
ALPHANUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + DIGITS
TOKEN = ALPHANUM + "-.!%*_+`'~"
WHITE_SPACE = " \t"


def made_of(text: str, alphabet: str) -> bool:
    """Whether the text is not empty and every character is of the alphabet."""
    return bool(text) and not text.strip(alphabet)


def is_token(text: str) -> bool:
    """``token`` of RFC 3261 §25.1."""
    return bool(text) and ((text.isascii() and text.isalnum()) or not text.strip(TOKEN))


def parse_number(text: str, limit: int, what: str) -> int:
    """A decimal number from 0 to ``limit``; ``what`` names it in the error."""
    text = text.strip(WHITE_SPACE)
    if not text or text.strip(DIGITS):
        raise ParseError(f"{what} is not a number: {text[:40]!r}")
    # int() of thousands of digits is quadratic, so the length is looked at first
    if len(text) > 20:
        text = text.lstrip("0") or "0"
    if len(text) > 20 or (number := int(text)) > limit:
        raise ParseError(f"{what} is larger than {limit}")
    return number


def quote(text: str) -> str:
    """``quoted-string``: in double quotes, with quotes and backslashes escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The content of a quoted-string; any other text comes back unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    text = text[1:-1]
    if "\\" not in text:
        return text
    content: list[str] = []
    position = 0
    while (escape := text.find("\\", position)) >= 0:
        content.append(text[position:escape])
        content.append(text[escape + 1 : escape + 2])
        position = escape + 2
    content.append(text[position:])
    return "".join(content)


def end_of_quoted(text: str, start: int) -> int:
    """Position after the quoted-string that opens at ``start``."""
    position = start + 1
    while True:
        quote_at = text.find('"', position)
        if quote_at < 0:
            raise ParseError("a quoted string is not closed")
        escapes = quote_at
        while escapes > position and text[escapes - 1] == "\\":
            escapes -= 1
        if (quote_at - escapes) % 2 == 0:
            return quote_at + 1
        position = quote_at + 1


def split(text: str, separator: str, brackets: bool = True) -> list[str]:
    """The parts between separators which stand outside of quotes (and of ``<…>``).

    White space around a part is removed; empty parts are kept, for the caller's
    grammar to judge.
    """
    if separator not in text:
        return [text.strip(WHITE_SPACE)]
    if '"' not in text and not (brackets and "<" in text):
        return [part.strip(WHITE_SPACE) for part in text.split(separator)]
    # each find() starts where an earlier one of its kind ended, so the whole is linear
    parts: list[str] = []
    start = 0
    separator_at = text.find(separator)
    quote_at = text.find('"')
    bracket_at = text.find("<") if brackets else -1
    while separator_at >= 0:
        if 0 <= quote_at < separator_at and not 0 <= bracket_at < quote_at:
            position = end_of_quoted(text, quote_at)
        elif 0 <= bracket_at < separator_at:
            position = text.find(">", bracket_at) + 1
            if not position:
                break
        else:
            parts.append(text[start:separator_at].strip(WHITE_SPACE))
            start = position = separator_at + 1
        if separator_at < position:
            separator_at = text.find(separator, position)
        if 0 <= quote_at < position:
            quote_at = text.find('"', position)
        if 0 <= bracket_at < position:
            bracket_at = text.find("<", position)
    parts.append(text[start:].strip(WHITE_SPACE))
    return parts


def parse_host_port(text: str) -> tuple[str, int | None]:
    """``hostport``: the host, an IPv6 one without its brackets, and the port."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        # RFC 5118 §4.10: the extra colon of RFC 3261's own grammar is let through
        if not bracket or not made_of(host, HEX_DIGITS + ":.") or host.count(":") < 2:
            raise ParseError(f"not an IPv6 address: {text[:60]!r}")
        rest = rest.strip(WHITE_SPACE)
        if rest and rest[0] != ":":
            raise ParseError(f"not a port after an IPv6 address: {text[:60]!r}")
        port = rest[1:] if rest else None
    else:
        host, colon, port_text = text.partition(":")
        port = port_text if colon else None
        host = host.rstrip(WHITE_SPACE)
        # "_" is no host name character, but private networks use it
        if not made_of(host, ALPHANUM + "-._"):
            raise ParseError(f"not a host: {text[:60]!r}")
    return host, None if port is None else parse_number(port, 65535, "the port")


def format_host(host: str) -> str:
    """The host as it stands in a URI or Via: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host
