"""The page of a report: whole, self-contained, for keyboards; what peers wrote stays text."""

from __future__ import annotations

import re

import pytest

from report.traces import EVIL, EVIL_ATTRIBUTE, NAMES, ByHand, Page, captured, hostile
from sipua.report.page import page, picture, steps
from sipua.report.trace import MAX_MESSAGES, read
from sipua.trace.markup import visible

MAY_LOAD = ("src", "srcset", "data", "action", "formaction", "poster", "background", "ping")


def of(name: str) -> Page:
    return Page(page(captured(name), f"{name}.pcapng"))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_whole_and_loads_nothing(name: str) -> None:
    shown = of(name)
    assert not {tag for tag, _ in shown.tags} & {
        "script", "link", "iframe", "img", "object", "embed", "form", "base", "audio", "video",
    }  # fmt: skip
    assert not any(attribute in attrs for _, attrs in shown.tags for attribute in MAY_LOAD)
    assert not any(key.startswith("on") for _, attrs in shown.tags for key in attrs)
    assert all(href.startswith("#") for href in shown.values("href"))
    assert not re.search(r"url\(|@import|expression\(", page(captured(name), name))


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    shown = of(name)
    ids = shown.values("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in shown.values("href")} <= set(ids)
    assert set(" ".join(shown.values("aria-labelledby")).split()) <= set(ids)


def test_the_page_for_who_has_no_mouse_and_no_eyes() -> None:
    shown = of("resynchronisation")
    tags = [tag for tag, _ in shown.tags]
    assert dict(shown.tags[0][1]) == {"lang": "en"}
    assert next(attrs for tag, attrs in shown.tags if tag == "a")["class"] == "skip"
    assert tags.count("h1") == 1
    assert tags.count("details") == tags.count("summary") == 6
    assert {"header", "nav", "main", "footer", "section"} <= set(tags)
    svg = next(attrs for tag, attrs in shown.tags if tag == "svg")
    assert svg["aria-labelledby"] == "picture-title picture-desc"
    assert "AUTS: tells the network which sequence number" in shown.text


VERDICTS = {
    "registration": "registered The registrar accepted",
    "resynchronisation": "registered The registrar accepted",
    "mac-failure": "mac-failure",
    "wrong-response": "wrong-response",
    "refused-403": "rejected",
    "password-asked-for": "no-aka-offered",
    "silence": "timeout",
    "call": "ok Done.",
}
HINTS = {
    "mac-failure": "Compare K and OPc of the card with those in the HSS",
    "wrong-response": "Give the subscriber's key with --profile",
    "refused-403": "Compare IMPI, IMPU and Request-URI with the HSS",
    "password-asked-for": "Provision the subscriber for AKA",
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_and_hints(name: str) -> None:
    text = of(name).text
    assert VERDICTS[name] in text
    assert HINTS.get(name, "") in text


def test_each_step_says_what_it_carried_and_proved() -> None:
    told = [(rung.step.label, rung.step.proof) for rung in steps(captured("resynchronisation"))[1]]
    assert told == [
        ("10 APDUs", ""),
        ("REGISTER", ""),
        ("401 Unauthorized", "AUTN's MAC right, SQN not fresh: the card says so"),
        ("AUTHENTICATE", ""),
        (
            "AUTS",
            "AUTN's MAC is right, its SQN is not fresh: the network holds the key, but is behind",
        ),
        ("REGISTER", ""),
        ("401 Unauthorized", "AUTN's MAC right, SQN fresh: the card says so"),
        ("AUTHENTICATE", ""),
        ("RES, CK, IK", "AUTN's MAC is right and its SQN fresh: the network holds this card's key"),
        ("REGISTER", "RES proven: the network accepted it"),
        ("200 OK", ""),
        ("", "registered: The registrar accepted the registration."),
    ]


def test_every_line_of_every_message_stands_beside_its_octets() -> None:
    trace = captured("call")
    shown = page(trace, "call")
    text = Page(shown).text
    for message in trace.messages:
        for line in message.data.split(b"\r\n"):
            assert " ".join(line.decode().split()) in text
            assert line[:16].hex(" ") in shown


def test_what_a_peer_wrote_stays_text() -> None:
    trace = hostile().read()
    html = page(trace, f"{EVIL}.pcapng")
    shown = Page(html)
    assert "script" not in {tag for tag, _ in shown.tags}
    assert "img" not in {tag for tag, _ in shown.tags}
    assert [tag for tag, _ in shown.tags].count("style") == 1
    assert EVIL in shown.text
    assert EVIL_ATTRIBUTE in shown.text
    assert not set("\x1b\u202e\x00") & set(html)
    assert "\\u001b[31m\\u202egnp.exe\\u0000" in shown.text
    assert html.encode("utf-8")


def test_the_picture_of_hostile_traces_is_xml() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(picture(hostile().read(), EVIL))
    names = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert names == {"svg", "title", "desc", "style", "rect", "line", "g", "text", "polygon"}


def test_secrets_of_a_capture_that_holds_them_are_hidden() -> None:
    request = (
        b"REGISTER sip:a SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
        b'Authorization: UMTS RES=00112233445566778899aabbccddeeff, ck="c0ffee00c0ffee00"\r\n\r\n'
    )
    by_hand = ByHand().sent(request)
    shown = page(by_hand.read(), "x")
    assert "00112233" not in shown
    assert "c0ffee" not in shown
    assert "30 30 31 31 32 32" not in shown
    assert "00112233" in page(read(by_hand.file(), shows_secrets=True), "x")


def test_nothing_and_garbage_make_a_page() -> None:
    assert "There is no SIP in it." in Page(page(ByHand().read(), "empty")).text
    torn = ByHand().sent(b"REGISTER sip:a SIP/2.0\r\nContent-Length: 9\r\n\r\n").read()
    assert "Cannot be read" in Page(page(torn, "torn")).text


def test_a_page_does_not_grow_without_end() -> None:
    by_hand = ByHand()
    for number in range(MAX_MESSAGES + 5):
        by_hand.sent(f"OPTIONS sip:a SIP/2.0\r\nCall-ID: {number}\r\n\r\n".encode())
    trace = by_hand.read()
    assert len(trace.messages) == MAX_MESSAGES
    assert "5 messages more" in Page(page(trace, "long")).text


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert visible("a\tb\r\u200b\udcff\u2028é漢") == "a\\tb\\r\\u200b\\xff\\u2028é漢"
