"""A network that loses registrations and asks for new ones by 504 (TS 24.229 §5.1.2A.1.6)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from phones.answering import Answering

from agent.two_subscribers import Listener, agent_of, uri_of
from agent.virtual_world import World
from card.profile import Profile
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.texts.texter import Texter
from sipua.agent.texts.ussd_agent import UssdAgent
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core import restoration
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.verdict import Verdict

BEGUN = ["REGISTER 401", "REGISTER 200"]


@pytest.fixture
def core(sipua_core_factory: CoreFactory, cards: tuple[Profile, Profile]) -> CoreServer:
    return sipua_core_factory(profiles=cards)


def steps(result: RegistrationResult) -> list[str]:
    return [f"{each.method} {each.status}" for each in result.exchange]


def test_a_message_is_sent_again_on_a_new_registration(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    told: list[str] = []
    hop = core.hop("UDP")
    with (
        Listener(bob, hop) as listener,
        agent_of(alice, hop, Observer(on_news=told.append)) as agent,
    ):
        assert agent.register().verdict is Verdict.REGISTERED
        core.faults.add(f"restoration@{alice.imsi}")
        result = agent.message(uri_of(bob), "hello")
        assert result.verdict is Verdict.OK, result.reason
        assert steps(result) == ["MESSAGE 504", *BEGUN, "MESSAGE 200"]
        assert [text for text in told if "the registration was lost" in text]
        listener.wait(1)
        assert listener.texts == ["hello"]
        assert steps(agent.message(uri_of(bob), "again")) == ["MESSAGE 200"]


def test_it_is_sent_again_once_and_no_more(core: CoreServer, alice: Profile, bob: Profile) -> None:
    """What is asked for so soon after is put off (RFC 5626 §4.5)."""
    with agent_of(alice, core.hop("UDP")) as agent:
        core.faults.add(f"restoration=3@{alice.imsi}")
        result = agent.options(uri_of(bob))
        assert result.verdict is Verdict.SERVER_ERROR
        assert steps(result) == [*BEGUN, "OPTIONS 504", *BEGUN, "OPTIONS 504"]
        assert agent._restoration.at is not None
        assert agent._restoration.at > time.monotonic() + 10


def test_a_call_is_placed_again_on_a_new_registration(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    hop = core.hop("UDP")
    reports: list[CallReport] = []
    with Answering(agent_of(bob, hop), ListenPlan(media="none")) as called:
        core.faults.add(f"restoration@{alice.imsi}")
        with agent_of(alice, hop) as agent:
            plan = CallPlan(duration=0.2, media="none")
            result = agent.call(uri_of(bob), plan, reports.append)
        assert result.verdict is Verdict.OK, result.reason
        told = [each.event for each in reports]
        assert told[:4] == ["registered", "calling", "ended", "registered"]
        assert told[-1] == "ended"
        assert "established" in told
        assert {each.call for each in reports} == {0, 1, 2}
        called.wait("ended")


def test_a_short_message_goes_out_again(core: CoreServer, alice: Profile) -> None:
    """All of it, as the service centre has taken nothing."""
    hop = core.hop("UDP")
    choice, settings = CardChoice(f"emulated:{alice.path}"), AgentSettings(pcscf=str(hop))
    with Texter(choice, settings, psi="sip:sc@example.org", service_centre="+15550000") as agent:
        core.faults.add(f"restoration@{alice.imsi}")
        result = agent.send("+15551234", "x" * 200)
    assert result.parts == 2
    assert steps(result)[:5] == [*BEGUN, "MESSAGE 504", *BEGUN]
    assert "MESSAGE 202" in steps(result)


def test_a_short_message_is_not_sent_again_when_a_part_was_taken(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    hop = core.hop("UDP")

    def strike(way: str, data: bytes, _hop: Hop) -> None:
        if way == "received" and data.startswith(b"SIP/2.0 202"):
            core.faults.add(f"restoration@{alice.imsi}")

    choice, settings = CardChoice(f"emulated:{alice.path}"), AgentSettings(pcscf=str(hop))
    centre = {"psi": "sip:sc@example.org", "service_centre": "+15550000"}
    with (
        Answering(agent_of(bob, hop)),
        Texter(choice, settings, Observer(on_message=strike), **centre) as agent,
    ):
        result = agent.send("+15550100005", "x" * 200)
    assert (result.parts, result.submitted) == (2, 1)
    assert steps(result)[:3] == [*BEGUN, "MESSAGE 202"]
    assert steps(result).count("REGISTER 200") == 1


def test_a_code_is_dialled_again(core: CoreServer, alice: Profile) -> None:
    hop = core.hop("UDP")
    choice, settings = CardChoice(f"emulated:{alice.path}"), AgentSettings(pcscf=str(hop))
    with UssdAgent(choice, settings) as agent:
        core.faults.add(f"restoration@{alice.imsi}")
        result = agent.ussd("*100#")
    assert steps(result) == [*BEGUN, "INVITE 504", *BEGUN, "INVITE 404"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BODY", b"<ims-3gpp"),
        ("BODY", b"<a>" * 20_000),
        ("BODY", restoration.BODY.replace(b"restoration<", b"emergency<")),
        ("CONTENT_TYPE", "application/xml"),
    ],
)
def test_another_504_changes_nothing(
    core: CoreServer,
    alice: Profile,
    bob: Profile,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: object,
) -> None:
    monkeypatch.setattr(restoration, name, value)
    with agent_of(alice, core.hop("TCP")) as agent:
        core.faults.add(f"restoration@{alice.imsi}")
        result = agent.options(uri_of(bob))
        assert result.verdict is Verdict.SERVER_ERROR
        assert steps(result) == [*BEGUN, "OPTIONS 504"]


# In virtual time ----------------------------------------------------------------------------


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    made = World(monkeypatch, tmp_path)
    yield made
    for core in made.cores:
        core.stop()


def staying(
    world: World,
    profile: Profile,
    fault: str,
    seconds: float,
    at: Callable[[CoreServer], None],
    ipsec: str = "off",
) -> tuple[list[float], list[float], RegistrationResult]:
    """When initial REGISTERs and 504s were seen in an agent's stay of so many seconds."""
    begun: list[float] = []
    asked: list[float] = []
    start = world.now

    def note(way: str, data: bytes, _hop: Hop) -> None:
        if way == "received" and data.startswith(b"REGISTER") and b'nonce=""' in data:
            begun.append(world.now - start)
        if way == "sent" and data.startswith(b"SIP/2.0 504"):
            asked.append(world.now - start)

    core = world.core("198.51.100.1", [profile], on_message=note, ipsec=ipsec)
    settings = AgentSettings(pcscf="udp:198.51.100.1:5060", reg_event=True, ipsec=ipsec)
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        core.faults.add(fault)
        at(core)
        world.at(seconds, agent.interrupt)
        return begun, asked, agent.stay()


