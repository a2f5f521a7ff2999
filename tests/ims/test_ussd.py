"""USSD over a call, the network played by the test."""

from __future__ import annotations

import random
from typing import TypeVar

import pytest
from registrar_by_hand import IMPI, RES, challenge

from sipua.auth.schemes import aka
from sipua.errors import LocalError, ParseError
from sipua.ims import multipart, ussd_data
from sipua.ims.call_events import CallEnded, Cause, InfoReceived
from sipua.ims.call_settings import CallSettings
from sipua.ims.events import AuthenticationRequired, Event
from sipua.ims.ussd import Ussd, dial_string
from sipua.ims.ussd_data import CONTENT_TYPE, NOTIFY, REQUEST, UssdData
from sipua.ims.ussd_dialogue import (
    TRANSITIONS,
    UssdNews,
    UssdQuestion,
    UssdResult,
    UssdState,
    UssdUnreadable,
)
from sipua.sip import sdp
from sipua.sip.dialog import Dialog
from sipua.sip.message import Request, Response
from sipua.sip.offer_answer import LocalMedia
from sipua.sip.response import create_response

DOMAIN = "home1.net"
SETTINGS = CallSettings(IMPI, f"sip:{IMPI}", "sip:user@192.0.2.7", LocalMedia("192.0.2.7", 4000))

METASWITCH = b"""<?xml version="1.0" encoding="UTF-8"?>
<ussd-data>
    <language>en</language>
    <ussd-string>
        Hello, your credit is $175.50. Thanks for your query.
        We are happy to assist. Your operator
    </ussd-string>
</ussd-data>
"""

E = TypeVar("E", bound=Event)


class Gateway:
    """Somebody dials a code; the test is the network."""

    def __init__(self, code: str = "*100#") -> None:
        self.ussd = Ussd(SETTINGS, code, DOMAIN, random.Random(4))
        self.now = 1000.0
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self.events: list[Event] = []
        self.number = 0
        self.ussd.start(self.now)
        self.collect()
        self.invite = self.requests[0]

    def collect(self) -> None:
        self.ussd.take_acks()
        self.requests += self.ussd.take_requests()
        self.responses += [reply.response for reply in self.ussd.take_responses()]
        self.events += self.ussd.take_events()

    def respond(
        self, request: Request, status: int, content_type: str = "", body: bytes = b""
    ) -> Gateway:
        response = create_response(request, status, to_tag="gw")
        response.headers.add("Contact", "<sip:ussi@192.0.2.1>")
        if body:
            response.headers.add("Content-Type", content_type)
            response.body = body
        self.ussd.response_received(response, self.now)
        self.collect()
        return self

    def description(self) -> bytes:
        """An answer to the offer in the INVITE: no voice either."""
        lines = self.bodies()[sdp.CONTENT_TYPE].decode().replace("192.0.2.7", "192.0.2.1")
        return "".join(
            line for line in lines.splitlines(keepends=True) if not line.startswith("a=")
        ).encode()

    def bodies(self) -> dict[str, bytes]:
        parts = multipart.split(self.invite.headers.get("Content-Type") or "", self.invite.body)
        return {part.media_type: part.body for part in parts}

    def taken(self) -> Gateway:
        return self.respond(self.invite, 200, sdp.CONTENT_TYPE, self.description())

    def say(self, method: str, body: bytes = b"", content_type: str = CONTENT_TYPE) -> Gateway:
        """A request of the network's inside the dialog."""
        self.number += 1
        asked = self.invite.headers
        headers = [
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("From", f"{asked.get('To')};tag=gw"),
            ("To", asked.get("From") or ""),
            ("Call-ID", asked.get("Call-ID") or ""),
            ("CSeq", f"{self.number} {method}"),
            *([("Content-Type", content_type)] if body else []),
            *([("Info-Package", "g.3gpp.ussd")] if method == "INFO" else []),
        ]
        request = Request(method, "sip:user@192.0.2.7", headers, body)
        assert self.ussd.owns(request)
        self.ussd.request_received(request, self.now)
        self.collect()
        assert self.responses[-1].status == 200
        return self

    def sent(self) -> UssdData:
        """What the last INFO carries, which is answered."""
        info = self.requests[-1]
        assert info.method == "INFO"
        assert info.headers.get("Info-Package") == "g.3gpp.ussd"
        assert info.headers.get("Content-Disposition") == "Info-Package"
        assert info.headers.get("Content-Type") == CONTENT_TYPE
        self.respond(info, 200)
        return ussd_data.parse(info.body)

    def event(self, kind: type[E]) -> E:
        """The last event of this kind."""
        return next(each for each in reversed(self.events) if isinstance(each, kind))


