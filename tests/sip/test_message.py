"""Messages: what survives, what is cut off, what is refused, what is written."""

from __future__ import annotations

import pytest

from sipua.errors import LocalError, ParseError
from sipua.sip.limits import MAX_HEAD, MAX_HEADERS, MAX_LINE
from sipua.sip.message import Headers, MalformedMessage, Request, Response, parse
from sipua.sip.names import COMPACT, KEYS

HEAD = (
    b"OPTIONS sip:a@b SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"X-ODD-name: one\r\n"
    b"fRoM: <sip:c@d>;tag=1\r\n"
    b"x-odd-NAME:two\r\n"
    b"t: <sip:a@b>\r\n"
    b"i: 1\r\n"
    b"CSeq: 1 OPTIONS\r\n"
)


def test_order_case_unknown_headers_and_octets_survive() -> None:
    data = HEAD + b"Content-Length: 4\r\n\r\nbodyjunk"
    message = parse(data)
    assert isinstance(message, Request)
    assert [name for name, _ in message.headers] == [
        "v", "X-ODD-name", "fRoM", "x-odd-NAME", "t", "i", "CSeq", "Content-Length",
    ]  # fmt: skip
    assert message.headers.all("x-Odd-Name") == ["one", "two"]
    assert message.raw == data
    assert message.body == b"body"
    assert (message.method, message.uri) == ("OPTIONS", "sip:a@b")


@pytest.mark.parametrize(("compact", "name"), COMPACT.items())
def test_compact_forms_are_the_same_header(compact: str, name: str) -> None:
    headers = Headers([(compact.upper(), "x")])
    assert headers.get(name.title()) == headers.get(compact) == "x"
    assert name.upper() in headers


def test_octets_that_are_no_utf8_come_back_unchanged() -> None:
    data = HEAD + b"Subject: \xff\xfe \xc3\xa9\r\nContent-Length: 0\r\n\r\n"
    message = parse(data)
    assert (message.headers.get("Subject") or "").endswith("é")
    assert b"Subject: \xff\xfe \xc3\xa9\r\n" in message.to_bytes()


def test_a_folded_header_is_one_value() -> None:
    data = HEAD + b"Subject: a\r\n \t b\r\n\tc\r\nContent-Length:\r\n 0\r\n\r\n"
    message = parse(data)
    assert message.headers.get("Subject") == "a b c"
    assert message.headers.get("Content-Length") == "0"
    assert message.raw == data


@pytest.mark.parametrize("prefix", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_line_ends_before_the_start_line_are_passed_over(prefix: bytes) -> None:
    assert parse(prefix + HEAD + b"\r\n").start_line == "OPTIONS sip:a@b SIP/2.0"


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    assert parse(HEAD + b"\r\nbody\r\n").body == b"body\r\n"


def test_the_empty_line_may_be_missing_at_the_end_of_a_datagram() -> None:
    assert parse(HEAD).headers == parse(HEAD + b"\r\n").headers
    assert parse(HEAD.rstrip()).headers == parse(HEAD + b"\r\n").headers


def test_bare_line_feeds_are_read_when_there_is_nothing_else() -> None:
    bare = HEAD.replace(b"\r\n", b"\n")
    assert parse(bare + b"\nbody\r\n\r\n").headers == parse(HEAD + b"\r\n").headers
    assert parse(bare + b"\nbody\r\n\r\n").body == b"body\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Subject: a\nb: c\r\n\r\n",
        HEAD + b"Subject: a\rb: c\r\n\r\n",
        HEAD.replace(b"\r\n", b"\n") + b"Subject: a\r\n\n",
        HEAD.replace(b"\r\n", b"\n", 1) + b"\r\n",
        HEAD.replace(b"\r\n", b"\r"),
    ],
)
def test_mixed_line_ends_are_refused(data: bytes) -> None:
    """Two readings of one head are how a header is smuggled past a proxy."""
    with pytest.raises(ParseError) as caught:
        parse(data)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"OPTIONS sip:a@b SIP/3.0", 505),
        (b"OPTIONS sip:a@b", 400),
        (b"OPTIONS  sip:a@b SIP/2.0", 400),
        (b"OPTIONS sip:a@b  SIP/2.0", 400),
        (b"OPTIONS sip:a@b SIP/2.0 ", 400),
        (b" OPTIONS sip:a@b SIP/2.0", 400),
        (b"OPT(IONS sip:a@b SIP/2.0", 400),
        (b"OPTIONS sip:a@b HTTP/1.1", 400),
        (b"OPTIONS", 400),
        (b"SIP/2.0 99 Low", 400),
        (b"SIP/2.0 700 High", 400),
        (b"SIP/2.0 2x0 OK", 400),
        (b"SIP/2.0 +20 OK", 400),
        (b"SIP/2.0  200 OK", 400),
        (b"SIP/2.0", 400),
        (b"SIP/1.0 200 OK", 400),
    ],
)
def test_start_lines_that_are_refused(line: bytes, status: int) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(HEAD.replace(b"OPTIONS sip:a@b SIP/2.0", line) + b"\r\n")
    assert caught.value.status == status


