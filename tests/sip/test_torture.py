"""Every torture message of RFC 4475 and RFC 5118, answered as its index.json says.

Where the index leaves a choice ("400 or ignore extra SP"), the row says which
one is made here. Messages for a registrar are shown to one.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any, NamedTuple

import pytest
from torture import TORTURE, entries, octets

from sipua.errors import ParseError, PeerError
from sipua.sip.endpoint import Discarded, Endpoint, RequestReceived
from sipua.sip.framing import FramingError, StreamFramer
from sipua.sip.headers import NameAddr, Via, split_challenges
from sipua.sip.hop import Hop
from sipua.sip.inspection import Abilities, Refused, inspect
from sipua.sip.message import Request, Response, parse
from sipua.sip.uri import SipUri
from sipua.sip.wellformed import check

USER_AGENT = Abilities(
    methods=frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "MESSAGE"}),
    content_types=frozenset({"application/sdp", "multipart/mixed", "text/plain"}),
)
REGISTRAR = Abilities(methods=frozenset({"REGISTER", "OPTIONS"}))

PROCESS = 0  # neither refused nor discarded
DISCARD = -1


class Outcome(NamedTuple):
    """What the index's text comes to: PROCESS, DISCARD or the status answered."""

    action: str
    result: int
    shown_to: Abilities = USER_AGENT


RFC4475 = {
    "wsinv": Outcome("process", PROCESS),
    "intmeth": Outcome("501 (endpoint, with Allow)", 501),
    "esc01": Outcome("process", PROCESS),
    "escnull": Outcome("process", PROCESS, REGISTRAR),
    "esc02": Outcome("501 (unknown method, NOT REGISTER; 2 Contacts, not 3)", 501),
    "lwsdisp": Outcome(
        "process (strictly invalid per 3261 ABNF, RFC says elements should accept)", PROCESS
    ),
    "longreq": Outcome("process", PROCESS),
    "dblreq": Outcome("process REGISTER, ignore trailing octets", PROCESS, REGISTRAR),
    "semiuri": Outcome("user part = user;par=u@example.net", PROCESS),
    "transports": Outcome("process", PROCESS),
    "mpart01": Outcome("process (body has NUL octets)", PROCESS),
    "unreason": Outcome("process", PROCESS),
    "noreason": Outcome("process", PROCESS),
    "badinv01": Outcome("400", 400),
    "clerr": Outcome("400 over UDP", 400),
    "ncl": Outcome("error (400); close on TCP", 400),
    "scalar02": Outcome("400 (CSeq)", 400, REGISTRAR),
    "scalarlg": Outcome("response: silently discard", DISCARD),
    "quotbal": Outcome("400", 400),
    "ltgtruri": Outcome("400 (may be lenient)", 400),
    "lwsruri": Outcome("400", 400),
    "lwsstart": Outcome("400 or ignore extra SP", 400),
    "trws": Outcome("400 or ignore", 400),
    "escruri": Outcome("400 or ignore escaped headers", 400),
    "baddate": Outcome("may 400; better ignore Date", PROCESS),
    "regbadct": Outcome("400", 400, REGISTRAR),
    "badaspec": Outcome("400", 400),
    "baddn": Outcome("400", 400),
    "badvers": Outcome("505", 505),
    "mismatch01": Outcome("400", 400),
    "mismatch02": Outcome("501 (400 acceptable)", 501),
    "bigcode": Outcome("response: drop", DISCARD),
    "badbranch": Outcome("400 or RFC 2543 fallback", PROCESS),
    "insuf": Outcome("400", 400),
    "unkscm": Outcome("416", 416),
    "novelsc": Outcome("416 (or 404)", 416),
    "unksm2": Outcome("registrar: 400; UA: 405", 405),
    "bext01": Outcome("420 + Unsupported", 420),
    "invut": Outcome("415", 415),
    "regaut01": Outcome("UA: 405", 405),
    "multi01": Outcome("400", 400),
    "mcl01": Outcome("error (400); close on TCP", 400),
    "bcast": Outcome("endpoint discards (more than one Via)", DISCARD),
    "zeromf": Outcome("process (endpoint)", PROCESS),
    "cparam01": Outcome("unknownparam is a contact-param", PROCESS, REGISTRAR),
    "cparam02": Outcome("unknownparam is a URI param", PROCESS, REGISTRAR),
    "regescrt": Outcome("keep escaped Route in Contact URI", PROCESS, REGISTRAR),
    "sdp01": Outcome("406 (or 400)", 406),
    "inv2543": Outcome("accept for backward compatibility", PROCESS),
    "test": Outcome("400", 400),
}

