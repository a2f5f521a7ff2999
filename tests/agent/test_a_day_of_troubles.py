"""A day in virtual time with whatever can happen to a registration, one thing after another."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.test_a_day import (
    FIRST,
    HOUR,
    SECOND,
    Watch,
    assert_idle,
    is_clean,
    let_timers_run_out,
    two_ways,
)
from agent.virtual_kernel import MOST_SETS
from agent.virtual_world import World
from card.profile import Profile
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.errors import LocalError
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

FAULTS = ("500", "503=20", "restoration", "sqn-behind")
LONGEST = (5.0, 40.0, 100.0, 400.0, 1500.0)
"""Seconds that a trouble lasts."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    made = World(monkeypatch, tmp_path)
    yield made
    for core in made.cores:
        core.stop()


class Troubles:
    """Begins one after another, and ends it, until two hours before the end of the day."""

    def __init__(self, world: World, cores: list[CoreServer], impi: str, seed: int) -> None:
        self._world = world
        self._cores = cores
        self._impi = impi
        self._chance = chance = random.Random(seed)
        self._loss = 0.0
        world.loses = lambda _packet: chance.random() < self._loss
        at = 100.0
        while at < 22 * HOUR:
            lasting = chance.choice(LONGEST)
            begin = chance.choice((self._lossy, self._measure, self._offline, self._faulty))
            begin(at, lasting)
            at += lasting + chance.choice((1, 200, 1000))

    def _lossy(self, at: float, lasting: float) -> None:
        loss = self._chance.choice((0.1, 0.3, 0.5, 0.8, 1.0))
        self._world.at(at, lambda: setattr(self, "_loss", loss))
        self._world.at(at + lasting, lambda: setattr(self, "_loss", 0.0))

    def _measure(self, at: float, _lasting: float) -> None:
        """What networks do of their own accord."""
        impi = self._impi
        act: Callable[[CoreServer], None] = self._chance.choice(
            (
                lambda core: core.shorten(impi, 60),
                lambda core: core.shorten(impi, 3),
                lambda core: core.deregister(impi, "deactivated"),
                lambda core: core.deregister(impi, "probation", 20),
            )
        )

        def do() -> None:
            for core in self._cores:
                with suppress(LocalError):  # he is not registered there
                    act(core)

        self._world.at(at, do)

    def _offline(self, at: float, lasting: float) -> None:
        """Back at the same address, or at another one."""
        world = self._world
        number = self._chance.randrange(20, 200)

        def come_back() -> None:
            world.online = True
            if number % 2:
                world.address = f"192.0.2.{number}"

        world.at(at, lambda: setattr(world, "online", False))
        world.at(at + lasting, come_back)

    def _faulty(self, at: float, lasting: float) -> None:
        name = self._chance.choice(FAULTS)
        for core in self._cores:
            self._world.at(at, lambda core=core: core.faults.add(name))  # type: ignore[misc]
            self._world.at(at + lasting, core.faults.clear)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_of_troubles(
    world: World, sipua_card_profile: Profile, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """At its end the registration stands and is removed; nothing went in the clear, and nothing
    is left over."""
    profile = sipua_card_profile
    two_ways(monkeypatch, world)
    expiry = ExpiryPolicy(least=60, most=600)
    cores = [
        world.core(address, [profile], expiry=expiry, ipsec="require")
        for address in (FIRST, SECOND)
    ]
    settings = AgentSettings(keep_trying=True, reg_event=True, ipsec="require")
    with UserAgent(CardChoice(f"emulated:{profile.path}"), settings) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        watch = Watch(world, [math.inf])  # how long ago is no matter
        Troubles(world, cores, agent._result.impi or "", seed)
        world.at(24 * HOUR, agent.interrupt)
        result = agent.stay()
        assert result.verdict is Verdict.DEREGISTERED, result.reason
        let_timers_run_out(world, agent)
    world.wait(2000)
    for core in cores:
        assert_idle(world, core)
        core.stop()
    allowed = {"terminal REGISTER", *(f"network {status}" for status in (401, 403, 500, 503))}
    assert watch.clear <= allowed
    assert max([ours for _, _, ours, _ in watch.too_many], default=0) <= MOST_SETS
    assert world.kernel.is_clean
    assert is_clean(world, FIRST)
    assert is_clean(world, SECOND)
    assert world.open_networks == []
