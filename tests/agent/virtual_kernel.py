"""A machine's kernel as far as IPsec goes, told by ``ip xfrm`` as the real one is.

``VirtualKernel`` does what it is told to the letter, with the ESP of
sipua.ipsec.esp, and refuses what the real one refuses: a state or policy that
is there already, and one to be deleted that is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import NamedTuple, cast

from sipua.ipsec import ip_command
from sipua.ipsec.association import AssociationSet, Endpoint, SecurityAssociation
from sipua.ipsec.choice import Choice
from sipua.ipsec.errors import EspError
from sipua.ipsec.esp import PROTOCOL as ESP
from sipua.ipsec.esp import Opener, Sealer
from sipua.ipsec.kernel import KernelEngine
from sipua.ipsec.keys import SessionKeys
from sipua.ipsec.packet import UDP, Packet
from sipua.ipsec.suite import CURRENT, SUITES, Suite
from sipua.net.protected import ProtectedPorts
from sipua.net.readiness import Readiness
from sipua.net.udp import UdpSocket
from sipua.sip.hop import Hop

Place = tuple[str, int]

MOST_SETS = 3
"""Of one peer at a time: in use, being agreed, and old ones (TS 33.203 §7.4.1a: at most six
associations in each direction)."""

SUITE = SUITES["hmac-sha-1-96", "aes-cbc"]


class Policy(NamedTuple):
    """Of one flow of UDP or TCP, one way."""

    way: str
    protocol: str
    source: Place
    destination: Place


class VirtualKernel:
    """States by (source, destination, SPI), and which of them each policy asks for. ``dropped`` is
    why packets were not let in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states: dict[tuple[str, str, int], tuple[Sealer, Opener]] = {}
        self.policies: dict[Policy, tuple[str, str, int]] = {}
        self.policies_added = 0
        self.sealed = 0
        self.dropped: list[str] = []

    @property
    def sets(self) -> int:
        """How many sets there are; half a set is an error."""
        assert len(self.states) % 4 == 0
        assert len(self.policies) == 2 * len(self.states)
        return len(self.states) // 4

    @property
    def sets_there_were(self) -> int:
        """How many have been installed."""
        return self.policies_added // 8

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left, on disk neither."""
        files = list(self.folder.iterdir()) if self.folder.exists() else []
        return not self.states and not self.policies and not files

    # What it is told ---------------------------------------------------------------------

    def run(self, batch: str, family: int = 4, *, force: bool = False) -> None:
        """As ``ip -batch`` does."""
        del family, force  # nothing may ever fail here
        for line in batch.splitlines():
            words = line.split()
            assert words[0] == "xfrm"
            getattr(self, f"_{words[1]}_{words[2]}")(words)

    def show(self, *arguments: str) -> str:
        """There is never anything of a dead process."""
        assert arguments[1] == "xfrm"
        return ""

    def _state_add(self, words: list[str]) -> None:
        assert _after(words, "proto") == "esp"
        assert _after(words, "mode") == "transport"
        key = _state(words)
        assert key not in self.states, f"RTNETLINK answers: File exists {key}"
        made = SecurityAssociation(
            key[2], Endpoint(key[0], 0), Endpoint(key[1], 0), SUITE, _keys(words)
        )
        self.states[key] = Sealer(made, os.urandom), Opener(made)

    def _state_delete(self, words: list[str]) -> None:
        assert _state(words) in self.states, f"No such process: {words}"
        del self.states[_state(words)]

    def _policy_add(self, words: list[str]) -> None:
        policy, template = _policy(words), _state(words[words.index("tmpl") :])
        assert policy not in self.policies, f"RTNETLINK answers: File exists {policy}"
        assert template in self.states
        self.policies[policy] = template
        self.policies_added += 1

    def _policy_delete(self, words: list[str]) -> None:
        assert _policy(words) in self.policies, f"No such file or directory: {words}"
        del self.policies[_policy(words)]

    # What goes through it ----------------------------------------------------------------

    def leaves(self, packet: Packet) -> Packet:
        """What becomes of a packet of this machine."""
        template = self.policies.get(_policy_of("out", packet))
        if template is None:
            return packet
        self.sealed += 1
        sealed = self.states[template][0].seal(packet.payload, packet.protocol)
        return Packet(packet.source, packet.destination, ESP, sealed)

    def arrives(self, packet: Packet) -> Packet | None:
        """What becomes of a packet for this machine; None where it is dropped."""
        if packet.protocol != ESP:
            if _policy_of("in", packet) in self.policies:
                self.dropped.append("it came in the clear")
                return None
            return packet
        spi = int.from_bytes(packet.payload[:4], "big")
        state = packet.source, packet.destination, spi
        if state not in self.states:
            self.dropped.append("no state")
            return None
        try:
            protocol, payload, _ = self.states[state][1].open(packet.payload)
        except EspError as error:
            self.dropped.append(str(error))
            return None
        opened = Packet(packet.source, packet.destination, protocol, payload)
        if self.policies.get(_policy_of("in", opened)) != state:
            self.dropped.append("another policy")
            return None
        return opened


class VirtualEngine(KernelEngine):
    """The kernel's engine on a virtual kernel; it may take down nothing twice."""

    def __init__(self, kernel: VirtualKernel, suites: Iterable[Suite]) -> None:
        self._kernel = kernel
        with self._told():
            super().__init__(suites, str(kernel.folder))

    def install(self, associations: AssociationSet) -> None:
        assert associations not in self._installed
        with self._told():
            super().install(associations)

    def remove(self, associations: AssociationSet) -> None:
        assert associations in self._installed, "it was removed before"
        with self._told():
            super().remove(associations)

    def close(self) -> None:
        assert not self._installed, "whoever closes has let go of everything before"
        with self._told():
            super().close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """``ip`` speaks to the kernel of this machine."""
        before = ip_command.run, ip_command.show
        ip_command.run, ip_command.show = self._kernel.run, self._kernel.show
        try:
            yield
        finally:
            ip_command.run, ip_command.show = before


