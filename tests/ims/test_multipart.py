"""Bodies of several parts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import ParseError
from sipua.ims import multipart
from sipua.ims.multipart import Part

SDP = Part("application/sdp", b"v=0\r\n")
XML = Part("application/vnd.3gpp.ussd+xml;charset=UTF-8", b"<a/>", "render;handling=optional")


def test_there_and_back() -> None:
    content_type, body = multipart.build([SDP, XML], "outer")
    assert content_type == 'multipart/mixed;boundary="outer"'
    assert body == (
        b"--outer\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n"
        b"--outer\r\nContent-Type: application/vnd.3gpp.ussd+xml;charset=UTF-8\r\n"
        b"Content-Disposition: render;handling=optional\r\n\r\n<a/>\r\n--outer--\r\n"
    )
    assert multipart.split(content_type, body) == [SDP, XML]
    assert XML.media_type == "application/vnd.3gpp.ussd+xml"


def test_as_others_write_it() -> None:
    body = (
        b"a preamble\r\n--b 1 \t\r\ncontent-type : Text/Plain\r\nX: y\r\n\r\none\r\n"
        b"--b 1\r\n\r\ntwo\r\n--b 1--\r\nan epilogue"
    )
    parts = multipart.split('Multipart/Mixed; charset=x; boundary="b 1"', body)
    assert [(part.media_type, part.body) for part in parts] == [
        ("text/plain", b"one"),
        ("text/plain", b"two"),
    ]


def test_one_part_only() -> None:
    assert multipart.split("application/sdp", b"v=0") == [Part("application/sdp", b"v=0")]
    assert multipart.split("application/sdp", b"") == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", b"--x--"),
        ("multipart/mixed;boundary=", b"----"),
        ("multipart/mixed;boundary=" + "x" * 71, b""),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\nno end"),
        ("multipart/mixed;boundary=x", b"--x y\r\n\r\n\r\n--x--"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\n" * 17 + b"--x--"),
        ("multipart/mixed;=x", b""),
    ],
)
def test_what_is_none(content_type: str, body: bytes) -> None:
    with pytest.raises(ParseError):
        multipart.split(content_type, body)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_garbage(body: bytes) -> None:
    for lead in (b"", b"--x\r\n"):
        try:
            multipart.split("multipart/mixed;boundary=x", lead + body)
        except ParseError:
            continue
