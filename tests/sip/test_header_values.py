"""Typed header values and URIs against what is good and what is bad in them."""

from __future__ import annotations

import pytest

from sipua.errors import ParseError
from sipua.sip.grammar import end_of_quoted, quote, split, unquote
from sipua.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    parse_delta_seconds,
    split_auth_params,
    split_challenges,
)
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri, check_uri, unescape

# Via


@pytest.mark.parametrize(
    ("text", "transport", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "UDP", "192.0.2.1", None, "z9hG4bK1"),
        ("SIP/2.0/TLS a.example:5061", "TLS", "a.example", 5061, ""),
        ("SIP / 2.0 / TCP   a : 5060 ; branch = x", "TCP", "a", 5060, "x"),
        ("SIP/2.0/UDP\t[2001:db8::1]:5060;branch=x", "UDP", "2001:db8::1", 5060, "x"),
        ("sip/2.0/udp [::ffff:192.0.2.1]", "udp", "::ffff:192.0.2.1", None, ""),
        ("SIP/2.0/UDP kamailio_1:4060", "UDP", "kamailio_1", 4060, ""),
    ],
)
def test_via(text: str, transport: str, host: str, port: int | None, branch: str) -> None:
    via = Via.parse(text)
    assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, branch)
    again = Via.parse(str(via))
    assert (again.transport, again.sent_by, str(again)) == (via.transport, via.sent_by, str(via))


def test_via_defaults_and_parameters() -> None:
    assert Via.parse("SIP/2.0/UDP A.Example").sent_by == ("a.example", 5060)
    assert Via.parse("SIP/2.0/TLS a").sent_by == ("a", 5061)
    via = Via.parse("SIP/2.0/UDP a;rport;received=[2001:db8::1];Branch=x;ttl=1")
    assert via.received == "2001:db8::1"
    assert via.branch == "x"
    assert via.params.get("RPORT") == ""
    assert via.params.get("maddr") is None
    assert Via.parse("SIP/2.0/UDP a").received is None


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0/UDP", "SIP/2.0 a", "SIP/2.0/UDP a;", "SIP/2.0/UDP a;;b", "HTTP/2.0/UDP a",
        "SIP/2.0/UDP 2001:db8::1", "SIP/2.0/UDP [2001:db8::1", "SIP/2.0/UDP [g::1]",
        "SIP/2.0/UDP [1]", "SIP/2.0/UDP [::1]x", "SIP/2.0/UDP a:b", "SIP/2.0/UDP a:70000",
        "SIP/2.0/UDP a:", "SIP/2.0/UDP a b", "SIP/2.0/UDP a;b c", "SIP/2.0/UDP a;b=c d",
        "SIP/2.0/U(P a", "SIP/2.0/UDP/x a", 'SIP/2.0/UDP a;b="c', 'SIP/2.0/UDP a;b="c"d',
        "SIP/2.0/UDP a;b=<c>",
    ],
)  # fmt: skip
def test_bad_via(text: str) -> None:
    with pytest.raises(ParseError):
        Via.parse(text)


# From, To, Contact, Route


@pytest.mark.parametrize(
    ("text", "name", "uri", "params"),
    [
        ("sip:a@b", "", "sip:a@b", []),
        ("sip:a@b;tag=1", "", "sip:a@b", [("tag", "1")]),
        ("<sip:a@b;lr>;tag=1", "", "sip:a@b;lr", [("tag", "1")]),
        ("<sip:a@b?Route=%3Csip:c%3E>", "", "sip:a@b?Route=%3Csip:c%3E", []),
        ("Bob <sip:a@b>", "Bob", "sip:a@b", []),
        ("Bob B. Builder<sip:a@b> ; x", "Bob B. Builder", "sip:a@b", [("x", None)]),
        ('"B\\"o<b>, \\\\" <sip:a@b>;q=0.5', 'B"o<b>, \\', "sip:a@b", [("q", "0.5")]),
        ('""<tel:+123>', "", "tel:+123", []),
        ("Zoë <sip:a@b>", "Zoë", "sip:a@b", []),
        ('<sip:a@b>;x="a;b,c>"', "", "sip:a@b", [("x", '"a;b,c>"')]),
        ("<sips:[2001:db8::1]:5061>", "", "sips:[2001:db8::1]:5061", []),
        ("urn:service:sos", "", "urn:service:sos", []),
        (
            '<sip:a@b>;+sip.instance="<urn:gsma:imei:1>";+g.3gpp.smsip', "", "sip:a@b",
            [("+sip.instance", '"<urn:gsma:imei:1>"'), ("+g.3gpp.smsip", None)],
        ),
    ],
)  # fmt: skip
def test_name_addr(text: str, name: str, uri: str, params: list[tuple[str, str | None]]) -> None:
    address = NameAddr.parse(text)
    assert (address.display_name, address.uri, address.params.items) == (name, uri, params)
    again = NameAddr.parse(str(address))
    assert (again.display_name, again.uri, again.params) == (name, uri, address.params)


