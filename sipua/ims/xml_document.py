"""XML out of the network, read without what XML can do to its reader.

The standard library's expat does the reading. A document type is refused before
anything in it is looked at, so that there are no entities but the five of XML
itself, nothing is expanded and nothing is fetched; size, depth and the number of
elements are bounded, and the encoding is UTF-8 whatever the document says.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from sipua.errors import ParseError

MAX_OCTETS = 0x10000
MAX_DEPTH = 16
MAX_ELEMENTS = 4096
MAX_ATTRIBUTES = 64  # of one element

UTF_16 = (b"\xff\xfe", b"\xfe\xff")

ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Element:
    """One element: ``name`` without its namespace, which is "" for none. ``text`` is all
    character data directly in it; attributes are known by their name, those of a namespace
    by "namespace name"."""

    __slots__ = ("attributes", "children", "name", "namespace", "text")

    def __init__(self, name: str, namespace: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.namespace = namespace
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def all(self, name: str, namespace: str | None = None) -> list[Element]:
        """Children of this name; of the element's own namespace where none is given."""
        wanted = self.namespace if namespace is None else namespace
        return [each for each in self.children if (each.name, each.namespace) == (name, wanted)]

    def first(self, name: str, namespace: str | None = None) -> Element | None:
        """The first child of this name, None without one."""
        return next(iter(self.all(name, namespace)), None)

    def required(self, name: str) -> str:
        """The value of an attribute that must be there; raises ParseError."""
        value = self.attributes.get(name)
        if value is None:
            raise ParseError(f"the element {self.name[:40]} has no attribute {name}")
        return value


def parse(data: bytes) -> Element:
    """The root element; raises ParseError."""
    if len(data) > MAX_OCTETS:
        raise ParseError(f"an XML document of {len(data)} octets", 513)
    if data.startswith(UTF_16):  # of which a byte order mark would persuade expat
        raise ParseError("an XML document that is not UTF-8")
    return _Builder().build(data)


def quoted(text: str) -> str:
    """Text as it may stand in an element; characters that XML has not are left out."""
    return "".join(each for each in text if _is_allowed(each)).translate(ESCAPED)


def _is_allowed(character: str) -> bool:
    code = ord(character)
    return (
        character in "\t\n\r"
        or 0x20 <= code < 0xD800
        or 0xE000 <= code <= 0xFFFD
        or code >= 0x10000
    )


class _Builder:
    def __init__(self) -> None:
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0

    def build(self, data: bytes) -> Element:
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take_text
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ParseError(f"not well-formed XML: {error}") from None
        assert self._root is not None
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise ParseError("an XML document too deep or with too many elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise ParseError("an XML element with too many attributes")
        namespace, _, local = name.rpartition(" ")
        element = Element(local, namespace, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _take_text(self, text: str) -> None:
        self._open[-1].text += text


def _refuse_document_type(*_arguments: object) -> NoReturn:
    raise ParseError("an XML document with a document type")
