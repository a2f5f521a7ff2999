"""User agent and networks on a wire and a clock of the test's: hours pass in no time.

Everything is the program's own but sockets, clock and the kernels' IPsec. Whoever
polls with a timeout makes time go on. There is UDP only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import pytest

from agent.virtual_kernel import VirtualKernel, VirtualPorts, VirtualSocket, chooser, datagram
from card.profile import Profile
from sipua.core.server import CoreServer
from sipua.errors import Unreachable
from sipua.ipsec.packet import Packet
from sipua.net.events import Failed, NetEvent, Received, Woken
from sipua.sip.hop import Hop

UDP_HEADER = 8
DELAY = 0.02
MAX_STEPS = 200_000


class World:
    """``now`` is everybody's clock. ``online`` is whether the user agent has a route,
    ``address`` what it leaves from. ``kernel`` is that of its machine, ``kernels`` those of the
    networks by their addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """``folder`` is for what IPsec writes on disk."""
        self.now = 1000.0
        self.online = True
        self.address = "192.0.2.11"
        self.events: list[tuple[float, Callable[[], None]]] = []
        self.open_networks: list[VirtualNetwork] = []
        self.cores: list[CoreServer] = []
        self.folder = folder
        self.kernel = VirtualKernel(folder / "terminal")
        self.kernels: dict[str, VirtualKernel] = {}
        self.on_wire: Callable[[Packet], None] = lambda packet: None
        self.loses: Callable[[Packet], bool] = lambda packet: False
        self._wire: list[tuple[float, int, Packet]] = []
        self._order = 0
        self._steps = 0
        self._ports = 40000
        self._names: dict[tuple[str, int], VirtualNetwork] = {}
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr("sipua.agent.surroundings._drift", lambda: 0.0)
        monkeypatch.setattr("sipua.agent.equipment.Network", lambda *_: VirtualNetwork(self, ""))
        monkeypatch.setattr("sipua.core.elements.Edge", lambda *_: VirtualNetwork(self, "core"))
        choose = chooser(self.kernel_at)
        monkeypatch.setattr("sipua.agent.protection.choose_engine", choose)
        monkeypatch.setattr("sipua.core.protection.choose_engine", choose)
        monkeypatch.setattr("sipua.core.server.checked_place", lambda *place, allow_remote: place)

    def core(self, address: str, profiles: Iterable[Profile], **settings: Any) -> CoreServer:
        """A network at UDP port 5060 of this address."""
        made = CoreServer(profiles, [("UDP", address, 5060)], **settings)
        self.kernels.setdefault(address, VirtualKernel(self.folder / address))
        made.open()
        self.cores.append(made)
        return made

    def kernel_at(self, address: str) -> VirtualKernel:
        """That of the machine which has this address."""
        return self.kernels.get(address, self.kernel)

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

    def open_protected(self, network: VirtualNetwork, address: str, port: int) -> VirtualSocket:
        return VirtualSocket(self.open(network, address, port), self.send, self.forget)

    def forget(self, place: tuple[str, int]) -> None:
        del self._names[place]

    def close(self, network: VirtualNetwork) -> None:
        self._names = {name: each for name, each in self._names.items() if each is not network}

    def send(self, packet: Packet) -> None:
        sent = self.kernel_at(packet.source).leaves(packet)
        self.on_wire(sent)
        self._order += 1
        heappush(self._wire, (self.now + DELAY, self._order, sent))

    def wait(self, seconds: float) -> None:
        """Let time pass for the networks alone."""
        nobody = VirtualNetwork(self, "")
        nobody.poll(seconds)
        nobody.close()

    def ports_of(self, address: str) -> list[int]:
        """The UDP ports that are open there."""
        return sorted(port for there, port in self._names if there == address)

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
                self._turn_cores()
                return
            self.now = max(self.now, first)
            while self.events and self.events[0][0] <= self.now:
                self.events.pop(0)[1]()
            while self._wire and self._wire[0][0] <= self.now:
                self._deliver()
            self._turn_cores()

    def _deliver(self) -> None:
        _, _, packet = heappop(self._wire)
        if not (self._is_there(packet.source) and self._is_there(packet.destination)):
            return
        if self.loses(packet):
            return
        arrived = self.kernel_at(packet.destination).arrives(packet)
        if arrived is None:
            return
        ports = arrived.ports
        source, name = (packet.source, ports[0]), (packet.destination, ports[1])
        network = self._names.get(name)
        if network is not None:
            network.take(arrived.payload[UDP_HEADER:], source, name)
            return
        sender = self._names.get(source)
        if sender is not None:
            hop = Hop("UDP", *name)
            sender.inbox.append(Failed(hop, Unreachable(f"{hop}: connection refused")))

    def _is_there(self, address: str) -> bool:
        return address in self.kernels or (self.online and address == self.address)

    @staticmethod
    def _deadline(core: CoreServer) -> float | None:
        return core._elements.deadline() if core._elements is not None else None

    def _turn_cores(self) -> None:
        for core in self.cores:
            if core._elements is not None:
                core._elements.turn(0)


class VirtualNetwork:
    """What the program uses of a Network, or of the core's Edge."""

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.inbox: list[NetEvent] = []
        self.dead = False
        self._kind = kind
        self._protected: VirtualPorts | None = None
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

    def protect(self, interface: str | None, descriptors: tuple[Any, ...]) -> VirtualPorts:
        assert interface is None
        assert not descriptors
        self.unprotect()

        def open_protected(address: str, port: int) -> VirtualSocket:
            return self.world.open_protected(self, address, port)

        self._protected = VirtualPorts(open_protected)
        return self._protected

    def unprotect(self) -> None:
        if self._protected is not None:
            self._protected.close()
            self._protected = None

    def local_address(self, hop: Hop) -> tuple[str, int]:
        if self._protected is not None and (known := self._protected.route(hop)) is not None:
            return self._protected.shown(known)
        return hop.local or self._plain(hop)

    def _plain(self, hop: Hop) -> tuple[str, int]:
        if self._local is None:
            self._local = self.world.open(self, self.source(hop), 0)
        return self._local

    def take(self, data: bytes, source: tuple[str, int], local: tuple[str, int]) -> None:
        """A datagram."""
        if self._protected is None or self._protected.admits(local, source):
            self.inbox.append(Received(data, Hop("UDP", *source, local)))

    def send(self, data: bytes, hop: Hop) -> None:
        if not self._kind and not self.world.online:
            self.inbox.append(Failed(hop, Unreachable(f"{hop}: network is unreachable")))
            return
        if hop.transport != "UDP":  # a large request, which goes by UDP after all
            self.inbox.append(Failed(hop, Unreachable(f"{hop}: connection refused")))
            return
        try:
            if self._protected is not None and (known := self._protected.route(hop)) is not None:
                self._protected.send(data, known)
            else:
                self.world.send(datagram(self._plain(hop), (hop.address, hop.port), data))
        except Unreachable as error:
            self.inbox.append(Failed(hop, error))

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
        self.unprotect()
        self.world.close(self)
        if self in self.world.open_networks:
            self.world.open_networks.remove(self)