@pytest.mark.parametrize(
    "text",
    [
        "", "a@b", "<>", "<a@b>", "<sip:>", "<sip:a@b", "sip:a@b>", "< sip:a@b>", "<sip:a@b >",
        "<sip:a b@c>", '"Bob <sip:a@b>', '"Bob" sip:a@b', '"Bob" x <sip:a@b>', "A, B <sip:a@b>",
        "<sip:a@b> x", "<sip:a@b>;", "<sip:a@b>;;x", "sip:a@b?x=y", "sip:a,b@c", "<<sip:a@b>>",
        '<sip:a@b>;x="y', "<sip:a@b>;x=y z", "<sip:a@b>;=y",
    ],
)  # fmt: skip
def test_bad_name_addr(text: str) -> None:
    with pytest.raises(ParseError):
        NameAddr.parse(text)


def test_a_tag_is_found_in_any_case() -> None:
    assert NameAddr.parse("<sip:a@b>;TAG=x").tag == "x"
    assert NameAddr.parse("<sip:a@b>").tag is None


# CSeq and numbers


def test_cseq() -> None:
    cseq = CSeq.parse(" 0009   INVITE ")
    assert (cseq.number, cseq.method, str(cseq)) == (9, "INVITE", "9 INVITE")
    assert CSeq.parse(f"{2**31 - 1} X").number == 2**31 - 1


@pytest.mark.parametrize(
    "text",
    ["", "1", "INVITE", "1 2 3", "-1 A", "x A", "2147483648 A", "9" * 5000 + " A", "1 A(", "٣ A"],
)
def test_bad_cseq(text: str) -> None:
    with pytest.raises(ParseError):
        CSeq.parse(text)


def test_delta_seconds() -> None:
    assert parse_delta_seconds("0000003600") == 3600
    assert parse_delta_seconds(str(2**32 - 1)) == 2**32 - 1
    for text in ("", "-1", "1.5", "1h", str(2**32), "9" * 10000):
        with pytest.raises(ParseError):
            parse_delta_seconds(text)


# Parameters, quoting, splitting


def test_parameters_keep_order_and_text() -> None:
    params = Parameters.parse('a=1; B = "x;y" ;c')
    assert params.items == [("a", "1"), ("B", '"x;y"'), ("c", None)]
    assert (params.get("b"), params.get("C"), params.get("d")) == ("x;y", "", None)
    params.set("A", "2")
    params.set("d", None)
    assert str(params) == ';a=2;B="x;y";c;d'
    assert "D" in params


@pytest.mark.parametrize("text", ["", "plain", 'with "quotes"', "back\\slash", '\\"', "é, <x>;y"])
def test_quoting_there_and_back(text: str) -> None:
    quoted = quote(text)
    assert unquote(quoted) == text
    assert end_of_quoted(quoted + "tail", 0) == len(quoted)


def test_unquote_leaves_other_text_alone() -> None:
    for text in ("", '"', "token", '"half', 'half"'):
        assert unquote(text) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a", ["a"]),
        (" a , b ,", ["a", "b", ""]),
        ('"a,b",c', ['"a,b"', "c"]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
        ("<a,b>,c", ["<a,b>", "c"]),
        ('"<",c>,d', ['"<"', "c>", "d"]),
        ('<">,c', ['<">', "c"]),
        ("<a,b", ["<a,b"]),
        ('a,"b",<c,d>,"e,\\\\",f', ["a", '"b"', "<c,d>", '"e,\\\\"', "f"]),
    ],
)
def test_split(text: str, parts: list[str]) -> None:
    assert split(text, ",") == parts


def test_split_does_not_close_quotes_by_itself() -> None:
    with pytest.raises(ParseError, match="not closed"):
        split('"a,b', ",")


# Challenges and credentials


def test_one_challenge() -> None:
    (challenge,) = split_challenges(
        'Digest realm="ims.example", nonce="a+b/c==", algorithm=AKAv1-MD5,'
        'ck="00",QOP="auth,auth-int" , opaque = "x\\"y" , stale=FALSE'
    )
    assert challenge.scheme == "Digest"
    assert list(challenge.params.items()) == [
        ("realm", "ims.example"), ("nonce", "a+b/c=="), ("algorithm", "AKAv1-MD5"), ("ck", "00"),
        ("qop", "auth,auth-int"), ("opaque", 'x"y'), ("stale", "FALSE"),
    ]  # fmt: skip
    assert challenge.get("Qop") == "auth,auth-int"
    assert challenge.get("missing") is None
    assert "Stale" in challenge
    assert "00" not in repr(challenge)


