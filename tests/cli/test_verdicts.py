"""Every verdict of the command line is reached, with its exit status and its JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from called_party import CalledParty, Pair, pair

from card.profile import Profile, load
from cli.app import run
from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import CallReport
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.verdict import Verdict

CARDS = Path(__file__).parent.parent.parent / "fixtures" / "cards"

Sipua = Callable[..., tuple[int, dict[str, Any]]]
RESULT_KEYS = {
    *("verdict", "exit_status", "reason", "hints", "scheme", "algorithm", "impi", "impu", "domain"),
    *("registrar", "local", "contact", "expires", "service_route", "associated_uris"),
    *("resynchronised", "protection", "exchange", "card", "elapsed_ms"),
}


CALL_KEYS = RESULT_KEYS | {
    *(
        "method",
        "target",
        "status",
        "answer",
        "cause",
        "peer",
        "peer_name",
        "asserted",
        "asserted_name",
        "ring_ms",
        "talk_ms",
    ),
    *("media", "digits_received"),
}


@pytest.fixture
def sipua(capsys: pytest.CaptureFixture[str]) -> Sipua:
    """Runs a command line with --json; gives exit status and the document with the verdict.

    That is all that is printed, or the last line where events are printed before it.
    """

    def command(*argv: str) -> tuple[int, dict[str, Any]]:
        status = run([*argv, "--json"])
        out = capsys.readouterr().out
        tells_events = argv[0] in ("call", "listen")
        document: dict[str, Any] = json.loads(out.splitlines()[-1] if tells_events else out)
        assert status == 0 or document.get("hints", True), "a failure says what to check next"
        return status, document

    return command


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Profile]:
    """A card of the fixtures folder, with a state file of this test's own."""

    def copy(name: str, *changes: tuple[str, str]) -> Profile:
        text = (CARDS / f"{name}.toml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return load(str(path))

    return copy


def register_at(core: CoreServer, profile: Profile, *more: str, via: str = "UDP") -> list[str]:
    return ["register", "--card", f"emulated:{profile.path}", "--pcscf", str(core.hop(via)), *more]


def test_registered(sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    status, result = sipua(*register_at(sipua_core, sipua_card_profile))
    assert (status, result["verdict"]) == (0, "registered")
    assert set(result) == RESULT_KEYS
    assert result["registrar"] == str(sipua_core.hop("UDP"))
    assert [(step["method"], step["status"]) for step in result["exchange"]] == [
        ("REGISTER", 401),
        ("REGISTER", 200),
    ]
    assert result["card"]["application"] == "isim"
    assert result["card"]["apdus"] <= 16
    assert result["expires"] > 0
    assert result["service_route"]
    assert result["associated_uris"][0] == result["impu"]
    (binding,) = sipua_core.bindings(result["impi"])
    assert binding.uri == result["contact"]


def test_deregistered(sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    sipua(*register_at(sipua_core, sipua_card_profile))
    status, result = sipua(*register_at(sipua_core, sipua_card_profile, "--deregister"))
    assert (status, result["verdict"]) == (0, "deregistered")
    assert sipua_core.bindings(result["impi"]) == []


def test_ok(sipua: Sipua, sipua_card_profile: Profile) -> None:
    """TS 35.208 set 1 has this K and OPc; RAND from it, AUTN by osmo-auc-gen for SQN 0x20."""
    card = ("--card", f"emulated:{sipua_card_profile.path}")
    status, result = sipua("card", "info", *card)
    assert status == 0
    assert result["usim"]["imsi"] == sipua_card_profile.imsi


def test_a_registrar_that_does_not_take_the_star(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    """Kamailio 5.6.3 answers ``Contact: *`` with 500."""
    core = sipua_core_factory(faults=["500"])
    _, result = sipua(*register_at(core, sipua_card_profile, "--deregister"))
    assert result["verdict"] == "server-error"
    assert any("Contact: *" in hint for hint in result["hints"])


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("wrong-mac", Verdict.MAC_FAILURE),
        ("sqn-always-behind", Verdict.SYNC_FAILURE),
        ("md5", Verdict.NO_AKA_OFFERED),
        ("bad-nonce", Verdict.BAD_CHALLENGE),
        ("403", Verdict.REJECTED),
        ("404", Verdict.REJECTED),
        ("challenge-loop", Verdict.CHALLENGE_LOOP),
        ("421", Verdict.SECURITY_AGREEMENT),
        ("494", Verdict.SECURITY_AGREEMENT),
        ("500", Verdict.SERVER_ERROR),
        ("503=3600", Verdict.SERVER_ERROR),
        ("silence", Verdict.TIMEOUT),
        ("die", Verdict.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("via", ["UDP", "TCP"])
def test_network_faults(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    fault: str,
    verdict: Verdict,
    via: str,
) -> None:
    core = sipua_core_factory(faults=[fault])
    status, result = sipua(*register_at(core, sipua_card_profile, "--timeout", "3", via=via))
    assert (status, result["verdict"]) == (verdict.exit_status, verdict.value)
    assert set(result) == RESULT_KEYS
    assert result["reason"]
    assert result["hints"]


def test_retry_after_is_shown(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["503=3600"])
    _, result = sipua(*register_at(core, sipua_card_profile))
    assert "3600" in result["reason"]


@pytest.mark.parametrize("fault", ["423=4000", "double", "drop-first=1", "sqn-behind"])
def test_faults_that_are_overcome(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile, fault: str
) -> None:
    core = sipua_core_factory(faults=[fault])
    status, result = sipua(*register_at(core, sipua_card_profile, "--expires", "3600"))
    assert (status, result["verdict"]) == (0, "registered")
    assert result["resynchronised"] is (fault == "sqn-behind")


def test_a_redirection_is_followed(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    target = sipua_core_factory()
    core = sipua_core_factory(faults=[f"302={target.hop('UDP').port}"])
    status, result = sipua(*register_at(core, sipua_card_profile))
    assert status == 0
    assert result["registrar"] == str(target.hop("UDP"))


def test_wrong_response(
    sipua: Sipua, sipua_core_factory: CoreFactory, copied: Callable[..., Profile]
) -> None:
    """Card and network agree on K, so AUTN is right, but not on the length of RES."""
    long_res = ('algorithm = "milenage"', 'algorithm = "milenage"\nres_length = 16')
    network = copied("isim", long_res)
    core = sipua_core_factory(profiles=[network])
    card = copied("isim")
    status, result = sipua(*register_at(core, card))
    assert (status, result["verdict"]) == (31, "wrong-response")


@pytest.mark.parametrize("octets", [4, 8, 16])
@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5"])
def test_res_of_any_length(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    copied: Callable[..., Profile],
    octets: int,
    algorithm: str,
) -> None:
    length = ('algorithm = "milenage"', f'algorithm = "milenage"\nres_length = {octets}')
    profile = copied("isim", length)
    core = sipua_core_factory(profiles=[profile], algorithm=algorithm)
    status, result = sipua(*register_at(core, profile))
    assert (status, result["algorithm"]) == (0, algorithm)


def test_no_application(
    sipua: Sipua, sipua_core_factory: CoreFactory, copied: Callable[..., Profile]
) -> None:
    profile = copied("usim")
    core = sipua_core_factory(profiles=[profile])
    status, result = sipua(*register_at(core, profile, "--application", "isim"))
    assert (status, result["verdict"]) == (12, "no-application")


@pytest.mark.parametrize("name", ["usim", "mnc3"])
def test_identities_from_the_imsi(
    sipua: Sipua, sipua_core_factory: CoreFactory, copied: Callable[..., Profile], name: str
) -> None:
    profile = copied(name)
    core = sipua_core_factory(profiles=[profile])
    status, result = sipua(*register_at(core, profile, "--application", "usim"))
    mnc = profile.imsi[3 : 3 + profile.mnc_length].zfill(3)
    domain = f"ims.mnc{mnc}.mcc{profile.imsi[:3]}.3gppnetwork.org"
    assert (status, result["domain"]) == (0, domain)
    assert result["impi"] == f"{profile.imsi}@{domain}"


def test_pin(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    copied: Callable[..., Profile],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Required, wrong until one try is left, never the last try unforced, blocked, unforceable."""
    profile = copied("pin")
    core = sipua_core_factory(profiles=[profile])
    command = register_at(core, profile)
    monkeypatch.delenv("SIPUA_PIN", raising=False)
    assert sipua(*command)[0] == 13
    right = tmp_path / "pin"
    right.write_text("2468\n")
    assert sipua(*command, "--pin-file", str(right))[0] == 0
    wrong = tmp_path / "wrong"
    wrong.write_text("11113579\n")
    spend = [*command, "--pin-file", str(wrong)]
    verdicts = [sipua(*spend)[1] for _ in range(3)]
    assert [each["verdict"] for each in verdicts] == ["pin-wrong", "pin-wrong", "pin-blocked"]
    assert "11113579" not in json.dumps(verdicts)
    monkeypatch.setenv("SIPUA_PIN", "2468")
    assert sipua(*command)[0] == 15, "one try is left: not even the right PIN is sent unforced"
    assert sipua(*command, "--force-pin")[0] == 0
    monkeypatch.delenv("SIPUA_PIN")
    for _ in range(3):
        sipua(*spend, "--force-pin")
    status, result = sipua(*command, "--pin-file", str(right), "--force-pin")
    assert (status, result["verdict"]) == (15, "pin-blocked")


def test_card_error(sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    """A damaged state file: the card must not forget its sequence numbers silently."""
    command = register_at(sipua_core, sipua_card_profile)
    sipua(*command)
    (state,) = Path(sipua_card_profile.path).parent.glob("*.state.json")
    state.write_text("{")
    status, result = sipua(*command)
    assert (status, result["verdict"]) == (16, "card-error")
    assert state.read_text() == "{"


def test_no_reader(
    sipua: Sipua, sipua_core: CoreServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # a process of its own: libpcsclite reads the socket's name once, for all tests
    script = (
        "from cli.__main__ import entry; import sys;"
        f"sys.argv = ['sipua', 'register', '--pcscf', '{sipua_core.hops[0]}', '--json']; entry()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PCSCLITE_CSOCK_NAME": str(tmp_path / "nobody")},
        capture_output=True,
        text=True,
        check=False,
    )
    result = json.loads(done.stdout)
    assert (done.returncode, result["verdict"]) == (10, "no-reader")
    assert "pcscd" in result["reason"]
    installed = "pyscard" not in result["reason"]
    assert ("whether pcscd runs" if installed else "Install") in result["hints"][0]


def test_unreachable(sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    command = register_at(sipua_core, sipua_card_profile)
    sipua_core.stop()
    started = time.monotonic()
    status, result = sipua(*command)
    assert (status, result["verdict"]) == (40, "unreachable")
    assert time.monotonic() - started < 10, "an ICMP error must not wait for Timer F"


def test_dns_failure(sipua: Sipua, sipua_card_profile: Profile) -> None:
    card = f"emulated:{sipua_card_profile.path}"
    status, result = sipua("register", "--card", card, "--pcscf", "nobody.invalid:5060")
    assert (status, result["verdict"]) == (42, "dns-failure")
    assert "nobody.invalid" in result["reason"]


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["register", "--pcscf", "udp:[::1"]) == 2
    assert run(["register", "--header", "no colon", "--card", "emulated"]) == 2
    assert run(["register", "--card", "emulated:/does/not/exist.toml"]) == 2
    assert run(["register", "--no-such-option"]) == 2
    error = capsys.readouterr().err
    assert "/does/not/exist.toml" in error


def test_internal_error(
    sipua: Sipua,
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the secret is 42")

    monkeypatch.setattr("sipua.agent.conversation.Conversation.begin", broken)
    status, result = sipua(*register_at(sipua_core, sipua_card_profile))
    assert (status, result["verdict"]) == (70, "internal-error")
    assert set(result) == RESULT_KEYS
    assert "ZeroDivisionError" in result["reason"]
    assert "42" not in result["reason"]


@pytest.mark.parametrize(("stay", "status"), [(False, 130), (True, 0)])
def test_interrupted(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, stay: bool, status: int
) -> None:
    """Ctrl-C ends an attempt as interrupted, and a stay by de-registration."""
    core = sipua_core_factory(faults=[] if stay else ["silence"])
    command = register_at(core, sipua_card_profile, *(["--stay"] if stay else []))
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *command], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    impi = sipua_card_profile.isim.impi if sipua_card_profile.isim else ""
    if stay:
        assert process.stdout.readline().strip() == "registered"
        assert core.bindings(impi)
    else:
        time.sleep(1.0)  # there is nothing to ask: silence is what it waits in
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == status
    assert ("deregistered" if stay else "interrupted") in out
    assert core.bindings(impi) == []


@pytest.fixture
def subscribers(tmp_path: Path, sipua_core_factory: CoreFactory) -> Pair:
    return pair(tmp_path, sipua_core_factory)


@pytest.mark.parametrize(
    ("plan", "options", "verdict", "final"),
    [
        (ListenPlan(duration=0.1), (), Verdict.OK, 200),
        (ListenPlan(), ("--duration", "0.1"), Verdict.OK, 200),
        (ListenPlan(what="busy"), (), Verdict.BUSY, 486),
        (ListenPlan(what="decline"), (), Verdict.DECLINED, 603),
        (ListenPlan(what="ring"), ("--ring-timeout", "1"), Verdict.NO_ANSWER, 487),
        (ListenPlan(what="ring"), ("--cancel-after", "1"), Verdict.CANCELLED, 487),
        (ListenPlan(what="busy"), ("--expect", "486"), Verdict.OK, 486),
        (ListenPlan(what="busy"), ("--expect", "603"), Verdict.UNEXPECTED, 486),
        (ListenPlan(), ("--expect", "486"), Verdict.UNEXPECTED, 200),
    ],
)
def test_calls(
    sipua: Sipua,
    subscribers: Pair,
    plan: ListenPlan,
    options: tuple[str, ...],
    verdict: Verdict,
    final: int,
) -> None:
    with CalledParty(subscribers, plan):
        status, result = sipua(*subscribers.call(*options))
    assert (status, result["verdict"]) == (verdict.exit_status, verdict.value)
    assert set(result) == CALL_KEYS
    assert result["status"] == final
    assert result["reason"]


def test_exit_statuses_of_calls() -> None:
    """The numbers are an interface."""
    statuses = {each.value: each.exit_status for each in Verdict if 50 <= each.exit_status < 60}
    assert statuses == {
        "busy": 50,
        "declined": 51,
        "no-answer": 52,
        "cancelled": 53,
        "call-lost": 54,
        "unexpected": 55,
    }


def test_nobody_is_there_to_answer(sipua: Sipua, subscribers: Pair) -> None:
    """Bob is known to the network, and not registered."""
    status, result = sipua(*subscribers.call())
    assert (status, result["verdict"], result["status"]) == (52, "no-answer", 480)
    assert f"{subscribers.bobs_uri} is known, but not there" in result["hints"][0]


def test_a_call_to_a_number_that_there_is_not(sipua: Sipua, subscribers: Pair) -> None:
    nobody = subscribers.bobs_uri.replace("bob", "nobody")
    status, result = sipua("call", nobody, *subscribers.options(subscribers.alice))
    assert (status, result["verdict"], result["status"]) == (30, "rejected", 404)
    assert result["reason"] == "The call was refused: 404 Not Found."
    assert nobody in result["hints"][0]


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ((), Verdict.CALL_LOST),
        (("--expect", "200"), Verdict.CALL_LOST),
        (("--expect", "486"), Verdict.UNEXPECTED),
    ],
)
def test_call_lost(
    sipua: Sipua, subscribers: Pair, options: tuple[str, ...], verdict: Verdict
) -> None:
    """The network goes away between one digit and the next: nothing of the call is there."""

    def heard(report: CallReport) -> None:
        if report.event == "digit":
            subscribers.core.stop()

    with CalledParty(subscribers, on_report=heard):
        status, result = sipua(*subscribers.call("--dtmf", "1" * 40, "--dtmf-by", "info", *options))
    assert (status, result["verdict"]) == (verdict.exit_status, verdict.value)
    assert set(result) == CALL_KEYS
    assert result["status"] == 200


def test_a_caller_without_registration(
    sipua: Sipua, subscribers: Pair, tmp_path: Path, copied: Callable[..., Profile]
) -> None:
    """What keeps it from registering is the verdict of the call, too."""
    stranger = copied("isim")
    status, result = sipua("call", subscribers.bobs_uri, *subscribers.options(stranger))
    assert (status, result["verdict"]) == (30, "rejected")
    assert set(result) == CALL_KEYS
    assert result["cause"] is None
