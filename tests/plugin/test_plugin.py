"""The pytest plugin as somebody else's project sees it: a test file of theirs, run by pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import sipua.pytest_plugin
from card.link import CardLink
from card.profile import Profile
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory, UserAgentFactory
from sipua.verdict import Verdict

pytest_plugins = ["pytester"]

THEIRS = """
def test_core_and_card(sipua_core, sipua_card, sipua_card_profile):
    assert sipua_card.transmit(bytes.fromhex("00A40004023F00")).hex().startswith("61")
    assert sipua_core.hop("UDP").port != sipua_core.hop("TCP").port
    assert sipua_core.bindings(sipua_card_profile.isim.impi) == []

def test_registered(sipua_registered, sipua_core, sipua_card_profile):
    (binding,) = sipua_core.bindings(sipua_card_profile.isim.impi)
    assert sipua_registered.deregister().verdict.value == "deregistered"
    assert sipua_core.bindings(sipua_card_profile.isim.impi) == []

def test_faults(sipua_core_factory, sipua_user_agent):
    core = sipua_core_factory(faults=["403"], listen=["TCP"])
    assert sipua_user_agent(pcscf=str(core.hops[0])).register().verdict.value == "rejected"
"""


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a test file in a pytest of its own that has our plugin, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(Path(sipua.pytest_plugin.__file__).parents[1]))

    def run(theirs: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(theirs)
        return pytester.runpytest_subprocess("-p", "sipua.pytest_plugin", *options)

    return run


def test_another_project_finds_the_fixtures(run: Run) -> None:
    run(THEIRS).assert_outcomes(passed=3)


def test_the_fixtures_are_documented(run: Run) -> None:
    text = run("", "--fixtures").stdout.str()
    for name in (
        "sipua_card_profile",
        "sipua_card",
        "sipua_core_factory",
        "sipua_core",
        "sipua_user_agent",
        "sipua_registered",
    ):
        assert f"{name} -- " in text, name


def test_the_plugin_costs_nothing_until_it_is_used(run: Run) -> None:
    result = run(
        """
        import sys

        def test_nothing_is_loaded():
            assert not [name for name in sys.modules if name.startswith(("sipua.", "card"))
                        and name != "sipua.pytest_plugin"]
        """
    )
    result.assert_outcomes(passed=1)


def test_a_project_may_have_another_card(run: Run) -> None:
    result = run(
        """
        import pytest
        from card.profile import shipped

        @pytest.fixture
        def sipua_card_profile():
            return shipped()._replace(imsi="001019999999999")

        def test_theirs(sipua_core_factory):
            assert sipua_core_factory(faults=["403@001019999999999"])
        """
    )
    result.assert_outcomes(passed=1)


def test_each_test_has_a_card_of_its_own(sipua_card: CardLink, sipua_card_profile: Profile) -> None:
    assert "emulated:" in sipua_card.reader
    assert sipua_card_profile.path in sipua_card.reader


def test_a_card_is_in_one_reader(sipua_card: CardLink, sipua_user_agent: UserAgentFactory) -> None:
    assert sipua_card.atr
    result = sipua_user_agent(pcscf="udp:127.0.0.1:5060").register()
    assert result.verdict is Verdict.CARD_ERROR
    assert "in use" in result.reason


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5"])
def test_our_user_agent_registers(
    sipua_core_factory: CoreFactory,
    sipua_user_agent: UserAgentFactory,
    sipua_card_profile: Profile,
    algorithm: str,
    transport: str,
) -> None:
    core: CoreServer = sipua_core_factory(algorithm=algorithm, listen=[transport])
    result = sipua_user_agent(pcscf=str(core.hops[0])).register()
    assert (result.verdict, result.algorithm) == (Verdict.REGISTERED, algorithm), result.reason
    assert sipua_card_profile.isim is not None
    assert len(core.bindings(sipua_card_profile.isim.impi)) == 1


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("wrong-mac", Verdict.MAC_FAILURE),
        ("sqn-behind", Verdict.REGISTERED),
        ("sqn-always-behind", Verdict.SYNC_FAILURE),
        ("md5", Verdict.NO_AKA_OFFERED),
        ("bad-nonce", Verdict.BAD_CHALLENGE),
        ("challenge-loop", Verdict.CHALLENGE_LOOP),
        ("403", Verdict.REJECTED),
        ("404", Verdict.REJECTED),
        ("421", Verdict.SECURITY_AGREEMENT),
        ("423=700000", Verdict.REGISTERED),
        ("494", Verdict.SECURITY_AGREEMENT),
        ("503=3600", Verdict.SERVER_ERROR),
        ("delay=0.1", Verdict.REGISTERED),
        ("double", Verdict.REGISTERED),
        ("drop-first=1", Verdict.REGISTERED),
        ("drop-every=2", Verdict.REGISTERED),
    ],
)
def test_each_fault_leads_our_user_agent_to_its_verdict(
    sipua_core_factory: CoreFactory,
    sipua_user_agent: UserAgentFactory,
    fault: str,
    verdict: Verdict,
) -> None:
    core = sipua_core_factory(faults=[fault], listen=["UDP"])
    result = sipua_user_agent(pcscf=str(core.hops[0])).register()
    assert result.verdict is verdict, result.reason
    assert result.resynchronised is (fault == "sqn-behind")


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize(
    ("fault", "verdicts"),
    [
        ("silence", {Verdict.TIMEOUT}),
        # a datagram that comes just before the socket is closed is swallowed
        ("die", {Verdict.UNREACHABLE, Verdict.TIMEOUT}),
    ],
)
def test_a_network_that_falls_silent(
    sipua_core_factory: CoreFactory,
    sipua_user_agent: UserAgentFactory,
    fault: str,
    verdicts: set[Verdict],
    transport: str,
) -> None:
    core = sipua_core_factory(faults=[fault], listen=[transport])
    result = sipua_user_agent(pcscf=str(core.hops[0]), timeout=1.5).register()
    assert result.verdict in verdicts, result.reason


@pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int",)])
def test_each_protection_that_is_offered_is_answered(
    sipua_core_factory: CoreFactory, sipua_user_agent: UserAgentFactory, qop: tuple[str, ...]
) -> None:
    core = sipua_core_factory(listen=["UDP"], qop=qop)
    result = sipua_user_agent(pcscf=str(core.hops[0])).register()
    assert result.verdict is Verdict.REGISTERED, result.reason


def test_a_registration_is_removed(
    sipua_registered: UserAgent, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    assert sipua_card_profile.isim is not None
    assert sipua_core.bindings(sipua_card_profile.isim.impi)
    assert sipua_registered.deregister().verdict is Verdict.DEREGISTERED
    assert not sipua_core.bindings(sipua_card_profile.isim.impi)