RFC5118 = {
    "ipv6-good": Outcome("process", PROCESS, REGISTRAR),
    "ipv6-bad": Outcome("400", 400, REGISTRAR),
    "port-ambiguous": Outcome("well-formed; 5070 is part of the address", PROCESS, REGISTRAR),
    "port-unambiguous": Outcome("process", PROCESS, REGISTRAR),
    "via-received-param-with-delim": Outcome("strictly invalid, must be parsed", PROCESS),
    "via-received-param-no-delim": Outcome("process", PROCESS),
    "ipv6-in-sdp": Outcome("process", PROCESS),
    "mult-ip-in-header": Outcome("process", PROCESS),
    "mult-ip-in-sdp": Outcome("process", PROCESS),
    "ipv4-mapped-ipv6": Outcome("process", PROCESS),
    "ipv6-bug-abnf-3-colons": Outcome("must tolerate extra colon [2001:db8:::192.0.2.1]", PROCESS),
    "ipv6-correct-abnf-2-colons": Outcome("process", PROCESS),
}


def result_of(data: bytes, abilities: Abilities) -> int:
    """What a UAS would answer, in the order it looks at things."""
    try:
        message = parse(data)
        if isinstance(message, Request):
            inspect(message, abilities)
        else:
            check(message)
            if len(message.headers.values("Via")) > 1:
                return DISCARD
    except PeerError as error:
        return DISCARD if data.startswith(b"SIP/2.0 ") else error.status
    return PROCESS


@pytest.mark.parametrize("rfc", ["rfc4475", "rfc5118"])
def test_the_table_has_a_row_for_every_message(rfc: str) -> None:
    table = {"rfc4475": RFC4475, "rfc5118": RFC5118}[rfc]
    assert {entry["name"]: entry["ua_action"] for entry in entries(rfc)} == {
        name: outcome.action for name, outcome in table.items()
    }


