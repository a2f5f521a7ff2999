"""Calls of real user agents in a network that misbehaves: each ends in its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from net.certificates import Authority
from phones.answering import Answering

from card.profile import Profile, load
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import CallResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

AT_ONCE = CallPlan(duration=0)


@pytest.fixture
def callee_profile(sipua_card_profile: Profile, tmp_path: Path) -> Profile:
    path = tmp_path / "callee.toml"
    text = Path(sipua_card_profile.path).read_text()
    imsi = sipua_card_profile.imsi
    path.write_text(text.replace(imsi, f"{int(imsi) + 1:015}").replace("+1555", "+1556"))
    return load(str(path))


@pytest.fixture
def core(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, callee_profile: Profile
) -> CoreServer:
    return sipua_core_factory(profiles=[sipua_card_profile, callee_profile])


def agent_of(core: CoreServer, profile: Profile, transport: str = "UDP") -> UserAgent:
    settings = AgentSettings(pcscf=str(core.hop(transport)))
    return UserAgent(CardChoice(f"emulated:{profile.path}"), settings)


def uri_of(profile: Profile) -> str:
    assert profile.isim is not None
    return profile.isim.impu[0]


def called(
    core: CoreServer, caller: Profile, callee: Profile, fault: str, transport: str = "UDP"
) -> CallResult:
    with Answering(agent_of(core, callee, transport)), agent_of(core, caller, transport) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        core.faults.add(f"{fault}@{caller.imsi}")
        return agent.call(uri_of(callee), AT_ONCE)


@pytest.mark.parametrize(
    ("fault", "verdict", "status"),
    [
        ("invite-486", Verdict.BUSY, 486),
        ("invite-603", Verdict.DECLINED, 603),
        ("invite-503=1", Verdict.SERVER_ERROR, 503),
        ("invite-407-storm", Verdict.CHALLENGE_LOOP, 407),
        ("invite-401-and-407", Verdict.OK, 200),
        ("invite-200-challenge", Verdict.OK, 200),
        ("invite-long-challenge=500", Verdict.OK, 200),
    ],
)
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_each_fault_ends_in_its_verdict(
    core: CoreServer,
    sipua_card_profile: Profile,
    callee_profile: Profile,
    fault: str,
    verdict: Verdict,
    status: int,
    transport: str,
) -> None:
    result = called(core, sipua_card_profile, callee_profile, fault, transport)
    assert result.verdict is verdict, result.reason
    answers = [step.status for step in result.exchange if step.method == "INVITE"]
    assert answers[-1] == status


def test_a_302_is_told_and_not_followed(
    core: CoreServer, sipua_card_profile: Profile, callee_profile: Profile
) -> None:
    result = called(core, sipua_card_profile, callee_profile, "invite-302=5099")
    assert result.exchange[-1].status == 302
    assert result.verdict is not Verdict.OK


def test_two_realms_end_at_once(
    core: CoreServer, sipua_card_profile: Profile, callee_profile: Profile
) -> None:
    """Whichever is answered: the card is asked no more than twice."""
    result = called(core, sipua_card_profile, callee_profile, "invite-two-realms")
    assert result.verdict in (Verdict.OK, Verdict.CHALLENGE_LOOP)
    challenges = [step for step in result.exchange if step.status == 407]
    assert len(challenges) <= 3


def test_both_phones_of_a_subscriber_ring(
    core: CoreServer, sipua_card_profile: Profile, callee_profile: Profile, tmp_path: Path
) -> None:
    second = tmp_path / "second.toml"
    second.write_text(Path(callee_profile.path).read_text())
    other = load(str(second))
    busy = ListenPlan(what="busy")
    with (
        Answering(agent_of(core, callee_profile), busy) as first,
        Answering(agent_of(core, other)) as second_phone,
        agent_of(core, sipua_card_profile) as agent,
    ):
        first.wait("registered")
        second_phone.wait("registered")
        result = agent.call(uri_of(callee_profile), AT_ONCE)
        assert result.verdict is Verdict.OK, result.reason
        first.wait("ended")
        assert second_phone.wait("ended")["cause"] == "peer-hung-up"


def test_a_network_that_listens_on_all_addresses(
    sipua_card_profile: Profile, callee_profile: Profile
) -> None:
    """It has to know itself in Route by the address it was reached at."""
    server = CoreServer(
        [sipua_card_profile, callee_profile],
        [("UDP", "0.0.0.0", 0), ("TCP", "0.0.0.0", 0)],
        challenge={"*": 407},
        allow_remote=True,
    )
    with server as core:
        there = str(core.hop("UDP")).replace("0.0.0.0", "127.0.0.1")
        settings = AgentSettings(pcscf=there)
        callee = UserAgent(CardChoice(f"emulated:{callee_profile.path}"), settings)
        caller = UserAgent(CardChoice(f"emulated:{sipua_card_profile.path}"), settings)
        with Answering(callee) as other, caller as agent:
            result = agent.call(uri_of(callee_profile), AT_ONCE)
            assert result.verdict is Verdict.OK, result.reason
            assert other.wait("ended")["cause"] == "peer-hung-up"


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_phone_that_was_switched_off_delays_nothing(
    core: CoreServer,
    sipua_card_profile: Profile,
    callee_profile: Profile,
    tmp_path: Path,
    transport: str,
) -> None:
    """It is still registered, at a port where nobody is; the other one is busy."""
    second = tmp_path / "second.toml"
    second.write_text(Path(callee_profile.path).read_text())
    with agent_of(core, load(str(second)), transport) as gone:
        assert gone.register().verdict is Verdict.REGISTERED
    with (
        Answering(agent_of(core, callee_profile), ListenPlan(what="busy")) as phone,
        agent_of(core, sipua_card_profile) as agent,
    ):
        phone.wait("registered")
        assert callee_profile.isim is not None
        assert len(core.bindings(callee_profile.isim.impi)) == 2
        result = agent.call(uri_of(callee_profile), CallPlan(ring_timeout=20.0))
        assert result.verdict is Verdict.BUSY, result.reason


@pytest.mark.parametrize(
    ("caller_by", "callee_by"),
    [("UDP", "TCP"), ("TCP", "UDP"), ("TLS", "UDP"), ("UDP", "TLS"), ("TLS", "TLS")],
)
def test_the_proxy_stands_between_two_transports(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    callee_profile: Profile,
    tmp_path: Path,
    caller_by: str,
    callee_by: str,
) -> None:
    """Two Record-Routes (RFC 5658): every request of the call, BYE of either, finds its way."""
    authority = Authority(tmp_path)
    core = sipua_core_factory(
        profiles=[sipua_card_profile, callee_profile],
        listen=["UDP", "TCP", "TLS"],
        tls=authority.issue(["127.0.0.1", "localhost"]),
        challenge={"INVITE": 407},
    )

    def agent_by(transport: str, profile: Profile) -> UserAgent:
        settings = AgentSettings(
            pcscf=f"{transport.lower()}:127.0.0.1:{core.hop(transport).port}",
            ca_file=str(authority.file),
        )
        return UserAgent(CardChoice(f"emulated:{profile.path}"), settings)

    for ours, theirs in ((AT_ONCE, ListenPlan(ring=0.1)), (CallPlan(), ListenPlan(duration=0))):
        with (
            Answering(agent_by(callee_by, callee_profile), theirs) as other,
            agent_by(caller_by, sipua_card_profile) as agent,
        ):
            result = agent.call(uri_of(callee_profile), ours)
            assert result.verdict is Verdict.OK, result.reason
            assert other.wait("ended")["status"] == 200
