"""How calls are shown: what is pinned here is what people read and scripts parse."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cli.call_view import COLOURS, CallView, JsonLines, LiveView, Standing, choose_view
from cli.call_words import call_facts, clock, line, who
from cli.render import print_result
from sipua.agent.call_report import EVENTS, CallReport
from sipua.agent.calls.phone_call import IN_CLEAR
from sipua.media.port import Statistics
from sipua.result import CallResult
from sipua.verdict import Verdict

MEDIA = {
    "mode": "echo",
    "codec": "PCMA",
    "packets_sent": 250,
    "packets_received": 248,
    "packets_lost": 2,
    "jitter_ms": 1.26,
    "duplicates": 0,
    "out_of_order": 3,
    "octets_received": 39680,
    "malformed": 0,
    "foreign": 0,
    "unknown_payload": 0,
    "rtcp": 1,
}


def test_the_statistics_are_those_of_the_media() -> None:
    assert tuple(MEDIA) == Statistics._fields


def report(event: str, at: float = 0.0, call: int = 1, **details: Any) -> CallReport:
    return CallReport(event, at, call, details)


CALLER: dict[str, Any] = {"from_name": None, "asserted": [], "asserted_name": None}

A_TEXT: dict[str, Any] = {
    "from": "+15550100",
    "text": "hello\nthere",
    "sent": "2026-11-22T10:00:00+01:00",
    "parts": 1,
    "missing": 0,
    "flash": False,
}
A_REPORT: dict[str, Any] = {
    "part": 1,
    "parts": 1,
    "outcome": "delivered",
    "why": "received by the recipient",
    "recipient": "+15550101",
    "discharged": "2026-11-22T10:00:01+01:00",
}

A_STREAM: dict[str, Any] = {"codec": "PCMA", "remote": "192.0.2.1:4000"}

A_CALL = [
    report("registered", 0.02, 0, impu="sip:a@x", registrar="udp:127.0.0.1:5060", expires=600),
    report("calling", 0.03, target="sip:b@x"),
    report("progress", 0.1, status=183, reason="Session Progress", branch="tag-1"),
    report("media", 0.1, early=True, **A_STREAM, direction="recvonly", unprotected=None),
    report("progress", 0.2, status=180, reason="Ringing", branch="tag-1"),
    report(
        "established",
        2.2,
        peer="sip:b@x",
        peer_name="Bob",
        asserted=["sip:b@x", "tel:+15550100"],
        asserted_name=None,
    ),
    report("media", 2.2, early=False, **A_STREAM, direction="sendrecv", unprotected=None),
    report("media", 2.3, early=False, **A_STREAM, direction="sendrecv", unprotected=IN_CLEAR),
    report("digits-sent", 2.6, digits="12#", by="rtp"),
    report("digit", 3.1, digit="5", ms=160.0, by="rtp"),
    report("digit", 3.2, digit="6", ms=None, by="info"),
    report("info", 3.4, content_type="text/plain", body="hello\r\nthere"),
    report("refer", 3.5, target="sip:c@x", referred_by=None, referred_by_name=None, accepted=False),
    report(
        "refer", 3.6, target="sip:c@x", referred_by="sip:b@x", referred_by_name=None, accepted=True
    ),
    report("change-refused", 4.0, status=488, reason="Not Acceptable Here"),
    report("digits-refused", 4.0, status=415, reason="Unsupported Media Type"),
    report("digits-refused", 4.0, status=0, reason="no telephone-event"),
    report("held", 4.1, by="peer"),
    report("sms", 5.0, 0, **A_TEXT),
    report("sms", 5.1, 0, **{**A_TEXT, "missing": 1, "parts": 3, "flash": True}),
    report("reported", 5.2, 0, **A_REPORT),
    report("reported", 5.3, 0, **{**A_REPORT, "part": 2, "parts": 3}),
    report("discarded", 5.4, 0, reason="an RPDU of no known type"),
    report("ussd-question", 5.5, 0, text="1 Credit\n2 Data", language="en"),
    report("ussd-answer", 5.6, 0, text="2"),
    report("ussd-declined", 5.7, 0, reason="no answer was given for it"),
    report("ussd-news", 5.8, 0, text="Welcome", language=None),
    report("ussd-result", 5.8, 0, text="3 GB", language="en"),
    report("ussd-unreadable", 5.9, 0, reason="there is no text in it"),
    report("ussd-over", 5.9, 0, cause="peer-hung-up"),
    report("hanging-up", 7.2),
    report(
        "ended",
        7.3,
        cause="hung-up",
        status=200,
        reason="OK",
        ring_ms=2170.0,
        talk_ms=5012.3,
        media=MEDIA,
    ),
]

LINES = [
    "     0.0  registered      sip:a@x at udp:127.0.0.1:5060 for 600 s",
    "     0.0  calling         sip:b@x",
    "     0.1  progress        183 Session Progress",
    "     0.1  early media     PCMA, receiving only, 192.0.2.1:4000",
    "     0.2  ringing         180 Ringing",
    "     2.2  answered        in call with Bob <sip:b@x>, asserted sip:b@x and tel:+15550100",
    "     2.2  media           PCMA, both ways, 192.0.2.1:4000",
    f"     2.3  media           PCMA, both ways, 192.0.2.1:4000; {IN_CLEAR}",
    "     2.6  digits sent     12#, by RTP",
    "     3.1  digit heard     5 for 160 ms, by RTP",
    "     3.2  digit heard     6, by INFO",
    r"     3.4  INFO            text/plain: hello\r\nthere",
    "     3.5  transfer        to sip:c@x: refused",
    "     3.6  transfer        to sip:c@x, referred by sip:b@x: accepted",
    "     4.0  change refused  488 Not Acceptable Here",
    "     4.0  digits refused  415 Unsupported Media Type",
    "     4.0  digits refused  no telephone-event",
    "     4.1  held            by peer",
    r"     5.0  SMS             +15550100, sent 2026-11-22T10:00:00+01:00: hello\nthere",
    r"     5.1  SMS             +15550100, sent 2026-11-22T10:00:00+01:00 "
    r"(flash, 1 of 3 parts missing): hello\nthere",
    "     5.2  SMS report      +15550101, received by the recipient",
    "     5.3  SMS report      +15550101, part 2: received by the recipient",
    "     5.4  SMS discarded   an RPDU of no known type",
    r"     5.5  USSD question   1 Credit\n2 Data",
    "     5.6  USSD answer     2",
    "     5.7  USSD declined   no answer was given for it",
    "     5.8  USSD news       Welcome",
    "     5.8  USSD result     3 GB",
    "     5.9  USSD unreadable  there is no text in it",
    "     5.9  USSD over       the other side hung up",
    "     7.2  hanging up",
    "     7.3  ended           we hung up, rang 2.2 s, talked 5.0 s, PCMA, received 248, "
    "lost 2 (0.8 %), jitter 1.3 ms, 3 out of order, sent 250",
]


@pytest.mark.parametrize(("told", "text"), list(zip(A_CALL, LINES, strict=True)))
def test_one_line_an_event(told: CallReport, text: str) -> None:
    assert line(told) == text


def test_calls_are_numbered_where_there_can_be_several() -> None:
    invited = {**CALLER, "from": "sip:a@x", "target": "sip:b@x"}
    come = CallReport("invited", 1.0, 12, invited)
    assert line(come, numbered=True) == "     1.0  #12 call from       sip:a@x"
    nobodys = CallReport("message", 1.0, 0, {"from": "sip:a@x", "from_name": None, "text": "hi"})
    assert line(nobodys, numbered=True) == "     1.0      message         sip:a@x: hi"


def test_a_call_that_did_not_come_about_has_no_media() -> None:
    ended = report(
        "ended",
        cause="busy",
        status=486,
        reason="Busy Here",
        ring_ms=12.0,
        talk_ms=None,
        media=None,
    )
    assert line(ended) == "     0.0  ended           busy (486 Busy Here), rang 0.0 s"


def test_every_event_and_cause_has_words_of_its_own() -> None:
    from cli.call_words import _CAUSES, _DESCRIBED
    from sipua.ims.call_events import Cause

    assert set(EVENTS) == set(_DESCRIBED)
    causes = {value for name, value in vars(Cause).items() if not name.startswith("_")}
    assert causes == set(_CAUSES)


STEERING = "\x1b[2J\x9b31m\u202e\udc80\n\x07"


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_a_peer_cannot_steer_the_terminal(event: str) -> None:
    details: dict[str, Any] = dict.fromkeys(EVENTS[event], STEERING)
    for name, value in {
        "status": 486,
        "missing": 0,
        "parts": 2,
        "flash": False,
        "asserted": [STEERING],
        "ms": 1.0,
        "ring_ms": None,
        "talk_ms": None,
        "media": None,
    }.items():
        if name in details:
            details[name] = value
    text = line(CallReport(event, 0.0, 1, details))
    assert text.isprintable()
    assert event == "hanging-up" or r"\x1b[2J\x9b31m\u202e\udc80\n\x07" in text


def result() -> CallResult:
    done = CallResult("sip:b@x")
    done.end(Verdict.OK)
    done.cause, done.final_status, done.peer = "peer-hung-up", 200, "sip:b@x"
    done.asserted, done.ring_ms, done.talk_ms = ["tel:+15550100"], 2170.0, 5012.3
    done.peer_name, done.asserted_name = "Bob", "Robert"
    done.media, done.digits_received, done.impu = dict(MEDIA), "56", "sip:a@x"
    return done


def test_the_result_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(result())
    assert capsys.readouterr().out.splitlines() == [
        "ok",
        "  Done.",
        "  to            sip:b@x",
        "  answered by   Bob <sip:b@x>",
        "  asserted      Robert <tel:+15550100>",
        "  ended         the other side hung up",
        "  time          rang 2.2 s, talked 5.0 s",
        "  codec         PCMA",
        "  packets in    248, lost 2 (0.8 %), jitter 1.3 ms, 3 out of order",
        "  packets out   250",
        "  digits heard  56",
        "  IMPU          sip:a@x",
    ]


def test_facts_of_a_call_that_nobody_took() -> None:
    busy = CallResult("sip:b@x")
    busy.end(Verdict.BUSY)
    busy.cause, busy.final_status, busy.ring_ms = "busy", 486, 12.0
    assert [fact for fact in call_facts(busy) if fact[1]] == [
        ("ended", "busy"),
        ("time", "rang 0.0 s"),
    ]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"packets_received": 0, "packets_lost": 0, "out_of_order": 0}, "nothing"),
        (
            {"packets_received": 0, "packets_lost": 0, "out_of_order": 0, "foreign": 9},
            "nothing, 9 from elsewhere than agreed",
        ),
        (
            {"packets_received": 100, "duplicates": 4, "packets_lost": 4, "malformed": 1},
            "100, lost 4 (4.0 %), jitter 1.3 ms, 4 twice, 3 out of order, 1 malformed",
        ),
        (
            {"unknown_payload": 5},
            "248, lost 2 (0.8 %), jitter 1.3 ms, 3 out of order, 5 in formats not agreed",
        ),
    ],
)
def test_what_was_received(changed: dict[str, int], text: str) -> None:
    """One way without sound, and why: what a person looks for first."""
    done = result()
    assert done.media is not None
    done.media |= changed
    assert ("packets in", text) in call_facts(done)


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each document on a line of its own, whatever the peer writes into it."""
    view = choose_view(as_json=True, live=True, numbered=False)
    told = [
        *A_CALL,
        CallReport(
            "message", 8.0, 1, {"from": "sip:a@x", "from_name": None, "text": f"a\u2028ü{STEERING}"}
        ),
    ]
    for each in told:
        view.report(each)
    view.result(result())
    out = capsys.readouterr().out
    assert out.isascii()
    documents = [json.loads(each) for each in out.splitlines()]
    assert [each.get("event") for each in documents[:-1]] == [each.event for each in told]
    assert documents[0] == {
        "event": "registered",
        "elapsed_ms": 20.0,
        "call": 0,
        "impu": "sip:a@x",
        "registrar": "udp:127.0.0.1:5060",
        "expires": 600,
    }
    assert documents[-2]["text"] == f"a\u2028ü{STEERING}"
    assert "event" not in documents[-1]
    assert documents[-1] == result().to_json()


