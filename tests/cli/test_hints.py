"""What a failure says to check next: each is provoked, and its first hint names the cause.

That every verdict is reached with its exit status is in ``test_verdicts``; what
is told apart within one verdict is here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import declared_hints
import pytest
from called_party import CalledParty, Pair
from declared_hints import collected, note
from test_ipsec_option import powerless
from test_verdicts import Sipua, copied, register_at, sipua, subscribers

from card.profile import Profile
from cli.app import run
from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.observer import Observer
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.trace.step import Step
from sipua.verdict import Verdict

__all__ = ["collected", "copied", "sipua", "subscribers"]  # fixtures

LONG_REQUEST = ("--header", "X-Long: " + "x" * 1400, "--udp-limit", "9000")
LISTENING = ("127.0.0.1", 0)


class Case(NamedTuple):
    """A network with ``fault``, asked with these options: verdict and first hint."""

    fault: str
    verdict: Verdict
    first: str
    options: tuple[str, ...] = ()
    via: str = "UDP"


OF_THE_NETWORK = [
    Case("wrong-mac", Verdict.MAC_FAILURE, "Compare K and OPc of the card with those in the HSS"),
    Case("wrong-mac", Verdict.MAC_FAILURE, "an OP typed where OPc is wanted"),
    Case("sqn-always-behind", Verdict.SYNC_FAILURE, "whether it took AUTS"),
    Case("md5", Verdict.NO_AKA_OFFERED, "No algorithm was named", ("--algorithm", "none")),
    Case("md5", Verdict.NO_AKA_OFFERED, "try --algorithm AKAv1-MD5", ("--algorithm", "none")),
    Case("md5", Verdict.NO_AKA_OFFERED, "named AKAv1-MD5, and a password was asked for all the"),
    Case("md5", Verdict.NO_AKA_OFFERED, "named AKAv1-MD5", ("--scheme", "aka")),
    Case("bad-nonce", Verdict.BAD_CHALLENGE, "RAND and AUTN, 32 octets"),
    Case("403", Verdict.REJECTED, "Compare IMPI 001010123456789@"),
    Case("404", Verdict.REJECTED, "domain ims.mnc001.mcc001.3gppnetwork.org with the HSS"),
    Case("challenge-loop", Verdict.CHALLENGE_LOOP, "reach the same S-CSCF"),
    Case("421", Verdict.SECURITY_AGREEMENT, "none was offered: --ipsec auto asks for one"),
    Case("494", Verdict.SECURITY_AGREEMENT, "none was offered: --ipsec auto asks for one"),
    Case("500", Verdict.SERVER_ERROR, "look at the registrar's log and at its way to the HSS"),
    Case("503=3600", Verdict.SERVER_ERROR, "left alone for 3600 s"),
    Case("503=3600", Verdict.SERVER_ERROR, "--timeout 7200"),
    Case("silence", Verdict.TIMEOUT, "Nothing came back from udp:", ("--timeout", "1")),
    Case("silence", Verdict.TIMEOUT, "that it is SIP's port", ("--timeout", "1"), via="TCP"),
    Case(
        "silence",
        Verdict.TIMEOUT,
        "over UDP what is larger than the path takes is lost without a word: try --transport tcp",
        ("--timeout", "1", *LONG_REQUEST),
    ),
    Case("die", Verdict.UNREACHABLE, "Nothing listens there: see that the P-CSCF runs"),
]


@pytest.mark.parametrize("case", OF_THE_NETWORK, ids=lambda case: f"{case.fault}: {case.first}")
def test_of_the_network(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile, case: Case
) -> None:
    core = sipua_core_factory(faults=[case.fault])
    _, result = sipua(*register_at(core, sipua_card_profile, *case.options, via=case.via))
    assert result["verdict"] == case.verdict.value
    assert case.first in result["hints"][0]


def test_a_right_answer_refused_is_not_a_matter_of_headers(
    sipua: Sipua, sipua_core_factory: CoreFactory, copied: Callable[..., Profile]
) -> None:
    """403 before a challenge and 403 after the answer have other causes."""
    long_res = ('algorithm = "milenage"', 'algorithm = "milenage"\nres_length = 16')
    core = sipua_core_factory(profiles=[copied("isim", long_res)])
    _, after = sipua(*register_at(core, copied("isim")))
    assert after["verdict"] == "wrong-response"
    assert after["hints"][0].startswith("The card accepted AUTN, so both sides hold the same key")
    assert any("RES in the length" in hint for hint in after["hints"])
    core.faults.add("403")
    _, before = sipua(*register_at(core, copied("isim")))
    assert before["verdict"] == "rejected"
    assert any("P-Access-Network-Info" in hint for hint in before["hints"])
    assert not set(before["hints"]) & set(after["hints"])


def test_akav2_refused_may_mean_another_password(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(algorithm="AKAv2-MD5")
    _, result = sipua(*register_at(core, sipua_card_profile, "--plain-res"))
    assert result["verdict"] == "wrong-response"
    assert "try it without --plain-res" in result["hints"][0]


@pytest.mark.parametrize("status", ["421", "494"])
def test_an_agreement_that_was_offered_is_not_advised(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    status: str,
) -> None:
    """What could not be offered, or was not taken, is told; that it can be offered is known."""
    core = sipua_core_factory(faults=[status])
    _, result = sipua(*register_at(core, sipua_card_profile, "--ipsec", "auto"))
    assert result["verdict"] == "security-agreement"
    told = " ".join(result["hints"])
    assert "and none was offered" not in told
    assert result["hints"][0].startswith("Not protected: ")
    assert {"421": "misses sec-agree", "494": "offer others with --mechanisms"}[status] in told


def test_require_at_a_network_without_agreements(
    sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    _, result = sipua(*register_at(sipua_core, sipua_card_profile, "--ipsec", "require"))
    assert result["verdict"] == "security-agreement"
    if "IPsec cannot be used" in result["reason"]:  # this machine may not
        assert "CAP_NET_RAW" in result["hints"][0]
    else:
        assert "420 Bad Extension, Unsupported: sec-agree" in result["reason"]
        assert "does not know security agreements" in result["hints"][0]
    assert "--ipsec auto registers without" in " ".join(result["hints"])


def test_require_on_a_machine_that_may_not(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    result = powerless(*register_at(sipua_core, sipua_card_profile, "--ipsec", "require"))
    note(result["verdict"], result["hints"])
    assert result["verdict"] == "security-agreement"
    assert result["hints"][0].startswith("IPsec needs root, or CAP_NET_ADMIN")


def test_silence_after_the_challenge(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    """The server is there: it is not its address that is wrong."""

    def fall_silent(step: Step) -> None:
        if step.target == "card":
            sipua_core.faults.add("silence")

    settings = AgentSettings(pcscf=str(sipua_core.hop("UDP")), timeout=2.0)
    card = CardChoice(f"emulated:{sipua_card_profile.path}")
    with UserAgent(card, settings, Observer(on_step=fall_silent)) as agent:
        result = agent.register()
    assert [step.status for step in result.exchange] == [401, 0]
    assert result.verdict is Verdict.TIMEOUT
    assert result.hints[0].startswith("The network answered before and then fell silent")


# What the network takes back -------------------------------------------------------------------


def test_a_registration_that_the_network_ends_for_good(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    """It is rejected as soon as the user agent is told of it."""
    assert sipua_card_profile.isim is not None
    impi = sipua_card_profile.isim.impi

    def told(sentence: str) -> None:
        if "active" in sentence:
            thread = threading.Thread(target=sipua_core.deregister, args=(impi, "rejected"))
            thread.start()

    settings = AgentSettings(pcscf=str(sipua_core.hop("UDP")), reg_event=True)
    card = CardChoice(f"emulated:{sipua_card_profile.path}")
    with UserAgent(card, settings, Observer(on_news=told)) as agent:
        agent.register()
        result = agent.stay()
    assert result.verdict is Verdict.REJECTED
    assert result.hints[0].startswith("See with -vv who refused")


def test_a_registrar_that_does_not_take_the_star(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["500"])
    _, result = sipua(*register_at(core, sipua_card_profile, "--deregister"))
    assert result["hints"][-1].startswith("Some registrars do not take Contact: *")


def test_a_card_that_was_out_of_step(
    sipua: Sipua, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["sqn-behind"])
    _, result = sipua(*register_at(core, sipua_card_profile))
    assert result["verdict"] == "registered"
    assert result["hints"][0].startswith("Card and network were out of step and are not any more")


# Calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "options", "verdict", "first"),
    [
        (ListenPlan(what="busy"), (), Verdict.BUSY, "486 speaks for one phone"),
        (ListenPlan(what="decline"), (), Verdict.DECLINED, "the callee, or the network"),
        (ListenPlan(what="ring"), ("--ring-timeout", "1"), Verdict.NO_ANSWER, "whether it rang"),
        (ListenPlan(what="ring"), ("--cancel-after", "1"), Verdict.CANCELLED, "--cancel-after"),
        (ListenPlan(what="busy"), ("--expect", "603"), Verdict.UNEXPECTED, "which status came"),
    ],
)
def test_of_calls(
    sipua: Sipua,
    subscribers: Pair,
    plan: ListenPlan,
    options: tuple[str, ...],
    verdict: Verdict,
    first: str,
) -> None:
    with CalledParty(subscribers, plan):
        _, result = sipua(*subscribers.call(*options))
    assert result["verdict"] == verdict.value
    assert first in result["hints"][0]


def test_of_a_call_that_was_lost(sipua: Sipua, subscribers: Pair) -> None:
    def heard(report: CallReport) -> None:
        if report.event == "digit":
            subscribers.core.stop()

    with CalledParty(subscribers, on_report=heard):
        _, result = sipua(*subscribers.call("--dtmf", "1" * 40, "--dtmf-by", "info"))
    assert result["verdict"] == "call-lost"
    assert "what was asked last" in result["hints"][0]


def test_of_a_fault_of_our_own(
    sipua: Sipua,
    sipua_core: CoreServer,
    sipua_card_profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sipua.agent.conversation.Conversation.begin", broken)
    _, result = sipua(*register_at(sipua_core, sipua_card_profile))
    assert result["verdict"] == "internal-error"
    assert "Report it with what -vv prints" in result["hints"][0]


# What an attempt left behind --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "steps"),
    [
        ("pin-wrong", ("Do not guess",)),
        ("pin-blocked", ("With tries left, --force-pin", "With none left, only the PUK")),
    ],
)
def test_of_a_result_that_is_read_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: str, steps: tuple[str, ...]
) -> None:
    """A document without hints, as scripts keep it: the verdict knows what to do next."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"verdict": verdict, "reason": "The card refused."}))
    run(["explain", str(path), "--json"])
    told = capsys.readouterr().out
    found = [step for step in Verdict(verdict).next_steps if step in told]
    assert [step.startswith(start) for step, start in zip(found, steps, strict=True)]
    note(verdict, found)