def test_what_the_invite_says() -> None:
    gateway = Gateway("*135#")
    invite = gateway.invite
    # TS 24.390 A.1
    assert invite.uri == "sip:*135%23;phone-context=home1.net@home1.net;user=dialstring"
    assert invite.headers.get("To") == f"<{invite.uri}>"
    assert invite.headers.get("Recv-Info") == "g.3gpp.ussd"
    assert CONTENT_TYPE in (invite.headers.get("Accept") or "")
    bodies = gateway.bodies()
    assert b"m=audio 0 RTP/AVP" in bodies[sdp.CONTENT_TYPE]
    assert ussd_data.parse(bodies[CONTENT_TYPE]) == UssdData("*135#", "en")
    assert invite.to_bytes().count(b"Content-Type:") == 3


def test_the_answer_comes_with_bye() -> None:
    gateway = Gateway().taken()
    assert gateway.ussd.ussd_state == UssdState.WAITING
    gateway.say("BYE", METASWITCH)
    result = gateway.event(UssdResult)
    assert result.text.startswith("Hello, your credit is $175.50. Thanks for your query.")
    assert result.text.endswith("Your operator")
    assert (result.language, result.error) == ("en", -1)
    ended = gateway.events[-1]
    assert isinstance(ended, CallEnded)
    assert ended.cause == Cause.PEER_HUNG_UP
    assert gateway.ussd.ussd_state == UssdState.DONE


def test_a_menu_is_gone_through() -> None:
    gateway = Gateway().taken()
    menu = UssdData("1 Credit\n2 Data", "en").to_bytes()
    gateway.say("INFO", menu)
    assert gateway.event(UssdQuestion).text == "1 Credit\n2 Data"
    assert not any(isinstance(event, InfoReceived) for event in gateway.events)
    gateway.ussd.answer_question("2", gateway.now)
    gateway.collect()
    assert gateway.sent() == UssdData("2", "en")
    gateway.say("INFO", UssdData("Which month?", "en", REQUEST).to_bytes())
    gateway.ussd.answer_question("11", gateway.now)
    gateway.collect()
    assert gateway.sent() == UssdData("11", "en", REQUEST)
    gateway.say("INFO", UssdData("A moment", "en", NOTIFY).to_bytes())
    assert gateway.event(UssdNews).text == "A moment"
    assert gateway.sent() == UssdData(operation=NOTIFY)
    assert gateway.ussd.ussd_state == UssdState.WAITING
    gateway.say("BYE", UssdData("3 GB", "en").to_bytes())
    assert gateway.event(UssdResult).text == "3 GB"


def test_an_answer_to_nothing() -> None:
    gateway = Gateway().taken()
    with pytest.raises(LocalError, match="waiting"):
        gateway.ussd.answer_question("2", gateway.now)
    gateway.say("INFO", UssdData("?").to_bytes())
    with pytest.raises(LocalError, match="characters"):
        gateway.ussd.answer_question("2" * 183, gateway.now)
    assert gateway.ussd.ussd_state == UssdState.ASKED


def test_the_network_reports_an_error() -> None:
    gateway = Gateway().taken().say("BYE", UssdData(error=1).to_bytes())
    assert gateway.event(UssdResult).error == 1


def test_a_2xx_without_a_description() -> None:
    gateway = Gateway().respond(Gateway().invite, 180)
    gateway = Gateway()
    gateway.respond(gateway.invite, 200)
    assert gateway.ussd.ussd_state == UssdState.WAITING
    gateway.say("BYE")
    assert not any(isinstance(event, UssdResult) for event in gateway.events)
    gateway.event(CallEnded)


@pytest.mark.parametrize("together", [True, False])
def test_a_2xx_with_the_result(together: bool) -> None:
    gateway = Gateway()
    body = UssdData("Balance: 10", "en").to_bytes()
    content_type = CONTENT_TYPE
    if together:
        parts = [
            multipart.Part(sdp.CONTENT_TYPE, gateway.description()),
            multipart.Part(CONTENT_TYPE, body),
        ]
        content_type, body = multipart.build(parts, "x")
    for _ in range(2):  # the 2xx comes again when our ACK is lost
        gateway.respond(gateway.invite, 200, content_type, body)
    results = [event for event in gateway.events if isinstance(event, UssdResult)]
    assert [result.text for result in results] == ["Balance: 10"]


@pytest.mark.parametrize("body", [b"<ussd-data>", b"<other/>", b"<!DOCTYPE ussd-data><ussd-data/>"])
def test_what_cannot_be_read(body: bytes) -> None:
    gateway = Gateway().taken().say("INFO", body)
    gateway.event(UssdUnreadable)
    assert gateway.sent() == UssdData(error=1)
    gateway.events.clear()
    gateway.say("BYE", body)
    gateway.event(UssdUnreadable)
    gateway.event(CallEnded)


