"""A day of a registration that stays, in virtual time: the program's own code but for sockets
and clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from virtual_world import World

from card.masking import TracedApdu
from card.profile import Profile
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

HOUR = 3600.0
FIRST, SECOND = "198.51.100.1", "198.51.100.2"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(monkeypatch)
    yield made
    for core in made.cores:
        core.stop()


@pytest.fixture
def profile(sipua_card_profile: Profile) -> Profile:
    return sipua_card_profile


def two_ways(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Two P-CSCFs in the order of their names."""
    from sipua.sip.hop import Hop

    def located(*_: object) -> list[Hop]:
        return [Hop("UDP", address, 5060) for address in (FIRST, SECOND)]

    monkeypatch.setattr("sipua.agent.equipment.locate", located)


def bound(core: CoreServer, profile: Profile) -> bool:
    assert profile.isim is not None
    return bool(core.bindings(profile.isim.impi))


def test_a_day(world: World, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of renewals; the network authenticates anew, and ends the registration; a P-CSCF
    is lost; an hour offline; another address. At the end nothing is left over."""
    two_ways(monkeypatch, world)
    expiry = ExpiryPolicy(least=60, most=600)
    first = world.core(FIRST, [profile], expiry=expiry)
    second = world.core(SECOND, [profile], expiry=expiry)
    told: list[tuple[float, str]] = []
    began = world.now
    asked: list[float] = []

    def note_apdu(apdu: TracedApdu) -> None:
        if apdu.command.startswith("0088"):
            asked.append(world.now - began)

    observer = Observer(
        on_news=lambda text: told.append((world.now - began, text)), on_apdu=note_apdu
    )
    settings = AgentSettings(keep_trying=True, reg_event=True)
    seen: dict[str, bool] = {}

    def look(name: str, check: Callable[[], bool]) -> Callable[[], None]:
        def note() -> None:
            seen[name] = check()

        return note

    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings, observer) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        impi = agent._result.impi or ""
        world.at(3 * HOUR + 100, lambda: first.shorten(impi, 60))
        world.at(
            3 * HOUR + 110,
            look("authenticated anew", lambda: any(at > 3 * HOUR + 100 for at in asked)),
        )
        world.at(4 * HOUR, lambda: first.deregister(impi, "deactivated"))
        world.at(4 * HOUR + 10, look("after deactivation", lambda: bound(first, profile)))
        world.at(6 * HOUR, look("six hours", lambda: bound(first, profile)))
        world.at(6 * HOUR, first.stop)
        world.at(6 * HOUR, lambda: world.cores.remove(first))
        world.at(7 * HOUR, look("after the first is lost", lambda: bound(second, profile)))

        def offline() -> None:
            world.online = False

        def back() -> None:
            world.online, world.address = True, "192.0.2.99"

        world.at(12 * HOUR, offline)
        world.at(12.9 * HOUR, look("offline", lambda: bound(second, profile)))
        world.at(13 * HOUR, back)
        world.at(14.6 * HOUR, look("online again", lambda: bound(second, profile)))
        world.at(24 * HOUR, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, (result.reason, told)
        assert world.now - began >= 24 * HOUR
        assert "192.0.2.99" in (result.local or "")
    assert seen == {
        "authenticated anew": True,
        "after deactivation": True,
        "six hours": True,
        "after the first is lost": True,
        "offline": False,
        "online again": True,
    }, told
    assert not bound(second, profile)
    second.stop()
    assert world.open_networks == [], "sockets are left over"


def test_hundreds_of_renewals(world: World, profile: Profile) -> None:
    """Each in its time."""
    sent: list[float] = []

    def note(way: str, data: bytes, _hop: object) -> None:
        if way == "received" and data.startswith(b"REGISTER"):
            sent.append(world.now)

    core = world.core(FIRST, [profile], expiry=ExpiryPolicy(least=60, most=600), on_message=note)
    settings = AgentSettings(pcscf=f"udp:{FIRST}:5060")
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        world.at(24 * HOUR, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, result.reason
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    renewals = [gap for gap in gaps if gap > 1][:-1]  # the last is the end of the day
    assert len(renewals) >= 24 * 12 - 2
    assert max(renewals) <= 301
    assert min(renewals) >= 299
    assert not bound(core, profile)