# The guard -------------------------------------------------------------------------------------


def test_a_hint_that_nothing_provokes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard itself: one hint forgotten is one hint missed, one of another place is told."""
    some = next(each for each in declared_hints.declared() if each.verdict == "MAC_FAILURE")
    monkeypatch.setattr(declared_hints, "SAID", {("MAC_FAILURE", some.text)})
    assert some not in declared_hints.never_said()
    monkeypatch.setattr(declared_hints, "SAID", {("TIMEOUT", some.text), ("OK", "Be patient.")})
    assert some in declared_hints.never_said()
    assert declared_hints.undeclared() == {some.text, "Be patient."}


def test_every_hint_was_provoked(request: pytest.FixtureRequest) -> None:
    """By the tests of this file and of ``test_hint_of_…``, which run before, for its verdict."""
    config = request.config
    ran = {item.path for item in request.session.items}
    if not set(Path(__file__).parent.glob("test_hint*.py")) <= ran or config.option.keyword:
        pytest.skip("some of the tests were not asked for: tests/cli/test_hint*.py has them all")
    if config.getoption("lf", False) or any("::" in each for each in config.args):
        pytest.skip("some of the tests were not asked for")
    assert [f"{each.place}: {each.text}" for each in declared_hints.never_said()] == []
    assert declared_hints.undeclared() == set()
    assert [each.place for each in declared_hints.declared() if not each.text.endswith(".")] == []
    silent = {Verdict.INTERRUPTED}  # who ended it knows why
    failures = {each.name for each in Verdict if each.exit_status and each not in silent}
    assert failures <= {verdict for verdict, _ in declared_hints.SAID}