def chooser(kernel_at: Callable[[str], VirtualKernel]) -> Callable[..., Choice]:
    """What stands in for ``choose_engine``."""

    def choose(address: str, suites: Iterable[Suite] = CURRENT) -> Choice:
        assert SUITE in suites
        return Choice(VirtualEngine(kernel_at(address), (SUITE,)), (SUITE,), ())

    return choose


class VirtualPorts(ProtectedPorts):
    """Protected ports whose sockets are on a virtual wire; there is no TCP."""

    def __init__(self, open_: Callable[[str, int], VirtualSocket]) -> None:
        super().__init__(cast(Readiness, None), [], None, ())
        self._open_one = open_

    def admits(self, local: Place, peer: Place) -> bool:
        """Whether what comes from there is heard; where the port is none of these, it is."""
        return local not in self._udp or self._admits(peer)

    @property
    def open_ports(self) -> int:
        return len(self._udp)

    def _open(self, address: str, port: int, take_tcp: Callable[[Place], None]) -> Place:
        opened = self._open_one(address, port)
        self._udp[opened.place] = cast(UdpSocket, opened)
        if take_tcp == self._reserve:
            take_tcp(opened.place)
        return opened.place

    def _reserve(self, place: Place) -> None:
        self._reserved[place] = cast(socket, _Reserved())

    def _close_udp(self, place: Place | None) -> None:
        self._udp.pop(place).close()


class _Reserved:
    def close(self) -> None:
        """A port that is kept for TCP holds nothing here."""


class VirtualSocket:
    """One UDP port."""

    def __init__(
        self, place: Place, send: Callable[[Packet], None], forget: Callable[[Place], None]
    ) -> None:
        self.place = place
        self._send = send
        self._forget = forget

    def send(self, data: bytes, hop: Hop) -> None:
        self._send(datagram(self.place, (hop.address, hop.port), data))

    def close(self) -> None:
        self._forget(self.place)


def datagram(source: Place, destination: Place, data: bytes) -> Packet:
    """UDP without a checksum."""
    ports = source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    head = ports + (8 + len(data)).to_bytes(2, "big") + bytes(2)
    return Packet(source[0], destination[0], UDP, head + data)


def _after(words: list[str], name: str, distance: int = 1) -> str:
    return words[words.index(name) + distance]


def _state(words: list[str]) -> tuple[str, str, int]:
    return _after(words, "src"), _after(words, "dst"), int(_after(words, "spi"), 16)


def _keys(words: list[str]) -> SessionKeys:
    assert _after(words, "auth-trunc") == "hmac(sha1)"
    assert _after(words, "enc") == "cbc(aes)"
    authentication = bytes.fromhex(_after(words, "auth-trunc", 2)[2:])
    return SessionKeys(authentication, bytes.fromhex(_after(words, "enc", 2)[2:]), b"")


def _policy(words: list[str]) -> Policy:
    source = _after(words, "src").removesuffix("/32"), int(_after(words, "sport"))
    destination = _after(words, "dst").removesuffix("/32"), int(_after(words, "dport"))
    return Policy(_after(words, "dir"), _after(words, "proto"), source, destination)


def _policy_of(way: str, packet: Packet) -> Policy:
    source, destination = packet.ports
    return Policy(way, "udp", (packet.source, source), (packet.destination, destination))