@pytest.mark.parametrize("ipsec", ["off", "require"])
def test_a_registration_that_stays_is_made_anew(world: World, alice: Profile, ipsec: str) -> None:
    """The SUBSCRIBE to the reg event is told so; the one after it follows the new registration,
    and what protected the old one is gone."""
    seen: list[int] = []

    def at(core: CoreServer) -> None:
        def look() -> None:
            assert alice.isim is not None
            seen.append(len(core.bindings(alice.isim.impi)))
            seen.append(len(core.watches(alice.isim.impi)))
            seen.append(world.kernel.sets)

        world.at(60, look)

    begun, asked, result = staying(world, alice, "restoration", 120, at, ipsec)
    assert result.verdict is Verdict.DEREGISTERED, result.reason
    assert seen == [1, 1, int(ipsec == "require")]
    assert world.kernel.is_clean
    assert len(asked) == 1
    assert len([each for each in begun if each < 60]) == 2
    assert begun[1] - asked[0] < 1


def test_a_network_that_never_stops_asking_is_given_time(world: World, alice: Profile) -> None:
    """Half to all of 30 s, 60 s, 120 s … between two registrations."""
    begun, asked, result = staying(world, alice, "restoration=1000000", 7200, lambda _: None)
    assert result.verdict is Verdict.DEREGISTERED, result.reason
    waits = [after - before for before, after in zip(asked[1:], begun[2:], strict=False)]
    assert len(waits) >= 6
    for number, wait in enumerate(waits[:6]):
        longest = 30.0 * 2**number
        assert longest / 2 <= wait <= longest + 1
    assert len(begun) < 15