def test_in_a_pipe_there_are_lines_and_no_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    with choose_view(as_json=False, live=True, numbered=False) as view:
        assert type(view) is CallView
        for each in A_CALL:
            view.report(each)
    assert capsys.readouterr().out.splitlines() == LINES


class Terminal:
    """A terminal 60 columns wide, and what was written to it."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.text = ""

    def read_until(self, wanted: str) -> str:
        """All that has come once the pattern ``wanted`` has; fails when it does not come."""
        end = time.monotonic() + 20
        while not re.search(wanted, self.text):
            assert time.monotonic() < end, f"{wanted!r} is not in {self.text!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.text += os.read(self._master, 65536).decode()
        return self.text

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    made = Terminal()
    yield made
    made.close()


def test_live_on_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines with colours, and under them how it stands, which goes on without events."""
    monkeypatch.setattr(sys, "stdout", terminal.stream)
    with choose_view(as_json=False, live=True, numbered=False) as view:
        assert isinstance(view, LiveView)
        for each in A_CALL[:5]:
            view.report(each)
        shown = terminal.read_until("ringing at sip:b@x  0:0[1-9]  PCMA")
        assert "     0.2  ringing         180 Ringing\x1b[0m\r\n" in shown
        assert "\r\x1b[K  ringing at sip:b@x  0:00  PCMA" in shown
    assert terminal.read_until("PCMA\r\x1b\\[K$").endswith("\r\x1b[K")


