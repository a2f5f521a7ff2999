"""``sipua call`` and ``sipua listen`` as a person or a script runs them, calling each other."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from called_party import PATIENCE, CalledParty, Pair, pair

from cli.app import run
from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import EVENTS
from sipua.pytest_plugin import CoreFactory

ROOT = Path(__file__).parents[2]
MEDIA_KEYS = {
    *("mode", "codec", "packets_sent", "packets_received", "packets_lost", "jitter_ms"),
    *("duplicates", "out_of_order", "octets_received"),
}

Documents = list[dict[str, Any]]


@pytest.fixture
def subscribers(tmp_path: Path, sipua_core_factory: CoreFactory) -> Pair:
    return pair(tmp_path, sipua_core_factory)


@pytest.fixture
def sipua(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Documents]]:
    """Runs a command line with --json; gives its exit status and all documents."""

    def command(*argv: str) -> tuple[int, Documents]:
        status = run([*argv, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return command


Sipua = Callable[..., tuple[int, Documents]]


def the(event: str, documents: Documents) -> dict[str, Any]:
    """The one document of that event."""
    (found,) = [each for each in documents if each.get("event") == event]
    return found


class Running:
    """A command in a process of its own, whose output is read as it comes."""

    def __init__(self, *argv: str, with_errors: bool = False) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if with_errors else subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        self._news = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, text: str) -> str:
        """The first line that holds ``text``."""

        def has_come() -> bool:
            return self._over or any(text in line for line in self.lines)

        with self._news:
            assert self._news.wait_for(has_come, PATIENCE), f"no {text!r} in {self.lines}"
            assert any(text in line for line in self.lines), f"no {text!r} in {self.lines}"
            return next(line for line in self.lines if text in line)

    def ended(self) -> int:
        """Its exit status, once it has come to its end."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    """Starts commands; what still runs at the end of the test is stopped."""
    started: list[Running] = []

    def start(*argv: str, with_errors: bool = False) -> Running:
        started.append(Running(*argv, with_errors=with_errors))
        return started[-1]

    yield start
    for each in started:
        each.stop()


# Documents -------------------------------------------------------------------------------


def test_documents_of_a_call(sipua: Sipua, subscribers: Pair) -> None:
    """Every event with every field; the last document is the verdict."""
    with CalledParty(subscribers, ListenPlan(ring=0.3)) as bob:
        status, documents = sipua(*subscribers.call("--duration", "0.5", "--dtmf", "7"))
        assert status == 0
        heard = bob.wait_for("digit").details
    *events, verdict = documents
    assert [each["event"] for each in events] == [
        *("registered", "calling", "progress", "media", "established", "digits-sent"),
        *("hanging-up", "ended"),
    ]
    times = [each.pop("elapsed_ms") for each in events]
    assert times == sorted(times)
    assert [each.pop("call") for each in events] == [0, *[1] * 7]
    registered, calling, progress, media, established, digits, hanging_up, ended = events
    assert registered == {
        "event": "registered",
        "impu": "sip:alice@ims.mnc001.mcc001.3gppnetwork.org",
        "registrar": str(subscribers.core.hop("UDP")),
        "expires": 600000,
    }
    assert calling == {"event": "calling", "target": subscribers.bobs_uri}
    assert progress.pop("branch")
    assert progress == {"event": "progress", "status": 180, "reason": "Ringing"}
    assert media.pop("remote").startswith("127.0.0.1:")
    assert media == {
        "event": "media",
        "early": False,
        "codec": "EVS",
        "direction": "sendrecv",
        "unprotected": None,
    }
    assert established == {
        "event": "established",
        "peer": subscribers.bobs_uri,
        "peer_name": None,
        "asserted": [subscribers.bobs_uri],
        "asserted_name": None,
    }
    assert digits == {"event": "digits-sent", "digits": "7", "by": "rtp"}
    assert hanging_up == {"event": "hanging-up"}
    assert set(ended) == {"event", "cause", "status", "reason", "ring_ms", "talk_ms", "media"}
    assert (ended["cause"], ended["status"]) == ("hung-up", 200)
    assert ended["ring_ms"] >= 300
    assert ended["talk_ms"] >= 500
    assert set(ended["media"]) >= MEDIA_KEYS
    assert ended["media"]["packets_sent"] > 0
    assert (heard["digit"], heard["by"]) == ("7", "rtp")

    assert (verdict["verdict"], verdict["status"], verdict["cause"]) == ("ok", 200, "hung-up")
    assert (verdict["method"], verdict["target"]) == ("INVITE", subscribers.bobs_uri)
    assert (verdict["scheme"], verdict["algorithm"]) == ("aka", "AKAv1-MD5")
    assert [(step["method"], step["status"]) for step in verdict["exchange"]] == [
        ("REGISTER", 401),
        ("REGISTER", 200),
        ("INVITE", 407),
        ("PRACK", 200),
        ("INVITE", 200),
        ("BYE", 200),
    ]
    for name in ("ring_ms", "talk_ms", "media"):
        assert verdict[name] == ended[name]
    for name in ("peer", "peer_name", "asserted", "asserted_name"):
        assert verdict[name] == established[name]
    assert verdict["digits_received"] == ""


def test_documents_of_listening(
    subscribers: Pair, sipua: Sipua, running: Callable[..., Running]
) -> None:
    """Bob as a process of his own takes two calls and de-registers."""
    bob = running("listen", *subscribers.options(subscribers.bob), "--count", "2", "--json")
    bob.wait_for('"registered"')
    assert subscribers.is_registered(subscribers.bob)
    assert sipua(*subscribers.call("--duration", "0", "--dtmf", "5", "--dtmf-by", "info"))[0] == 0
    assert sipua(*subscribers.call("--duration", "0", "--media", "none"))[0] == 0
    assert bob.ended() == 0
    assert not subscribers.is_registered(subscribers.bob)
    *events, verdict = [json.loads(line) for line in bob.lines]
    assert (verdict["verdict"], verdict["exit_status"]) == ("deregistered", 0)
    first = [each for each in events if each["call"] == 1]
    second = [each for each in events if each["call"] == 2]
    assert {each["call"] for each in events} == {0, 1, 2}
    invited = the("invited", first)
    assert tuple(invited) == ("event", "elapsed_ms", "call", *EVENTS["invited"])
    assert invited["from"] == "sip:alice@ims.mnc001.mcc001.3gppnetwork.org"
    assert invited["asserted"] == [invited["from"]]
    digit = the("digit", first)
    assert (digit["digit"], digit["by"]) == ("5", "info")
    assert (the("ended", first)["cause"], the("ended", second)["cause"]) == ("peer-hung-up",) * 2
    assert the("media", second)["direction"] == "inactive"
    assert the("ended", second)["media"]["packets_received"] == 0


@pytest.mark.parametrize("mode", ["sink", "echo", "none"])
def test_media_as_asked_for(sipua: Sipua, subscribers: Pair, mode: str) -> None:
    """Nobody speaks here: what each mode does with voice is shown in tests/media."""
    with CalledParty(subscribers):
        _, documents = sipua(*subscribers.call("--duration", "0", "--media", mode))
    assert documents[-1]["media"]["mode"] == mode
    assert the("media", documents)["direction"] == ("inactive" if mode == "none" else "sendrecv")


@pytest.mark.parametrize("by", ["rtp", "info"])
def test_digits_that_bob_dials(sipua: Sipua, subscribers: Pair, by: str) -> None:
    with CalledParty(subscribers, ListenPlan(digits="0#", digits_by=by, duration=0)):
        _, documents = sipua(*subscribers.call())
    assert documents[-1]["digits_received"] == "0#"
    heard = [each for each in documents if each.get("event") == "digit"]
    assert [(each["digit"], each["by"]) for each in heard] == [("0", by), ("#", by)]
    assert all(each["ms"] > 0 for each in heard)


def test_a_tel_uri(sipua: Sipua, subscribers: Pair) -> None:
    """The number is one of Bob's public identities."""
    with CalledParty(subscribers) as bob:
        status, documents = sipua(
            *("call", "tel:+1-555-010-0102", *subscribers.options(subscribers.alice)),
            *("--duration", "0"),
        )
        bob.wait_for("ended")
    assert (status, documents[-1]["status"]) == (0, 200)
    assert the("calling", documents)["target"] == "tel:+15550100102"


