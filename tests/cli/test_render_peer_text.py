"""What a peer wrote is printed so that it neither steers a terminal nor stops the program."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from cli.render import LiveLadder, print_json, print_message, print_result, print_step, shown
from sipua.result import RequestResult
from sipua.trace.step import REGISTRAR, UE, Step
from sipua.verdict import Verdict

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202e\udc80"
HARMLESS = r"\x1b]0;owned\x07\x9b31m\u202e\udc80"


Print = Callable[[Callable[[], None]], str]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Print:
    """What something writes to both streams, which take UTF-8 and nothing else."""

    def write(act: Callable[[], None]) -> str:
        raw = io.BytesIO()
        with monkeypatch.context() as patched:
            stream = io.TextIOWrapper(raw, encoding="utf-8", errors="strict", write_through=True)
            patched.setattr(sys, "stdout", stream)
            patched.setattr(sys, "stderr", stream)
            act()
            return raw.getvalue().decode("utf-8")

    return write


def result() -> RequestResult:
    answered = RequestResult("OPTIONS", "sip:bob@x")
    answered.end(Verdict.OK, f"It was answered 200 {HOSTILE}", [f"See {HOSTILE}."])
    answered.answer = {"server": [HOSTILE]}
    return answered


def test_a_result_for_a_person(printed: Print) -> None:
    text = printed(lambda: print_result(result()))
    assert text.count(HARMLESS) == 3
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_result_as_json(printed: Print) -> None:
    """Reads back as what it was, octets that are no UTF-8 included."""
    text = printed(lambda: print_json(result().to_json()))
    assert json.loads(text)["answer"] == {"server": [HOSTILE]}


MESSAGE = f"SIP/2.0 200 OK\r\nServer: {HOSTILE[:-1]}\r\n\r\n".encode() + b"\x80"


@pytest.mark.parametrize(
    "act",
    [
        lambda: print_step(Step(REGISTRAR, UE, HOSTILE)),
        lambda: LiveLadder(sys.stdout)(Step(REGISTRAR, UE, "200 OK", HOSTILE)),
        lambda: print_message("received", MESSAGE, "hop"),
    ],
)
def test_steps_and_messages(printed: Print, act: Callable[[], None]) -> None:
    text = printed(act)
    assert all(line.isprintable() for line in text.split("\n"))
    assert r"\x1b]0;owned" in text


def test_what_can_be_printed_stays() -> None:
    assert shown("Grüße an 北京 \\x1b") == "Grüße an 北京 \\x1b"