def test_a_2xx_that_cannot_be_read() -> None:
    gateway = Gateway()
    gateway.respond(gateway.invite, 200, CONTENT_TYPE, b"<")
    gateway.event(UssdUnreadable)
    gateway = Gateway()
    gateway.respond(gateway.invite, 200, "multipart/mixed", b"?")
    assert gateway.ussd.ussd_state == UssdState.WAITING


def test_other_infos_are_passed_on() -> None:
    gateway = Gateway().taken().say("INFO", b"Signal=5", "application/dtmf-relay")
    assert gateway.event(InfoReceived).body == b"Signal=5"
    body = multipart.build([multipart.Part("text/plain", b"x")], "x")
    gateway.say("INFO", body[1], body[0])
    assert gateway.ussd.ussd_state == UssdState.WAITING


def test_the_network_refuses() -> None:
    gateway = Gateway()
    gateway.respond(gateway.invite, 404)
    ended = gateway.event(CallEnded)
    assert (ended.cause, ended.status) == (Cause.REFUSED, 404)
    assert gateway.ussd.ussd_state == UssdState.DONE


def test_the_user_gives_up() -> None:
    gateway = Gateway().taken()
    gateway.say("INFO", UssdData("?").to_bytes())
    gateway.ussd.hang_up(gateway.now)
    gateway.collect()
    assert gateway.requests[-1].method == "BYE"
    gateway.respond(gateway.requests[-1], 200)
    assert gateway.event(CallEnded).cause == Cause.HUNG_UP
    assert gateway.ussd.ussd_state == UssdState.DONE


def test_the_invite_is_challenged() -> None:
    gateway = Gateway()
    response = create_response(gateway.invite, 407, to_tag="p")
    value = aka.write_challenge(challenge(0, header="Proxy-Authenticate"))
    response.headers.add("Proxy-Authenticate", value)
    gateway.ussd.response_received(response, gateway.now)
    gateway.collect()
    gateway.event(AuthenticationRequired)
    gateway.ussd.card_answered(RES, gateway.now)
    gateway.collect()
    again = gateway.requests[-1]
    assert again.headers.get("Proxy-Authorization")
    assert again.body == gateway.invite.body
    gateway.invite = again
    gateway.taken().say("BYE", METASWITCH)
    gateway.event(UssdResult)


@pytest.mark.parametrize("code", ["", "hello", "sip:x", "*100# ;x", "1" * 183])
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(LocalError):
        dial_string(code, DOMAIN)


def test_every_row_names_its_action_and_rule() -> None:
    for row in TRANSITIONS.values():
        assert callable(getattr(Ussd, f"_{row.action}"))
        assert row.rule.startswith("TS 24.390 §")


# Documents ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        UssdData("*100#", "en"),
        UssdData("<&>\"'Ж", "ru", REQUEST),
        UssdData(error=2),
        UssdData(operation=NOTIFY),
    ],
)
def test_documents_go_there_and_back(data: UssdData) -> None:
    assert ussd_data.parse(data.to_bytes()) == data


@pytest.mark.parametrize(
    ("document", "data"),
    [
        (
            b'<ussd-data xmlns="urn:oma:xml:ussd:ussd-data"><language>en</language>'
            b"<ussd-string>1. Balance&#10;2. Plans</ussd-string></ussd-data>",
            UssdData("1. Balance\n2. Plans", "en"),
        ),
        (
            b"<ussd-data><ussd-string>menu</ussd-string><UnstructuredSS-Request/></ussd-data>",
            UssdData("menu", "", REQUEST),
        ),
        (
            b"<u:ussd-data xmlns:u='x'><u:anyExt><u:UnstructuredSS-Notify/>"
            b"<u:alertingPattern>1</u:alertingPattern></u:anyExt></u:ussd-data>",
            UssdData(operation=NOTIFY, alerting_pattern="1"),
        ),
        (b"<ussd-data/>", UssdData()),
    ],
)
def test_documents_of_networks(document: bytes, data: UssdData) -> None:
    assert ussd_data.parse(document) == data


@pytest.mark.parametrize(
    "document", [b"", b"<x/>", b"<ussd-data><error-code>x</error-code></ussd-data>"]
)
def test_what_is_no_document(document: bytes) -> None:
    with pytest.raises(ParseError):
        ussd_data.parse(document)


def test_the_dialog_is_that_of_any_call() -> None:
    gateway = Gateway().taken()
    assert isinstance(gateway.ussd.session and gateway.ussd.session.dialog, Dialog)
