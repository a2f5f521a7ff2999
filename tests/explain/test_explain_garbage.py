"""Hostile input: nothing but our own errors, and no time without end."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.app import run
from explain.seen_on_the_wire import KEY_FILE, Answerer, Talk, registration, write_pcap
from sipua.explain.dialogs import MAX_EXCHANGES, MAX_OPEN, Dialogs
from sipua.explain.heard import Heard
from sipua.explain.investigation import Investigation
from sipua.explain.own_document import explain_own
from sipua.explain.pasted import read_text
from sipua.explain.sources import document_in
from sipua.explain.subscriber import Subscriber, load

Explain = Callable[..., dict[str, Any]]

LONG = 60.0  # seconds that none of these may take on the slowest of machines


@pytest.fixture(scope="module")
def subscriber(tmp_path_factory: pytest.TempPathFactory) -> Subscriber:
    path = tmp_path_factory.mktemp("keys") / "key.toml"
    path.write_text(KEY_FILE)
    return load(str(path))


def explained(text: str, subscriber: Subscriber) -> list[dict[str, Any]]:
    investigation = Investigation([subscriber])
    found: list[dict[str, Any]] = []
    for heard in read_text(text):
        found += investigation.take(heard)
    found += investigation.finish()
    json.dumps(found)
    return found


def good_text() -> str:
    answerer = Answerer("AKAv2-SHA-256")
    return registration(answerer, answerer.response()).text().decode()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_spoilt_messages(subscriber: Subscriber, data: st.DataObject) -> None:
    text = list(good_text())
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.text(st.characters(codec="utf-8"), max_size=4)
        )
    explained("".join(text), subscriber)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["Digest", "UMTS", "pgp", "Digest algorithm=AKAv1-MD5,", "Basic"]),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["realm", "nonce", "algorithm", "qop", "response", "auts", "RAND", "AUTN", "RES",
                 "opaque", "uri", "nc", "cnonce", "username", "signature", "AUTH-REJECT"]
            ),
            st.one_of(
                st.sampled_from(['"auth"', "AKAv1-MD5", "UMTS-AKA", '""', "00000001", "0" * 64]),
                st.text(max_size=60),
            ),
        ),
        max_size=8,
    ),
)  # fmt: skip
def test_spoilt_lines(subscriber: Subscriber, scheme: str, params: list[tuple[str, str]]) -> None:
    joined = ", ".join(f"{name}={value}" for name, value in params)
    explained(f"WWW-Authenticate: {scheme} {joined}\nAuthorization: {scheme} {joined}", subscriber)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text(subscriber: Subscriber, text: str) -> None:
    explained(text, subscriber)


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["verdict", "hints", "exchange", "reason",
                                                       "status", "method", "scheme"]),
                                      inner, max_size=5)))  # fmt: skip
def test_any_json(value: Any) -> None:
    document = document_in(json.dumps(value))
    if document is not None:
        explain_own(document)
        json.dumps(explain_own(document | {"verdict": "rejected"}))


def test_spoilt_captures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Octets changed, cut and added: told about, or explained, never a fault of the program."""
    key = tmp_path / "key.toml"
    key.write_text(KEY_FILE)
    answerer = Answerer()
    good = write_pcap(tmp_path / "good.pcap", registration(answerer, answerer.response()))
    data = good.read_bytes()
    rng = random.Random(6)
    for _ in range(300):
        spoilt = bytearray(data)
        for _ in range(rng.randrange(1, 20)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        path = tmp_path / "spoilt.pcap"
        path.write_bytes(spoilt[: rng.randrange(24, len(spoilt) + 1)])
        assert run(["explain", str(path), "--profile", str(key)]) in (0, 2, 60)
        capsys.readouterr()


@pytest.mark.parametrize(
    "text",
    [
        "WWW-Authenticate: Digest " + "," * 500_000,
        'WWW-Authenticate: Digest nonce="' + "A" * 2_000_000 + '", realm="r", algorithm=AKAv1-MD5',
        "WWW-Authenticate: UMTS " + "RAND=0 " * 200_000,
        "SIP/2.0 401 \n" * 100_000,
        "REGISTER sip:x SIP/2.0\n" + "To: <sip:a>\n" * 100_000,
        " " * 2_000_000 + "x",
        "\t>| " * 500_000,
        "{" * 100_000,
        "INVITE " + "x" * 3_000_000,
    ],
    ids=lambda text: f"{text[:24].strip()}...{len(text)}",
)
def test_long_input_takes_linear_time(text: str, subscriber: Subscriber) -> None:
    started = time.monotonic()
    assert document_in(text) is None
    explained(text, subscriber)
    assert time.monotonic() - started < LONG


def test_wrong_answers_without_end_cost_no_time_without_end(
    subscriber: Subscriber,
) -> None:
    """The search for mistakes has a budget for the whole run."""
    investigation = Investigation([subscriber], tries=50_000)
    started = time.monotonic()
    found: list[dict[str, Any]] = []
    for number in range(300):
        answerer = Answerer()
        text = registration(answerer, f"{number:032x}").text().decode()
        for heard in read_text(text.replace("a84b4c76e66710", f"call{number}")):
            found += investigation.take(heard)
    found += investigation.finish()
    assert len(found) == 300
    assert all(dialog["wrong"] for dialog in found)
    codes = {each["code"] for dialog in found for each in dialog["findings"]}
    assert codes == {"response-unexplained", "response-not-searched"}
    assert time.monotonic() - started < LONG


def test_open_dialogs_are_bounded() -> None:
    dialogs = Dialogs()
    handed_out = 0
    for number in range(MAX_OPEN + 100):
        talk = Talk(call_id=f"call-{number}")
        talk.request()
        (heard,) = read_text(talk.text().decode())
        handed_out += len(list(dialogs.take(heard)))
    assert handed_out == 100
    assert len(list(dialogs.finish())) == MAX_OPEN


def test_requests_of_one_dialog_are_bounded() -> None:
    dialogs = Dialogs()
    talk = Talk()
    for _ in range(MAX_EXCHANGES + 10):
        talk.request()
    for heard in read_text(talk.text().decode()):
        assert not list(dialogs.take(Heard(heard.message)))
    (dialog,) = dialogs.finish()
    assert len(dialog.exchanges) == MAX_EXCHANGES
    assert dialog.omitted == 10


def test_a_length_in_digits_that_are_no_numbers() -> None:
    """``¹`` is a digit to some, and no decimal one."""
    (heard,) = read_text(
        "OPTIONS sip:a@example.com SIP/2.0\nCSeq: 1 OPTIONS\nContent-Length: ¹0\n\nx"
    )
    assert heard.message.body == b""
