"""A place with an engine and ports that only take notes."""

from __future__ import annotations

import itertools
import random

from sipua.ipsec.association import AssociationSet
from sipua.ipsec.engine import Engine
from sipua.ipsec.errors import EngineError
from sipua.ipsec.place import Place
from sipua.ipsec.suite import CURRENT, Suite


class NotedEngine(Engine):
    """``installed`` is what it keeps; it refuses what repeats an SPI, as real ones do."""

    name = "noted"

    def __init__(self) -> None:
        self.installed: list[AssociationSet] = []
        self.broken = False

    def install(self, associations: AssociationSet) -> None:
        if self.broken:
            raise EngineError("out of order")
        taken = {each.spi for known in self.installed for each in known.inbound}
        assert not taken & {each.spi for each in associations.inbound}, "SPI in use"
        self.installed.append(associations)

    def remove(self, associations: AssociationSet) -> None:
        if associations in self.installed:
            self.installed.remove(associations)

    def counters(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        self.installed.clear()


class NotedPorts:
    """``clients`` and ``flows`` are what is open and joined."""

    def __init__(self, first: int) -> None:
        self._free = itertools.count(first)
        self.clients: set[int] = set()
        self.expected: list[tuple[tuple[str, int], tuple[str, int]]] = []
        self.flows: list[tuple[tuple[str, int], tuple[str, int]]] = []

    def open_server(self, address: str, port: int = 0) -> int:
        return port or next(self._free)

    def open_client(self, address: str, server: int) -> int:
        port = next(self._free)
        self.clients.add(port)
        return port

    def close_client(self, address: str, port: int) -> None:
        self.clients.discard(port)

    def expect(self, peer: tuple[str, int], local: tuple[str, int]) -> None:
        self.expected.append((peer, local))

    def forget(self, peer: tuple[str, int], local: tuple[str, int]) -> None:
        self.expected.remove((peer, local))

    def join(self, local: tuple[str, int], peer: tuple[str, int]) -> None:
        self.flows.append((local, peer))

    def part(self, local: tuple[str, int], peer: tuple[str, int]) -> None:
        if (local, peer) in self.flows:
            self.flows.remove((local, peer))


class Noted:
    """One element's place, and what can be seen of it."""

    def __init__(
        self, address: str, first_port: int, suites: tuple[Suite, ...] = CURRENT, seed: int = 1
    ) -> None:
        self.engine = NotedEngine()
        self.ports = NotedPorts(first_port)
        server = self.ports.open_server(address)
        self.place = Place(address, server, self.engine, suites, self.ports, random.Random(seed))

    @property
    def is_empty(self) -> bool:
        ports = self.ports
        left = (self.engine.installed, ports.clients, ports.flows, ports.expected)
        return not any(left)
