"""HTML and SVG out of parts: whatever is not markup already is text, and stays text.

What comes from the wire may be anything. It is escaped here, in one place, and
characters that would not be seen, or would turn what is seen round, are spelled out.
"""

from __future__ import annotations

from html import escape

VOID = frozenset({"meta", "br", "hr", "col", "wbr"})


class Markup(str):
    """Text that is markup; made by ``element`` and ``joined`` only."""

    __slots__ = ()


Content = Markup | str | int | float | None


def element(tag: str, /, *content: Content, **attributes: Content | bool) -> Markup:
    """``<tag attributes>content</tag>``.

    An attribute's ``_`` is written ``-``, one at its end left out (``class_``); True
    gives an attribute without value, None and False leave it out, and so does
    None as content.
    """
    given = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in VOID:
        return Markup(f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{joined(*content)}</{tag}>")


def joined(*content: Content, between: str = "") -> Markup:
    """Parts behind one another."""
    return Markup(between.join(text(each) for each in content if each is not None))


def text(content: Content) -> Markup:
    """Markup as it is, everything else escaped."""
    if isinstance(content, Markup):
        return content
    return Markup(escape(visible(str(content)), quote=True))


def visible(words: str) -> str:
    """The text with escapes for what is not printed, or is printed as something else.

    Lone surrogates stand for octets that are no UTF-8 (PEP 383) and become ``\\xNN``.
    """
    if words.isprintable():
        return words
    return "".join(each if _is_seen(each) else _spelled(each) for each in words)


def _is_seen(character: str) -> bool:
    return character == "\n" or character.isprintable()


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return {"\t": "\\t", "\r": "\\r"}.get(character, f"\\u{code:04x}")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