def test_of_two_parameters_with_one_name_the_first_counts() -> None:
    (challenge,) = split_challenges('Digest nonce="a", Nonce=b')
    assert challenge.params == {"nonce": "a"}


def test_several_challenges_in_one_value() -> None:
    found = split_challenges(
        'Digest realm="a, Basic b", nonce=1, Basic realm="b",Negotiate, Digest realm=c,'
        "Bearer abc==, Newer, Last abc"
    )
    assert [(challenge.scheme, challenge.params) for challenge in found] == [
        ("Digest", {"realm": "a, Basic b", "nonce": "1"}),
        ("Basic", {"realm": "b"}),
        ("Negotiate", {}),
        ("Digest", {"realm": "c"}),
        ("Bearer", {"abc": "="}),
        ("Newer", {}),
        ("Last", {"abc": ""}),
    ]


@pytest.mark.parametrize(
    "value",
    ["", ",", "=", 'realm="x"', 'Digest realm="x', 'Digest realm="x"y', "Dig(st realm=x",
     "Digest a b=c", "Digest (=c", "Digest realm=x, a b c", "\x0b", "a\x0bb=c"],
)  # fmt: skip
def test_bad_challenges(value: str) -> None:
    with pytest.raises(ParseError):
        split_challenges(value)


def test_authentication_info() -> None:
    info = split_auth_params('nextnonce="a,b", qop=auth , rspauth="00",, nc=00000001')
    assert info.params == {
        "nextnonce": "a,b", "qop": "auth", "rspauth": "00", "nc": "00000001",
    }  # fmt: skip
    for value in ("a", 'a="', "(=1"):
        with pytest.raises(ParseError):
            split_auth_params(value)


# URIs


@pytest.mark.parametrize(
    "text",
    [
        "sip:a", "sip:a@b", "sips:a:pw@b:5061", "sip:a@b;lr;x=1?h=1&i=2", "sip:a:@b",
        "sip:[2001:db8::1]", "sip:a@[::1]:5060;transport=tcp", "sip:+1(2)3;ext=4@b;user=phone",
        "sip:%00@b", "sip:a?b@c",
    ],
)  # fmt: skip
def test_uris_come_back_unchanged(text: str) -> None:
    assert str(SipUri.parse(text)) == text


def test_parts_of_a_uri() -> None:
    uri = SipUri.parse("SIPS:a%40;x=1:p@B.example:5070;Transport=tls;lr;m=%41?Subject=x")
    assert (uri.scheme, uri.user, uri.user_text, uri.password) == (
        "sips",
        "a%40;x=1",
        "a@;x=1",
        "p",
    )
    assert (uri.host, uri.port, uri.headers) == ("B.example", 5070, "Subject=x")
    assert uri.parameter("transport") == "tls"
    assert uri.parameter("lr") == ""
    assert uri.parameter("M") == "A"
    assert uri.parameter("user") is None


@pytest.mark.parametrize(
    "text",
    [
        "sip:", "sip:a@", "sip:@b", "sip: a@b", "sip:a@b c", "sip:a@b;", "sip:a@b;=1",
        "sip:a@b;x y", "sip:a@@b", "sip:a<b@c", 'sip:a"b@c', "sip:%4@b", "sip:%zz@b", "sip:a@b?",
        "sip:a@b?x y", "sip:a@2001:db8::1", "sip:2001:db8::10", "sip:[::1", "sip:a@b:99999",
        "sip:a@b;x=<y>", "sip:é@b", "sip:a\0@b",
    ],
)  # fmt: skip
def test_bad_uris(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        check_uri(text)
    assert caught.value.status == 400


def test_other_schemes() -> None:
    for text in ("tel:+123", "urn:service:sos", "http://a/b?c#d", "name:John_Smith"):
        check_uri(text)
        with pytest.raises(ParseError) as caught:
            SipUri.parse(text)
        assert caught.value.status == 416
    for text in ("", "tel", "tel:", ":x", "1tel:x", "t l:x", "tel:a b", "tel:<x>"):
        with pytest.raises(ParseError):
            check_uri(text)


def test_unescape() -> None:
    assert unescape("a%41%c3%a9%") == "aAé%"
    assert unescape("%zz%4") == "%zz%4"
    assert unescape("%ff").encode("utf-8", "surrogateescape") == b"\xff"