def test_the_version_is_compared_without_case() -> None:
    assert isinstance(parse(HEAD.replace(b"SIP/2.0\r", b"sip/2.0\r", 1) + b"\r\n"), Request)
    response = parse(b"sip/2.0 200 OK\r\n\r\n")
    assert isinstance(response, Response)
    assert response.start_line == "SIP/2.0 200 OK"


def test_a_malformed_request_carries_what_a_reply_needs() -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(HEAD + b"no colon here\r\nContent-Length: 5\r\n\r\n")
    message = caught.value.message
    assert isinstance(message, Request)
    assert message.cseq.method == "OPTIONS"
    assert message.call_id == "1"
    assert message.top_via.host == "192.0.2.1"


@pytest.mark.parametrize(
    "line", [b"no colon", b"bad name: x", b": x", b"nam\xc3\xa9: x", b"a\0b: x", b"(x): y", b"x"]
)
def test_header_lines_that_are_refused(line: bytes) -> None:
    with pytest.raises(ParseError, match="header"):
        parse(HEAD + line + b"\r\n\r\n")


@pytest.mark.parametrize(
    "length", [b"-1", b"x", b"", b"1 2", b"0x1", b"+1", b"\xd9\xa1", b"9" * 5000, b"1\r\nl: 1"]
)
def test_content_lengths_that_are_refused(length: bytes) -> None:
    with pytest.raises(ParseError, match="Content-Length"):
        parse(HEAD + b"Content-Length: " + length + b"\r\n\r\n0123456789")