@pytest.mark.parametrize("rfc", ["rfc4475", "rfc5118"])
def test_the_files_are_those_of_the_archive(rfc: str) -> None:
    for entry in entries(rfc):
        data = (TORTURE / rfc / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        if "sha256_crlf" in entry:
            data = octets(rfc, entry["name"])
            assert hashlib.sha256(data).hexdigest() == entry["sha256_crlf"]


@pytest.mark.parametrize("name", RFC4475)
def test_rfc4475(name: str) -> None:
    outcome = RFC4475[name]
    assert result_of(octets("rfc4475", name), outcome.shown_to) == outcome.result


@pytest.mark.parametrize("name", RFC5118)
def test_rfc5118(name: str) -> None:
    outcome = RFC5118[name]
    assert result_of(octets("rfc5118", name), outcome.shown_to) == outcome.result


@pytest.mark.parametrize(
    ("rfc", "name"),
    [("rfc4475", name) for name in RFC4475] + [("rfc5118", name) for name in RFC5118],
)
def test_an_endpoint_passes_answers_or_drops_it(rfc: str, name: str) -> None:
    """The transaction layer refuses what is malformed; 405, 415 and their like are its user's."""
    outcome = (RFC4475 if rfc == "rfc4475" else RFC5118)[name]
    data = octets(rfc, name)
    endpoint = Endpoint(random.Random(1))
    endpoint.receive(data, Hop("UDP", "192.0.2.254", 5999), 0.0)
    events = endpoint.take_events()
    answers = [parse(answer) for answer, _ in endpoint.take_outgoing()]
    assert len(events) == 1
    if outcome.result in (400, 505):
        assert isinstance(events[0], Discarded)
        expected = [] if name == "test" else [outcome.result]  # it has neither Via nor CSeq
        assert [answer.status for answer in answers if isinstance(answer, Response)] == expected
    elif data.startswith(b"SIP/2.0 "):
        assert isinstance(events[0], Discarded)  # nothing was asked
        assert not answers
    else:
        assert isinstance(events[0], RequestReceived)
        assert not answers


@pytest.mark.parametrize("name", ["ncl", "mcl01", "inv2543"])
def test_a_stream_cannot_go_on_after_a_length_that_means_nothing(name: str) -> None:
    framer = StreamFramer()
    with pytest.raises(FramingError):
        framer.feed(octets("rfc4475", name))
    with pytest.raises(FramingError):
        framer.feed(octets("rfc4475", "zeromf"))


def test_a_session_description_may_be_miscounted_but_not_cut() -> None:
    """The archive's ipv6-in-sdp announces 268 octets and brings 251, all of it whole lines."""
    miscounted = octets("rfc5118", "ipv6-in-sdp")
    assert len(parse(miscounted).body) == 251
    for spoilt in (
        miscounted[:-1],
        miscounted.replace(b"Content-Length: 268", b"Content-Length: 284"),
        miscounted.replace(b"application/sdp", b"application/abc"),
    ):
        with pytest.raises(ParseError, match="octets follow") as caught:
            parse(spoilt)
        assert caught.value.status == 400


@pytest.mark.parametrize("entry", entries("rfc5118"), ids=lambda entry: str(entry["name"]))
def test_bare_line_feeds_of_the_rfc5118_archive_are_read_alike(entry: dict[str, Any]) -> None:
    """Two of them announce more octets than they have with line ends of one octet."""
    archived = (TORTURE / "rfc5118" / entry["file"]).read_bytes()
    assert parse(archived).headers == parse(octets("rfc5118", entry["name"])).headers


# What the RFCs say of single messages beyond their being taken or not


def request(rfc: str, name: str) -> Request:
    message = parse(octets(rfc, name))
    assert isinstance(message, Request)
    return message


def refusal(name: str, abilities: Abilities = USER_AGENT) -> Refused:
    with pytest.raises(Refused) as caught:
        inspect(request("rfc4475", name), abilities)
    return caught.value


def test_wsinv_is_read_through_all_its_white_space() -> None:
    message = request("rfc4475", "wsinv")
    assert message.to.tag == "1918181833n"
    assert message.to.uri == "sip:vivekg@chair-dnrc.example.com"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert str(message.cseq) == "9 INVITE"
    assert message.headers.get("Max-Forwards") == "0068"
    vias = [Via.parse(via) for via in message.headers.values("Via")]
    assert [(via.transport, via.host, via.branch) for via in vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    contact = NameAddr.parse(message.headers.values("Contact")[0])
    assert contact.display_name == 'Quoted string ""'
    assert contact.params.items == [("newparam", "newvalue"), ("secondparam", None), ("q", "0.33")]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert len(message.body) == 150


def test_intmeth_keeps_every_odd_character() -> None:
    message = request("rfc4475", "intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    uri = SipUri.parse(message.uri)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert uri.host == "example.com"
    assert message.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.params.get("fromParam''~+*_!.-%") == "работающий"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    assert ("Allow", "ACK, BYE, CANCEL, INVITE, MESSAGE, OPTIONS") in refusal("intmeth").headers


def test_esc01_escapes_are_decoded_only_when_asked() -> None:
    message = request("rfc4475", "esc01")
    uri = SipUri.parse(message.uri)
    assert uri.user == "sips%3Auser%40example.com"
    assert uri.user_text == "sips:user@example.com"
    contact = NameAddr.parse(message.headers.values("Contact")[0]).sip_uri()
    assert contact.user_text == "caller"
    assert contact.parameter("lr") == ""
    assert contact.parameter("name") == "value%41"


def test_escnull_and_esc02() -> None:
    contacts = request("rfc4475", "escnull").headers.values("Contact")
    assert [NameAddr.parse(contact).sip_uri().user_text for contact in contacts] == ["\0", "\0\0"]
    message = request("rfc4475", "esc02")
    assert message.method == "RE%47IST%45R"
    assert len(message.headers.values("Contact")) == 2
    assert message.headers.get("c%6fntact") == "<sip:alias2@host2.example.com>"
    assert message.to.display_name == "%Z%45"


def test_dblreq_is_one_register_without_a_body() -> None:
    message = request("rfc4475", "dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")


def test_semiuri_and_parameters_of_contacts() -> None:
    assert SipUri.parse(request("rfc4475", "semiuri").uri).user_text == "user;par=u@example.net"
    contact = NameAddr.parse(request("rfc4475", "cparam01").headers.values("Contact")[0])
    assert "unknownparam" in contact.params
    assert contact.uri == "sip:+19725552222@gw1.example.net"
    contact = NameAddr.parse(request("rfc4475", "cparam02").headers.values("Contact")[0])
    assert contact.sip_uri().parameter("unknownparam") == ""
    assert not contact.params.items
    contact = NameAddr.parse(request("rfc4475", "regescrt").headers.values("Contact")[0])
    assert contact.sip_uri().headers == "Route=%3Csip:sip.example.com%3E"


def test_reason_phrases() -> None:
    unusual = parse(octets("rfc4475", "unreason"))
    assert isinstance(unusual, Response)
    assert unusual.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"
    empty = parse(octets("rfc4475", "noreason"))
    assert isinstance(empty, Response)
    assert (empty.status, empty.reason) == (100, "")


def test_mpart01_keeps_its_binary_body() -> None:
    message = request("rfc4475", "mpart01")
    assert len(message.body) == 553
    assert b"\0" in message.body
    assert message.to_bytes() == octets("rfc4475", "mpart01")


def test_refusals_say_what_would_do() -> None:
    assert refusal("bext01").headers == [
        ("Unsupported", "nothingSupportsThis, nothingSupportsThisEither")
    ]
    assert refusal("invut").headers == [("Accept", "application/sdp, multipart/mixed, text/plain")]
    assert refusal("regaut01").headers == [("Allow", "ACK, BYE, CANCEL, INVITE, MESSAGE, OPTIONS")]
    assert refusal("unksm2", REGISTRAR).status == 400
    scheme = split_challenges(request("rfc4475", "regaut01").headers.get("Authorization") or "")
    assert scheme[0].scheme == "NoOneKnowsThisScheme"
    assert scheme[0].get("opaque-data") == "here"


def test_ipv6_hosts() -> None:
    assert SipUri.parse(request("rfc5118", "port-ambiguous").uri).host == "2001:db8::10:5070"
    assert SipUri.parse(request("rfc5118", "port-ambiguous").uri).port is None
    assert SipUri.parse(request("rfc5118", "port-unambiguous").uri).port == 5070
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        via = request("rfc5118", name).top_via
        assert (via.host, via.received) == ("2001:db8::9:1", "2001:db8::9:255")
    assert request("rfc5118", "ipv6-bug-abnf-3-colons").to.sip_uri().host == (
        "2001:db8:::192.0.2.1"
    )
    mixed = [Via.parse(via) for via in request("rfc5118", "mult-ip-in-header").headers.values("v")]
    assert [via.host for via in mixed] == ["2001:db8::9:1", "192.0.2.1", "2001:db8::9:255"]
    assert mixed[2].received == "192.0.2.200"
    assert request("rfc5118", "ipv4-mapped-ipv6").top_via.sent_by == ("::ffff:192.0.2.10", 19823)