def test_without_colours(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR takes the colours away and leaves the lines."""
    monkeypatch.setenv("NO_COLOR", "1")
    with LiveView(terminal.stream, numbered=False) as view:
        for each in A_CALL:
            view.report(each)
    shown = terminal.read_until(re.escape(LINES[-1]))
    assert "\x1b[K" in shown
    assert "\x1b[3" not in shown
    assert set(COLOURS) <= set(EVENTS)


@pytest.mark.parametrize(
    ("as_json", "live", "term", "kind"),
    [
        (False, True, "xterm", LiveView),
        (True, True, "xterm", JsonLines),
        (False, False, "xterm", CallView),
        (False, True, "dumb", CallView),
    ],
)
def test_which_view(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    as_json: bool,
    live: bool,
    term: str,
    kind: type[CallView],
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stdout", terminal.stream)
    with choose_view(as_json=as_json, live=live, numbered=True) as view:
        assert type(view) is kind


def test_how_it_stands() -> None:
    standing = Standing()
    assert standing.line(0) == "", "where a PIN is typed nothing is drawn"
    standing.take(A_CALL[0], 0)
    assert standing.line(0) == "  registered as sip:a@x; Ctrl-C ends"
    first: dict[str, Any] = {**CALLER, "from": "sip:b@x", "target": "sip:a@x"}
    standing.take(report("invited", call=1, **first), 10)
    assert standing.line(13) == "  ringing for sip:b@x  0:03"
    standing.take(report("established", call=1, peer="sip:b@x", peer_name="Bob", asserted=[]), 20)
    standing.take(A_CALL[6], 20)
    assert standing.line(85) == "  in call with Bob <sip:b@x>  1:05  PCMA"
    standing.take(report("invited", call=2, **{**first, "from": "sip:c@x\x1b"}), 86)
    assert standing.line(86) == r"  ringing for sip:c@x\x1b  0:00  1 more"
    standing.take(report("ended", call=2), 87)
    standing.take(report("hanging-up", call=1), 87)
    assert standing.line(87) == "  hanging up on Bob <sip:b@x>  1:07  PCMA"
    standing.take(report("ended", call=1), 88)
    assert standing.line(88) == "  registered as sip:a@x; Ctrl-C ends"


def test_a_clock() -> None:
    assert [clock(each) for each in (0, 59.9, 60, 3600, 36610)] == [
        "0:00",
        "0:59",
        "1:00",
        "1:00:00",
        "10:10:10",
    ]


@pytest.mark.parametrize(
    ("uri", "name", "text"),
    [
        ("sip:bob@x", None, "sip:bob@x"),
        ("sip:bob@x;user=phone", "Bob", "Bob <sip:bob@x;user=phone>"),
        ("sip:evil@y", 'The "bank" <sip:bank@x>', "\"The 'bank' <sip:bank@x>\" <sip:evil@y>"),
        (f"sip:{'b' * 60000}@x", None, f"sip:{'b' * 252}…"),
        (None, None, ""),
    ],
)
def test_how_a_person_reads_who_it_is(uri: str | None, name: str | None, text: str) -> None:
    assert who(uri, name) == text
