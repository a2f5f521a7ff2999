"""What a UAS checks beyond the torture messages (RFC 3261 §8.2)."""

from __future__ import annotations

import pytest

from sipua.errors import ParseError, PeerError
from sipua.sip.hop import Hop
from sipua.sip.inspection import Abilities, Refused, inspect
from sipua.sip.message import Request, Response
from sipua.sip.wellformed import CHECKS, check

ABILITIES = Abilities(
    methods=frozenset({"INVITE", "MESSAGE", "CANCEL"}),
    extensions=frozenset({"sec-agree"}),
    content_types=frozenset({"text/plain"}),
)


def request(*more: tuple[str, str], method: str = "MESSAGE", body: bytes = b"") -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"),
        ("Call-ID", "1"), ("CSeq", f"1 {method}"), *more,
    ]  # fmt: skip
    return Request(method, "sip:c@d", headers, body)


TEXT = ("Content-Type", "Text / Plain ;charset=utf-8")


@pytest.mark.parametrize(
    "message",
    [
        request(),
        request(TEXT, body=b"hello"),
        request(TEXT, ("Content-Encoding", "identity"), body=b"hello"),
        request(
            ("Content-Type", "x/y"), ("Content-Disposition", "z; handling = optional"), body=b"1"
        ),
        request(("Content-Type", "x/y")),
        request(("Require", "SEC-agree")),
        request(("Require", "")),
        request(("Require", "unknown"), method="CANCEL"),
        request(("Accept", "x/y")),
        request(("Accept", "application/*;q=0.5, x/y"), method="INVITE"),
        request(("Accept", "*/*"), method="INVITE"),
        request(("Date", "yesterday"), ("X-Any", ";;,,")),
    ],
)
def test_taken(message: Request) -> None:
    inspect(message, ABILITIES)


@pytest.mark.parametrize(
    ("message", "status", "headers"),
    [
        (request(body=b"hello"), 400, []),
        (request(TEXT, ("e", "gzip"), body=b"1"), 415, [("Accept-Encoding", "identity")]),
        (request(("c", "x/y"), body=b"1"), 415, [("Accept", "text/plain")]),
        (
            request(("c", "x/y"), ("Content-Disposition", "z;handling=required"), body=b"1"),
            415, [("Accept", "text/plain")],
        ),
        (request(("Require", "path, sec-agree, x")), 420, [("Unsupported", "path, x")]),
        (request(method="PUBLISH"), 405, [("Allow", "CANCEL, INVITE, MESSAGE")]),
        (request(method="publish"), 501, [("Allow", "CANCEL, INVITE, MESSAGE")]),
        (request(("Accept", "text/*"), method="INVITE"), 406, []),
        (request(("Accept", ""), method="INVITE"), 406, []),
    ],
)  # fmt: skip
def test_refused(message: Request, status: int, headers: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as caught:
        inspect(message, ABILITIES)
    assert (caught.value.status, caught.value.headers) == (status, headers)


def test_the_order_is_that_of_section_8_2() -> None:
    everything_wrong = [("Require", "x"), ("Content-Type", "x/y"), ("Accept", "x/y")]
    wrong = request(*everything_wrong, ("Expires", "soon"), method="PUBLISH", body=b"1")
    seen = []
    for repair in ("Expires", "method", "uri", "Require", "Content-Type", "Accept"):
        wrong.uri = "sip:c@d" if repair in ("Require", "Content-Type", "Accept") else "x:y"
        with pytest.raises(PeerError) as caught:
            inspect(wrong, ABILITIES)
        seen.append(caught.value.status)
        if repair == "method":
            wrong.method = "INVITE"
            wrong.headers.set("CSeq", "1 INVITE")
        elif repair != "uri":
            wrong.headers.remove(repair)
        if repair == "Content-Type":
            wrong.body = b""
    assert seen == [400, 405, 416, 420, 415, 406]
    inspect(wrong, ABILITIES)


VECTORS: dict[str, tuple[list[str], list[str]]] = {
    "accept": (["a/b", "*/*;q=0.1", ""], ["a", "a/", "/b", "a/b;"]),
    "authentication-info": (['qop=auth, rspauth="0"'], ["x"]),
    "authorization": (['Digest a="b"'], ['Digest a="b']),
    "call-id": (["a@b", "<>"], ["a b"]),
    "contact": (["*", "<sip:a>", "sip:a"], ["**", "<sip:a"]),
    "content-type": (["a/b", 'a/b;c="d"', "a / b"], ["a", "a/b/c"]),
    "cseq": (["1 A"], ["1", "A 1"]),
    "expires": (["0", "4294967295"], ["-1", "4294967296"]),
    "from": (["sip:a;tag=1"], ["a"]),
    "max-forwards": (["0", "0068", "255"], ["256", "-1", "x"]),
    "min-expires": (["60"], ["x"]),
    "path": (["<sip:a;lr>"], ["<sip:a"]),
    "proxy-authenticate": (["Basic realm=x"], ["="]),
    "proxy-authorization": (["Basic eA=="], ["="]),
    "record-route": (["<sip:a;lr>"], ["x"]),
    "retry-after": (["5", "5 (later)", "5;duration=10"], ["soon", "949302838503028349304023988"]),
    "route": (["<sip:a;lr>"], ["<sip:a b>"]),
    "service-route": (["<sip:a;lr>"], [""]),
    "to": (['"A" <sip:a>'], ['"A <sip:a>']),
    "via": (["SIP/2.0/UDP a"], ["SIP/3.0/UDP a", "a"]),
    "www-authenticate": (["Digest realm=x, Basic realm=y"], [","]),
}


def test_every_header_that_is_checked_has_its_vectors() -> None:
    assert VECTORS.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", VECTORS)
def test_header_vectors(name: str) -> None:
    good, bad = VECTORS[name]
    for value in good:
        CHECKS[name](value)
    for value in bad:
        with pytest.raises(ParseError) as caught:
            CHECKS[name](value)
        assert caught.value.status == 400


def test_responses_are_checked_too() -> None:
    headers = list(request().headers)
    check(Response(200, "", headers))
    with pytest.raises(ParseError, match="via"):
        check(Response(200, "", headers[1:]))
    with pytest.raises(ParseError):
        check(Response(503, "", [*headers, ("Retry-After", "x")]))


def test_hops_are_shown_for_people() -> None:
    assert str(Hop("UDP", "192.0.2.1", 5060)) == "udp:192.0.2.1:5060"
    assert str(Hop("TLS", "2001:db8::1", 5061, ("::1", 1))) == "tls:[2001:db8::1]:5061"