@pytest.mark.parametrize(
    "extra",
    [
        b"Subject: " + b"x" * (MAX_LINE + 1),
        b"Subject: " + b"x\r\n " * (MAX_LINE // 2 + 1),
        b"\r\n".join([b"a: b"] * MAX_HEADERS),
        b"\r\n".join([b"Subject: " + b"x" * 8000] * (MAX_HEAD // 8000 + 1)),
        b"x" * MAX_HEAD,
    ],
)
def test_what_is_too_large_is_answered_513(extra: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(HEAD + extra + b"\r\n\r\n")
    assert caught.value.status == 513
    assert caught.value.message is not None


def test_large_but_allowed() -> None:
    lines = b"\r\n".join([b"a: b"] * (MAX_HEADERS - 10))
    assert len(parse(HEAD + lines + b"\r\n\r\n").headers) == MAX_HEADERS - 3
    assert len(parse(HEAD + b"Subject: " + b"x" * MAX_LINE + b"\r\n\r\n").headers) == 8


def test_names_of_strangers_are_not_remembered_without_end() -> None:
    for number in range(2000):
        Headers([(f"x-flood-{number}", "")]).get("x")
    assert len(KEYS) <= 512


# Headers


def test_values_splits_lists_outside_of_quotes_and_brackets() -> None:
    headers = Headers(
        [
            ("Contact", '"A, B" <sip:a,b@c;x=1,2>;q=1, <sip:d>'),
            ("m", "*"),
            ("Supported", ""),
            ("k", "path, gruu"),
            ("Date", "Sat, 13 Nov 2010"),
        ]
    )
    assert headers.values("contact") == ['"A, B" <sip:a,b@c;x=1,2>;q=1', "<sip:d>", "*"]
    assert headers.values("Supported") == ["path", "gruu"]
    assert headers.values("Date") == ["Sat, 13 Nov 2010"]
    assert headers.values("Route") == []
    assert headers.legible("Supported") == ["path", "gruu"]


def test_headers_are_changed_in_place() -> None:
    headers = Headers([("f", "1"), ("Via", "a"), ("To", "2"), ("v", "b")])
    headers.set("VIA", "c")
    assert list(headers) == [("f", "1"), ("Via", "c"), ("To", "2")]
    headers.set("Expires", "0")
    headers.prepend("Via", "z")
    headers.add("Subject", "s")
    assert headers.values("via") == ["z", "c"]
    headers.remove("via")
    headers.remove("nothing")
    assert list(headers) == [("f", "1"), ("To", "2"), ("Expires", "0"), ("Subject", "s")]
    copy = headers.copy()
    copy.add("X", "y")
    assert len(headers) == 4
    assert "x" in copy
    assert copy != headers


def test_values_are_in_no_repr() -> None:
    request = Request("OPTIONS", "sip:a", [("Authorization", 'Digest ck="00"')], b"secret")
    assert "00" not in repr(request) + repr(request.headers)
    assert "secret" not in repr(request)


# Writing


def test_content_length_is_the_truth() -> None:
    request = Request(
        "OPTIONS", "sip:a", [("L", "99"), ("content-LENGTH", "98"), ("X", "é")], b"12"
    )
    assert request.to_bytes() == (
        "OPTIONS sip:a SIP/2.0\r\nX: é\r\nContent-Length: 2\r\n\r\n12".encode()
    )


def test_responses_get_the_standard_reason_phrase() -> None:
    assert Response(401).to_bytes() == b"SIP/2.0 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    assert Response(299).start_line == "SIP/2.0 299 "
    assert Response(200, "Fine").start_line == "SIP/2.0 200 Fine"


def test_what_is_read_is_written_alike() -> None:
    data = HEAD + b"Content-Length: 4\r\n\r\nbody"
    assert parse(parse(data).to_bytes()).headers == parse(data).headers


@pytest.mark.parametrize(
    "request_",
    [
        Request("OPTIONS", "sip:a", [("X", "a\r\nEvil: b")]),
        Request("OPTIONS", "sip:a", [("X", "a\nEvil: b")]),
        Request("OPTIONS", "sip:a", [("X", "a\rEvil: b")]),
        Request("OPTIONS", "sip:a", [("X\r\nEvil", "a")]),
        Request("OPTIONS", "sip:a", [("bad name", "a")]),
        Request("OPTIONS", "sip:a SIP/2.0\r\nEvil: b"),
        Request("OPT\rIONS", "sip:a"),
        Request("OPTIONS", "sip:a", [("X", "\ud800")]),
        Response(200, "OK\r\nEvil: b"),
    ],
)
def test_a_line_end_cannot_be_written_into_a_head(request_: Request | Response) -> None:
    with pytest.raises(LocalError):
        request_.to_bytes()


@pytest.mark.parametrize("name", ["call_id", "cseq", "from_", "to", "top_via"])
def test_missing_headers_are_the_peers_fault(name: str) -> None:
    with pytest.raises(ParseError, match="header is missing"):
        getattr(Request("OPTIONS", "sip:a"), name)
