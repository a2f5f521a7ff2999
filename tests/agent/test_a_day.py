"""A day of a registration that stays, in virtual time: the program's own code but for sockets
and clock."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.virtual_kernel import MOST_SETS
from agent.virtual_world import UDP_HEADER, World
from card.masking import TracedApdu
from card.profile import Profile
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.errors import LocalError
from sipua.ipsec.packet import UDP, Packet
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

HOUR = 3600.0
FIRST, SECOND = "198.51.100.1", "198.51.100.2"

LOOK = 5.0  # seconds after which a network has noticed at last that time has passed
SHORTLY = 200.0  # seconds, longer than 64*T1 of anybody


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    made = World(monkeypatch, tmp_path)
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


class Watch:
    """Looks at the security associations of all machines once a minute, and at what goes over
    the wire in the clear."""

    OURS, THEIRS = 32.0, 128.0
    """Seconds that user agent and P-CSCF keep old associations for their transactions."""

    def __init__(self, world: World, asked: list[float]) -> None:
        self.clear: set[str] = set()
        self.too_many: list[tuple[float, float, int, int]] = []
        self._world = world
        self._asked = asked
        self._began = world.now
        self._looks = 0
        world.on_wire = self._note_packet
        for minute in range(int(24 * HOUR / 60)):
            world.at(60 * minute + 1, self._look)

    def _note_packet(self, packet: Packet) -> None:
        if packet.protocol == UDP:
            what = packet.payload[UDP_HEADER:].split(b" ")
            sender = "network" if packet.source in self._world.kernels else "terminal"
            self.clear.add(f"{sender} {what[0 if what[1].startswith(b'sip:') else 1].decode()}")

    def _look(self, *, again: bool = False) -> None:
        """More than one set can be in the middle of an authentication, which lasts no second."""
        world, now = self._world, self._world.now - self._began
        since = now - self._asked[-1]
        ours, theirs = world.kernel.sets, sum(each.sets for each in world.kernels.values())
        too_late = (ours > 1 and since > self.OURS) or (theirs > 1 and since > self.THEIRS)
        if max(ours, theirs) > MOST_SETS or (too_late and again):
            self.too_many.append((now, since, ours, theirs))
        elif too_late:
            world.at(LOOK, lambda: self._look(again=True))
        self._looks += not again

    def check(self) -> None:
        """At the end of the day, with everybody still there."""
        world = self._world
        assert self._looks == 24 * 60
        assert self.too_many == []
        assert len(self._asked) > 24 * 11
        # the second network, which counts for itself, was out of step once
        assert world.kernel.sets_there_were == len(self._asked) - 1
        assert sum(each.sets_there_were for each in world.kernels.values()) == len(self._asked)
        assert self.clear <= {"terminal REGISTER", "network 401"}
        for kernel in (world.kernel, *world.kernels.values()):
            assert kernel.sets == 0
            assert kernel.sealed > 100


@pytest.mark.parametrize("ipsec", ["off", "require"])
def test_a_day(world: World, profile: Profile, monkeypatch: pytest.MonkeyPatch, ipsec: str) -> None:
    """Hundreds of renewals; the network authenticates anew, and ends the registration; a P-CSCF
    is lost; an hour offline; another address. At the end nothing is left over: no association,
    no socket, no file, no timer."""
    two_ways(monkeypatch, world)
    expiry = ExpiryPolicy(least=60, most=600)
    first = world.core(FIRST, [profile], expiry=expiry, ipsec=ipsec)
    second = world.core(SECOND, [profile], expiry=expiry, ipsec=ipsec)
    told: list[tuple[float, str]] = []
    began = world.now
    asked: list[float] = []

    def note_apdu(apdu: TracedApdu) -> None:
        if apdu.command.startswith("0088"):
            asked.append(world.now - began)

    observer = Observer(
        on_news=lambda text: told.append((world.now - began, text)), on_apdu=note_apdu
    )
    settings = AgentSettings(keep_trying=True, reg_event=True, ipsec=ipsec)
    seen: dict[str, bool] = {}

    def look(name: str, check: Callable[[], bool]) -> Callable[[], None]:
        def note() -> None:
            seen[name] = check()

        return note

    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings, observer) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        watch = Watch(world, asked) if ipsec == "require" else None
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
        world.at(6 * HOUR, look("nothing left at the first", lambda: is_clean(world, FIRST)))
        world.at(7 * HOUR, look("after the first is lost", lambda: bound(second, profile)))

        def offline() -> None:
            world.online = False

        def back() -> None:
            world.online, world.address = True, "192.0.2.99"

        world.at(12 * HOUR, offline)
        world.at(12.9 * HOUR, look("offline", lambda: bound(second, profile)))
        world.at(12.9 * HOUR, look("unprotected offline", lambda: world.kernel.is_clean))
        world.at(13 * HOUR, back)
        world.at(14.6 * HOUR, look("online again", lambda: bound(second, profile)))
        world.at(24 * HOUR, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, (result.reason, told)
        assert world.now - began >= 24 * HOUR
        assert "192.0.2.99" in (result.local or "")
        assert world.kernel.sets == 0
        let_timers_run_out(world, agent)
    assert seen == {
        "authenticated anew": True,
        "after deactivation": True,
        "six hours": True,
        "nothing left at the first": True,
        "after the first is lost": True,
        "offline": False,
        "unprotected offline": True,
        "online again": True,
    }, told
    assert not bound(second, profile)
    assert world.kernel.is_clean
    assert world.ports_of("192.0.2.11") == world.ports_of("192.0.2.99") == []
    assert_idle(world, second)
    if watch is not None:
        watch.check()
    second.stop()
    assert is_clean(world, SECOND)
    assert world.open_networks == [], "sockets are left over"


def is_clean(world: World, address: str) -> bool:
    """Whether a network that has ended has left nothing."""
    return world.kernels[address].is_clean and world.ports_of(address) == []


def let_timers_run_out(world: World, agent: UserAgent) -> None:
    """Those of the transactions that were going on; then there are none."""
    switchboard, until = agent._equipment.switchboard(), world.now + SHORTLY
    while world.now < until:
        switchboard.turn(until)
    assert switchboard.driver.endpoint.deadline() is None
    assert agent._conversation is not None
    assert agent._conversation.deadline() is None
    if switchboard.protection is not None:
        assert switchboard.protection.earlier(None) is None


def assert_idle(world: World, core: CoreServer) -> None:
    """Nothing is left of a subscriber who has gone."""
    world.wait(SHORTLY)
    assert core._elements is not None
    assert core._elements.deadline() is None
    if core.protection is not None:
        pcscf = core.protection.pcscf
        assert world.kernels[core.hop("UDP").address].sets == 0
        assert pcscf._terminals == {}
        assert pcscf._later == []
        assert world.ports_of(pcscf.server[0]) == sorted([5060, pcscf.server[1]])


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


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_on_a_bad_line(
    world: World, profile: Profile, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Three packets in ten are lost, and the network authenticates anew and ends registrations
    again and again. Nothing is left over, and nothing went in the clear."""
    two_ways(monkeypatch, world)
    expiry = ExpiryPolicy(least=60, most=600)
    cores = [
        world.core(address, [profile], expiry=expiry, ipsec="require")
        for address in (FIRST, SECOND)
    ]
    chance = random.Random(seed)
    world.loses = lambda packet: chance.random() < 0.3
    settings = AgentSettings(keep_trying=True, reg_event=True, ipsec="require")
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        while agent.register().verdict is not Verdict.REGISTERED:
            world.wait(60)
        watch = Watch(world, [math.inf])  # how long ago is no matter
        impi = agent._result.impi or ""

        def everywhere(act: Callable[[CoreServer], None]) -> Callable[[], None]:
            def do() -> None:
                for core in cores:
                    with suppress(LocalError):  # he is not registered there
                        act(core)

            return do

        for hour in range(23):
            world.at(hour * HOUR + 777, everywhere(lambda core: core.shorten(impi, 60)))
            world.at(hour * HOUR + 1777, everywhere(lambda core: core.deregister(impi)))
        world.at(24 * HOUR, agent.interrupt)
        result = agent.stay()
        assert result.verdict in (Verdict.DEREGISTERED, Verdict.INTERRUPTED), result.reason
        let_timers_run_out(world, agent)
    world.wait(700)
    for core in cores:
        assert_idle(world, core)
        core.stop()
    assert watch.clear <= {"terminal REGISTER", "network 401", "network 403", "network 503"}
    assert max([ours for _, _, ours, _ in watch.too_many], default=0) <= MOST_SETS
    assert world.kernel.is_clean
    assert is_clean(world, FIRST)
    assert is_clean(world, SECOND)
    assert world.open_networks == []


