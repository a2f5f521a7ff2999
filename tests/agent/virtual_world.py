"""User agent and networks on a wire and a clock of the test's: hours pass in no time.

Everything is the program's own but sockets and clock. Whoever polls with a
timeout makes time go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

import pytest

from card.profile import Profile
from sipua.core.server import CoreServer
from sipua.errors import Unreachable
from sipua.net.events import Failed, NetEvent, Received, Woken
from sipua.sip.hop import Hop

DELAY = 0.02
MAX_STEPS = 200_000


class World:
    """``now`` is everybody's clock. ``online`` is whether the user agent has a route,
    ``address`` what it leaves from."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.online = True
        self.address = "192.0.2.11"
        self.events: list[tuple[float, Callable[[], None]]] = []
        self.open_networks: list[VirtualNetwork] = []
        self.cores: list[CoreServer] = []
        self._wire: list[tuple[float, int, bytes, Hop, tuple[str, int]]] = []
        self._order = 0
        self._steps = 0
        self._ports = 40000
        self._names: dict[tuple[str, int], VirtualNetwork] = {}
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr("sipua.agent.surroundings._drift", lambda: 0.0)
        monkeypatch.setattr("sipua.agent.equipment.Network", lambda *_: VirtualNetwork(self, ""))
        monkeypatch.setattr("sipua.core.server.Edge", lambda *_: VirtualNetwork(self, "core"))
        monkeypatch.setattr("sipua.core.server._checked", lambda *place, allow_remote: place)

    def core(self, address: str, profiles: Iterable[Profile], **settings: Any) -> CoreServer:
        """A network at UDP port 5060 of this address."""
        made = CoreServer(profiles, [("UDP", address, 5060)], **settings)
        made.open()
        self.cores.append(made)
        return made

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        """Have something happen so many seconds from now."""
        self.events.append((self.now + seconds, what))
        self.events.sort(key=lambda each: each[0])

    def open(self, network: VirtualNetwork, address: str, port: int) -> tuple[str, int]:
        if not port:
            self._ports += 1
            port = self._ports
        self._names[address, port] = network
        return address, port

    def close(self, network: VirtualNetwork) -> None:
        self._names = {name: each for name, each in self._names.items() if each is not network}

    def send(self, data: bytes, source: Hop, target: Hop) -> None:
        self._order += 1
        item = (self.now + DELAY, self._order, data, source, (target.address, target.port))
        heappush(self._wire, item)

    def run_until(self, network: VirtualNetwork, end: float | None) -> None:
        """Let time pass until something has come for this network, or until ``end``."""
        while not network.inbox:
            self._steps += 1
            assert self._steps < MAX_STEPS, "time stands still"
            times = [each[0] for each in (self._wire[:1] + self.events[:1])]
            times += [at for core in self.cores if (at := self._deadline(core)) is not None]
            first = min(times, default=None)
            if first is None or (end is not None and first > end):
                assert end is not None, "nothing will ever happen"
                self.now = max(self.now, end)
                return
            self.now = max(self.now, first)
            while self.events and self.events[0][0] <= self.now:
                self.events.pop(0)[1]()
            while self._wire and self._wire[0][0] <= self.now:
                self._deliver()
            self._turn_cores()

    def _deliver(self) -> None:
        _, _, data, source, name = heappop(self._wire)
        network = self._names.get(name)
        if network is not None:
            network.inbox.append(Received(data, source._replace(local=name)))
            return
        sender = self._names.get((source.address, source.port))
        if sender is not None:
            hop = Hop("UDP", *name)
            sender.inbox.append(Failed(hop, Unreachable(f"{hop}: connection refused")))

    @staticmethod
    def _deadline(core: CoreServer) -> float | None:
        return core._driver.endpoint.deadline() if core._driver is not None else None

    def _turn_cores(self) -> None:
        for core in self.cores:
            driver, proxy = core._driver, core._proxy
            if driver is None or proxy is None:
                continue
            driver.turn(0)
            for event in driver.endpoint.take_events():
                proxy.handle(event, self.now)
            driver.flush()


class VirtualNetwork:
    """What the program uses of a Network, or of the core's Edge."""

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.inbox: list[NetEvent] = []
        self.dead = False
        self._kind = kind
        self._local: tuple[str, int] | None = None
        world.open_networks.append(self)

    def open(self, transport: str, address: str, port: int = 0) -> tuple[str, int]:
        if transport != "UDP":
            return address, port
        self._local = self.world.open(self, address, port)
        return self._local

    def source(self, hop: Hop) -> str:
        if not self.world.online:
            raise Unreachable(f"{hop}: network is unreachable")
        return self.world.address

    def local_address(self, hop: Hop) -> tuple[str, int]:
        if self._local is None:
            self._local = self.world.open(self, self.source(hop), 0)
        return self._local

    def send(self, data: bytes, hop: Hop) -> None:
        if not self._kind and not self.world.online:
            self.inbox.append(Failed(hop, Unreachable(f"{hop}: network is unreachable")))
            return
        address, port = self.local_address(hop)
        self.world.send(data, Hop("UDP", address, port), hop)

    def poll(self, timeout: float | None = None) -> list[NetEvent]:
        if not self._kind and not self.inbox:
            self.world.run_until(self, None if timeout is None else self.world.now + timeout)
        events, self.inbox = self.inbox, []
        return events

    def expect_name(self, hop: Hop, name: str) -> None:
        """There is no TLS here."""

    def ping(self, hop: Hop) -> None:
        raise AssertionError("UDP has no pings")

    def wake(self) -> None:
        self.inbox.append(Woken())

    def close(self) -> None:
        self.world.close(self)
        if self in self.world.open_networks:
            self.world.open_networks.remove(self)