@pytest.mark.parametrize("challenge", [401, 407])
@pytest.mark.parametrize("scheme", ["aka", "umts", "digest-umts", "pgp-umts"])
def test_figure_2_of_the_patent(
    tmp_path: Path,
    sipua_core_factory: CoreFactory,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
    challenge: int,
) -> None:
    """INVITE, 407, ACK, INVITE, 200, ACK, in each of the four modes, and with 401, too."""
    subscribers = pair(tmp_path, sipua_core_factory, challenge, scheme)
    with CalledParty(subscribers):
        command = subscribers.call("--duration", "0", "-vv", "--json", "--scheme", f"aka,{scheme}")
        assert run(command) == 0
    shown = capsys.readouterr()
    verdict = json.loads(shown.out.splitlines()[-1])
    assert verdict["scheme"] == scheme
    invites = [each["status"] for each in verdict["exchange"] if each["method"] == "INVITE"]
    assert invites == [challenge, 200]
    lines = [line.strip() for line in shown.err.splitlines()]
    starts = [line for line in lines if line.startswith(("INVITE ", "ACK ", "SIP/2.0 "))]
    kinds = [line.split()[1] if line.startswith("SIP") else line.split()[0] for line in starts]
    kinds = [kind for kind in kinds[kinds.index("INVITE") :] if kind != "100"]
    passed = iter(kinds)  # some may be there twice: tried by TCP first, or repeated
    for wanted in ("INVITE", str(challenge), "ACK", "INVITE", "200", "ACK"):
        assert wanted in passed, kinds