def test_an_answer_that_is_lost(world: World, profile: Profile) -> None:
    """The network has confirmed new associations and we do not know: what follows is offered
    anew, under the old ones (TS 33.203 §7.3.1.4)."""
    answers: list[tuple[float, str]] = []
    began = world.now

    def note(way: str, data: bytes, _hop: object) -> None:
        if way == "sent" and b" REGISTER\r\n" in data and data.startswith(b"SIP/2.0"):
            answers.append((world.now - began, data[8:11].decode()))
            if len(answers) == 4:  # the 200 to the first renewal
                until = world.now + 33
                world.loses = lambda packet: world.now < until

    core = world.core(
        FIRST, [profile], on_message=note, ipsec="require", expiry=ExpiryPolicy(least=60, most=600)
    )
    settings = AgentSettings(pcscf=f"udp:{FIRST}:5060", ipsec="require")
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        world.at(400, agent.interrupt)
        assert agent.stay().verdict is Verdict.DEREGISTERED
    told = [status for at, status in answers if at < 390]
    assert [each for index, each in enumerate(told) if each != told[index - 1]] == told[:2] * 3
    assert_idle(world, core)
    assert world.kernel.is_clean


def test_authenticated_again_and_again(world: World, profile: Profile) -> None:
    """Sooner than transactions end: of the old associations the last ones are kept, no more
    (TS 33.203 §7.4.1a)."""
    core = world.core(FIRST, [profile], ipsec="require", expiry=ExpiryPolicy(least=60, most=600))
    settings = AgentSettings(pcscf=f"udp:{FIRST}:5060", ipsec="require", reg_event=True)
    most = [0]
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        impi = agent._result.impi or ""

        def shorten() -> None:
            core.shorten(impi, 50 + chance.random())
            most[0] = max(most[0], world.kernel.sets, world.kernels[FIRST].sets)

        chance = random.Random(1)
        for second in range(10, 600, 7):
            world.at(second, shorten)
        world.at(610, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, result.reason
    assert MOST_SETS - 1 <= most[0] <= MOST_SETS
    assert_idle(world, core)
    assert world.kernel.is_clean


@pytest.mark.parametrize("late", [0.0, 0.02, 0.04, 0.06, 0.08])
@pytest.mark.parametrize("event", ["shortened", "deactivated", "probation"])
def test_what_the_network_wants_in_the_middle_of_a_renewal(
    world: World, profile: Profile, event: str, late: float
) -> None:
    """That at half of the time: it is not begun twice, and its answer comes too late where the
    registration has ended."""
    core = world.core(FIRST, [profile], expiry=ExpiryPolicy(least=60, most=600))
    settings = AgentSettings(pcscf=f"udp:{FIRST}:5060", reg_event=True)
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        impi = agent._result.impi or ""

        def act() -> None:
            if event == "shortened":
                core.shorten(impi, 60)
            else:
                core.deregister(impi, event, 20)

        world.at(300 + late - 0.03, act)
        world.at(400, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, result.reason


@pytest.mark.parametrize("keep_trying", [True, False])
def test_a_registration_that_ran_out(world: World, profile: Profile, keep_trying: bool) -> None:
    """As nothing of ours got through: who is to keep trying begins anew."""
    core = world.core(FIRST, [profile])
    settings = AgentSettings(
        pcscf=f"udp:{FIRST}:5060", reg_event=True, keep_trying=keep_trying, timeout=8.0
    )
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        impi, until = agent._result.impi or "", world.now + 60
        world.at(10, lambda: core.shorten(impi, 2))
        world.loses = lambda packet: world.now < until and b"REGISTER sip:" in packet.payload
        world.at(300, agent.interrupt)
        result = agent.stay()
        assert result.verdict is (Verdict.DEREGISTERED if keep_trying else Verdict.REJECTED)


@pytest.mark.parametrize("ipsec", ["off", "require"])
def test_the_end_of_a_registration_is_acknowledged(
    world: World, profile: Profile, ipsec: str
) -> None:
    """The NOTIFY that tells of it is answered before everything is closed (TS 24.229 §5.1.1.7)."""
    seen: list[str] = []

    def note(way: str, data: bytes, _hop: object) -> None:
        if way == "sent" and data.startswith(b"NOTIFY") and b"terminated;" in data:
            seen.append("told")
        if way == "received" and data.startswith(b"SIP/2.0 200") and b" NOTIFY" in data and seen:
            seen.append("answered")

    core = world.core(FIRST, [profile], on_message=note, ipsec=ipsec)
    settings = AgentSettings(pcscf=f"udp:{FIRST}:5060", reg_event=True, ipsec=ipsec)
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        impi = agent._result.impi or ""
        world.at(10, lambda: core.deregister(impi, "rejected"))
        assert agent.stay().verdict is Verdict.REJECTED
    world.wait(60)
    assert seen == ["told", "answered"]
