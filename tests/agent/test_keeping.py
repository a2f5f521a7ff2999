"""A registration that is kept through what happens to a machine: networks that die and come
back, another address, no address, sleep."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from phones.answering import Answering

from card.profile import Profile
from sipua.agent import surroundings
from sipua.agent.call_plan import ListenPlan
from sipua.agent.surroundings import Surroundings
from sipua.agent.user_agent import UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.errors import Unreachable
from sipua.ims import outage
from sipua.ims.outage import Outage, leads_on
from sipua.net.network import Network
from sipua.pytest_plugin import CoreFactory, UserAgentFactory
from sipua.result import RegistrationResult
from sipua.sip.hop import Hop
from sipua.verdict import Verdict

PATIENCE = 30.0


def test_the_back_off_of_rfc_5626(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubled up to half an hour, at least half of it; from the beginning after a success."""
    monkeypatch.undo()
    waits = Outage(random.Random(1))
    seen = [waits.wait() for _ in range(10)]
    for number, seconds in enumerate(seen):
        longest = min(1800.0, 30.0 * 2**number)
        assert longest / 2 <= seconds <= longest
    assert len(set(seen)) == 10
    waits.over()
    assert 15 <= waits.wait() <= 30


@pytest.mark.parametrize(
    ("verdict", "status", "leads"),
    [
        (Verdict.TIMEOUT, 0, True),
        (Verdict.UNREACHABLE, 0, True),
        (Verdict.TLS_FAILURE, 0, True),
        (Verdict.SERVER_ERROR, 503, True),
        (Verdict.REJECTED, 305, True),
        (Verdict.REJECTED, 600, True),
        (Verdict.REJECTED, 403, False),
        (Verdict.MAC_FAILURE, 403, False),
        (Verdict.NO_CARD, 401, False),
        (Verdict.REGISTERED, 200, False),
    ],
)
def test_when_another_pcscf_is_tried(verdict: Verdict, status: int, leads: bool) -> None:
    assert leads_on(verdict, status) is leads


class Staying:
    """``agent.stay`` in a thread."""

    def __init__(self, agent: UserAgent) -> None:
        assert agent.register().verdict is Verdict.REGISTERED
        self.agent = agent
        self.ended: list[RegistrationResult] = []
        self._thread = threading.Thread(target=lambda: self.ended.append(agent.stay()), daemon=True)
        self._thread.start()
        assert KEPT.wait(PATIENCE)

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert not self.ended, f"ended: {self.ended[0].verdict.value} {self.ended[0].reason}"
            assert time.monotonic() < end, what
            time.sleep(0.02)

    def finish(self) -> RegistrationResult:
        self.agent.interrupt()
        return self.result()

    def result(self) -> RegistrationResult:
        self._thread.join(PATIENCE)
        return self.ended[0]


KEPT = threading.Event()
"""Somebody has begun to keep a registration."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks and waits in tenths of seconds."""
    monkeypatch.setattr(surroundings, "LOOK", 0.1)
    monkeypatch.setattr(outage, "BASE", 0.2)
    begin = Surroundings.__init__

    def noted(self: Surroundings, network: Network, hop: Hop, now: float) -> None:
        begin(self, network, hop, now)
        KEPT.set()

    monkeypatch.setattr(Surroundings, "__init__", noted)
    KEPT.clear()


@pytest.fixture
def core(sipua_core_factory: CoreFactory) -> CoreServer:
    return sipua_core_factory(expiry=ExpiryPolicy(least=1, most=2))


def contacts(core: CoreServer, profile: Profile) -> list[str]:
    assert profile.isim is not None
    return [str(each.uri) for each in core.bindings(profile.isim.impi)]


@pytest.fixture
def reborn(sipua_card_profile: Profile) -> Iterator[Callable[[Hop], CoreServer]]:
    """Makes a network where another one was."""
    made: list[CoreServer] = []

    def make(hop: Hop) -> CoreServer:
        again = CoreServer([sipua_card_profile], [(hop.transport, hop.address, hop.port)])
        again.start()
        made.append(again)
        return again

    yield make
    for each in made:
        each.stop()