# For a person ----------------------------------------------------------------------------


def test_in_a_pipe(subscribers: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    """One line an event, then the verdict; no drawing."""
    with CalledParty(subscribers, ListenPlan(ring=0.2, duration=0.3)):
        assert run(subscribers.call()) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert [line[10:24].strip() for line in lines[:6]] == [
        *("registered", "calling", "ringing", "media", "answered", "ended"),
    ]
    assert "the other side hung up" in lines[5]
    assert lines[6] == "ok"
    assert any(line.split()[:3] == ["answered", "by", subscribers.bobs_uri] for line in lines)
    assert any(re.match(r"  time +rang \d+\.\d s, talked \d+\.\d s$", line) for line in lines)


def test_verbose_shows_the_challenge(subscribers: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    with CalledParty(subscribers, ListenPlan(what="busy")):
        assert run(subscribers.call("-v")) == 50
    shown = capsys.readouterr()
    assert "407 Proxy Authentication Required" in shown.err
    assert "AUTHENTICATE" in shown.err
    assert "ended           busy (486 Busy Here)" in shown.out
    assert "hint: " in shown.out


def test_on_a_terminal(subscribers: Pair) -> None:
    """Under the lines one is drawn anew that tells how it stands, and goes at the end."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    with CalledParty(subscribers, ListenPlan(ring=0.2)):
        alice = subprocess.Popen(
            [sys.executable, "-m", "cli", *subscribers.call("--duration", "0.2")],
            stdout=slave,
            cwd=ROOT,
            env=environment,
        )
        os.close(slave)
        drawn = b""
        with suppress(OSError):  # how the end of a terminal looks
            while piece := os.read(master, 65536):
                drawn += piece
        os.close(master)
        assert alice.wait(PATIENCE) == 0
    text = drawn.decode()
    bob = subscribers.bobs_uri
    at = [
        text.index(f"\r\x1b[K  {state} {bob}")
        for state in ("calling", "ringing at", "in call with")
    ]
    assert at == sorted(at)
    assert text.index("\r\x1b[Kok\r\n") > at[-1]
    assert "registrar" in text.split("ok\r\n")[1]
    assert "AUTHENTICATE" not in text, "the ladder is not drawn between the lines"


# Interruption ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bob_does", "event", "status", "verdict"),
    [
        ("ring", '"progress"', 130, "interrupted"),
        ("answer", '"established"', 0, "ok"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_hangs_up(
    subscribers: Pair,
    running: Callable[..., Running],
    bob_does: str,
    event: str,
    status: int,
    verdict: str,
    number: signal.Signals,
) -> None:
    with CalledParty(subscribers, ListenPlan(what=bob_does)) as bob:
        alice = running(*subscribers.call("--json"))
        alice.wait_for(event)
        alice.process.send_signal(number)
        ended = bob.wait_for("ended")
        assert alice.ended() == status
    assert json.loads(alice.lines[-1])["verdict"] == verdict
    assert ended.details["cause"] == ("peer-hung-up" if bob_does == "answer" else "cancelled")


def test_ctrl_c_ends_listening(subscribers: Pair, running: Callable[..., Running]) -> None:
    """The call that stands is hung up, the registration removed."""
    bob = running("listen", *subscribers.options(subscribers.bob), "--json")
    bob.wait_for('"registered"')
    alice = running(*subscribers.call("--json"))
    bob.wait_for('"established"')
    bob.process.send_signal(signal.SIGINT)
    assert bob.ended() == 0
    assert json.loads(bob.lines[-1])["verdict"] == "deregistered"
    assert alice.ended() == 0
    assert json.loads(alice.lines[-1])["cause"] == "peer-hung-up"
    assert not subscribers.is_registered(subscribers.bob)


@pytest.mark.parametrize("command", ["call", "listen"])
def test_ctrl_c_before_anything_was_begun(
    subscribers: Pair, running: Callable[..., Running], command: str
) -> None:
    """There is nothing to end in order while the network says nothing to REGISTER."""
    subscribers.core.faults.add("silence")
    target = [subscribers.bobs_uri] if command == "call" else []
    alice = running(
        *(command, *target, *subscribers.options(subscribers.alice), "--json", "-v"),
        with_errors=True,
    )
    alice.wait_for("REGISTER")
    alice.process.send_signal(signal.SIGINT)
    assert alice.ended() == 130
    assert json.loads(alice.lines[-1])["verdict"] == "interrupted"


@pytest.mark.parametrize("impatient", ["alice", "bob"])
def test_a_second_ctrl_c_does_not_wait(
    subscribers: Pair, running: Callable[..., Running], impatient: str
) -> None:
    """The other one has gone to sleep, and says nothing to BYE."""
    bob = running("listen", *subscribers.options(subscribers.bob), "--json")
    bob.wait_for('"registered"')
    alice = running(*subscribers.call("--json"))
    bob.wait_for('"established"')
    alice.wait_for('"established"')
    awake, asleep = (alice, bob) if impatient == "alice" else (bob, alice)
    asleep.process.send_signal(signal.SIGSTOP)
    awake.process.send_signal(signal.SIGINT)
    awake.wait_for('"hanging-up"')
    awake.process.send_signal(signal.SIGINT)
    assert awake.ended() == 130
    assert json.loads(awake.lines[-1])["verdict"] == "interrupted"


def test_a_reader_that_has_gone(subscribers: Pair) -> None:
    """``sipua listen | head -1`` ends, and leaves no registration behind."""
    reading, writing = os.pipe()
    bob = subprocess.Popen(
        [sys.executable, "-m", "cli", "listen", *subscribers.options(subscribers.bob)],
        stdout=writing,
        cwd=ROOT,
    )
    try:
        os.close(writing)
        assert os.read(reading, 1000)
        os.close(reading)
        assert subscribers.is_registered(subscribers.bob)
        run(subscribers.call())  # gives him something to say
        assert bob.wait(PATIENCE) == 0
        assert not subscribers.is_registered(subscribers.bob)
    finally:
        bob.kill()
        bob.wait()
