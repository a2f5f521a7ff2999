"""XML that a network sends, and what it must not be able to do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import ParseError
from sipua.ims import reginfo, ussd_data, xml_document

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY a "0123456789">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<reginfo>&c;</reginfo>"""

FETCHED = b"""<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>"""
EXTERNAL = b"""<!DOCTYPE r SYSTEM "http://192.0.2.1/evil.dtd"><r/>"""
PARAMETER = b"""<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><r/>"""


@pytest.mark.parametrize("document", [BOMB, FETCHED, EXTERNAL, PARAMETER, b"<!DOCTYPE r><r/>"])
def test_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(ParseError, match="document type"):
        xml_document.parse(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a b=1/>",
        b"<a>&unknown;</a>",
        b"<a:b/>",
        b'<a x="1" x="2"/>',
        b"\xff\xfe<\0a\0/\0>\0",  # UTF-16, whatever it says
        b"<a>\x00</a>",
        b"<a>\xff</a>",
    ],
)
def test_what_is_not_well_formed_is_refused(document: bytes) -> None:
    with pytest.raises(ParseError):
        xml_document.parse(document)


@pytest.mark.parametrize(
    "document",
    [
        b"<a>" * 17 + b"</a>" * 17,
        b"<a>" + b"<b/>" * 4096 + b"</a>",
        b"<a>" + b" " * 0x10000 + b"</a>",
        b"<a " + b" ".join(b"b%d='1'" % number for number in range(65)) + b"/>",
    ],
)
def test_what_is_too_much_is_refused(document: bytes) -> None:
    with pytest.raises(ParseError):
        xml_document.parse(document)


def test_what_is_just_not_too_much() -> None:
    xml_document.parse(b"<a>" * 16 + b"</a>" * 16)
    root = xml_document.parse(b"<a>" + b"<b/>" * 4095 + b"</a>")
    assert len(root.all("b")) == 4095


def test_elements_are_known_by_their_namespace() -> None:
    root = xml_document.parse(
        b'<?xml version="1.0"?><?php boo?><!-- a remark -->'
        b'<a xmlns="urn:one" xmlns:t="urn:two" x="1" t:x="2">'
        b"<b>1</b><t:b>2</t:b><c xmlns=''>&lt;3&#65;<![CDATA[&]]></c> text</a>"
    )
    assert (root.name, root.namespace, root.text) == ("a", "urn:one", " text")
    assert root.attributes == {"x": "1", "urn:two x": "2"}
    assert [each.text for each in root.all("b")] == ["1"]
    assert [each.text for each in root.all("b", "urn:two")] == ["2"]
    assert [each.text for each in root.all("c", "")] == ["<3A&"]
    assert root.first("c") is None
    with pytest.raises(ParseError, match="no attribute y"):
        root.required("y")


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_quoted(text: str) -> None:
    quoted = xml_document.quoted(text).encode()
    kept = xml_document.parse(b"<a>" + quoted + b"</a>").text
    # a carriage return is read as a line feed (XML 1.0 §2.11)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert kept == "".join(each for each in lines if each in kept)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    for parse in (xml_document.parse, reginfo.parse, ussd_data.parse):
        for document in (data, b"<reginfo>" + data + b"</reginfo>"):
            try:
                parse(document)
            except ParseError:
                continue