def test_a_network_that_dies_and_comes_back(
    core: CoreServer,
    sipua_card_profile: Profile,
    sipua_user_agent: UserAgentFactory,
    reborn: Callable[[Hop], CoreServer],
) -> None:
    hop = core.hop("UDP")
    told: list[str] = []
    agent = sipua_user_agent(pcscf=str(hop), keep_trying=True, timeout=1.0)
    stay = Staying(agent)
    core.stop()
    time.sleep(3)  # its binding runs out meanwhile
    again = reborn(hop)
    stay.wait(lambda: contacts(again, sipua_card_profile), "registered anew")
    ended = stay.finish()
    assert ended.verdict is Verdict.DEREGISTERED, (ended.reason, told)
    assert contacts(again, sipua_card_profile) == []


def test_without_being_told_to_nobody_keeps_trying(
    core: CoreServer, sipua_user_agent: UserAgentFactory
) -> None:
    stay = Staying(sipua_user_agent(pcscf=str(core.hop("UDP")), timeout=1.0))
    core.stop()
    assert stay.result().verdict is Verdict.UNREACHABLE


def test_an_outage_can_be_interrupted(
    core: CoreServer, sipua_user_agent: UserAgentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "BASE", 1000.0)
    agent = sipua_user_agent(pcscf=str(core.hop("UDP")), keep_trying=True, timeout=1.0)
    stay = Staying(agent)
    core.stop()
    time.sleep(4)
    assert stay.ended == []
    assert stay.finish().verdict is Verdict.INTERRUPTED


def test_another_address(
    core: CoreServer,
    sipua_card_profile: Profile,
    sipua_user_agent: UserAgentFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Registered anew from it, told to or not."""
    stay = Staying(sipua_user_agent(pcscf=str(core.hop("UDP"))))
    monkeypatch.setattr(Network, "source", lambda _network, _hop: "127.0.0.2")
    stay.wait(
        lambda: any("@127.0.0.2:" in each for each in contacts(core, sipua_card_profile)),
        "registered from the new address",
    )
    ended = stay.finish()
    assert ended.verdict is Verdict.DEREGISTERED
    assert "127.0.0.2" in (ended.local or "")


def test_no_address_for_a_while(
    core: CoreServer,
    sipua_card_profile: Profile,
    sipua_user_agent: UserAgentFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stay = Staying(sipua_user_agent(pcscf=str(core.hop("UDP")), keep_trying=True))

    def no_route(_network: Network, hop: Hop) -> str:
        raise Unreachable(f"{hop}: network is unreachable")

    looks = Network.source
    monkeypatch.setattr(Network, "source", no_route)
    stay.wait(lambda: not contacts(core, sipua_card_profile), "the binding runs out")
    monkeypatch.setattr(Network, "source", looks)
    stay.wait(lambda: contacts(core, sipua_card_profile), "registered anew")
    assert stay.finish().verdict is Verdict.DEREGISTERED


def test_renewed_after_a_sleep(
    sipua_core_factory: CoreFactory,
    sipua_user_agent: UserAgentFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[bytes] = []
    core = sipua_core_factory(
        on_message=lambda way, data, _hop: sent.append(data) if way == "received" else None
    )
    stay = Staying(sipua_user_agent(pcscf=str(core.hop("UDP"))))
    before = len(sent)
    drift = surroundings._drift()
    monkeypatch.setattr(surroundings, "_drift", lambda: drift + 3600)
    stay.wait(lambda: len(sent) > before, "a renewal")
    time.sleep(0.5)
    assert len(sent) <= before + 2, "one renewal is enough"
    assert stay.finish().verdict is Verdict.DEREGISTERED


def test_listening_goes_on_after_an_outage(
    core: CoreServer,
    sipua_card_profile: Profile,
    sipua_user_agent: UserAgentFactory,
    reborn: Callable[[Hop], CoreServer],
) -> None:
    hop = core.hop("UDP")
    agent = sipua_user_agent(pcscf=str(hop), keep_trying=True, timeout=1.0)
    with Answering(agent, ListenPlan()) as called:
        core.stop()
        time.sleep(3)
        again = reborn(hop)
        called.wait("registered", 2)
        assert contacts(again, sipua_card_profile)
        assert called.finish().verdict is Verdict.DEREGISTERED
