"""Sockets at ports which IPsec protects, and from which of them each peer is reached.

RFC 3261 lets an element send from any port. Security associations do not: what
goes to a port of the peer must come from the one port of ours that was agreed.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from sipua.errors import LocalError, Unreachable
from sipua.net.address import bind, family, new_socket
from sipua.net.events import Received
from sipua.net.readiness import EVENT_READ
from sipua.net.streams import Streams
from sipua.net.udp import UdpSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sipua.net.events import NetEvent
    from sipua.net.readiness import Readiness, Ready
    from sipua.sip.hop import Hop

Place = tuple[str, int]
"""Numeric address and port."""

PORTS_TRIED = 20
"""How many ports the kernel may name for UDP until one is free for TCP as well."""


class ProtectedPorts:
    """The protected ports of a Network, which makes it and asks it about each hop.

    A flow joins a port of ours and one of the peer's. Where there are several to
    one port of the peer's, because associations are being renewed, the newest
    is taken unless the hop names another. What comes from a port that is not
    expected is passed over and counted in ``strangers``: a kernel protects what
    its policies name, and lets everything else in.
    """

    def __init__(
        self,
        readiness: Readiness,
        events: list[NetEvent],
        interface: str | None,
        descriptors: Iterable[tuple[int, Ready]],
    ) -> None:
        """``interface`` and ``descriptors`` are those of the engine that does the protection."""
        self._readiness = readiness
        self._events = events
        self._interface = interface
        self._udp: dict[Place | None, UdpSocket] = {}
        self._servers: dict[Place, Place] = {}
        self._flows: dict[Place, list[Place]] = {}
        self._reserved: dict[Place, socket.socket] = {}
        self._engine = dict(descriptors)
        self._expected: dict[Place, list[Place]] = {}
        self._given_back: set[Place] = set()
        self.strangers = 0
        self.streams = Streams(
            readiness,
            events,
            tls=None,
            names={},
            source=_source,
            new_socket=self._new_stream,
            new_way=self._new_way,
            admits=self._admits,
        )
        for descriptor, ready in self._engine.items():
            readiness.register(descriptor, EVENT_READ, ready)

    # Ports ----------------------------------------------------------------------------

    def open_server(self, address: str, port: int = 0) -> int:
        """Take UDP and listen for TCP at one port (0: any); the port. Raises LocalError."""

        def listen(place: Place) -> None:
            self.streams.listen("TCP", *place)

        place = self._open(address, port, listen)
        self._servers[place] = place
        return place[1]

    def open_client(self, address: str, server: int) -> int:
        """Take any free port to send from by UDP, and to connect from by TCP; the port.

        ``server`` is the port of ours that the peer is told of. Raises LocalError.
        """
        place = self._open(address, 0, self._reserve)
        self._given_back.discard(place)
        self._servers[place] = address, server
        self.streams.opens_from.add(place)
        return place[1]

    def close_client(self, address: str, port: int) -> None:
        """Give such a port back, with its connections; nothing is done when it is gone."""
        place = address, port
        if place in self.streams.opens_from:
            self.streams.opens_from.discard(place)
            self.streams.cut_from(place)
            self._reserved.pop(place).close()
            del self._servers[place]
            self._given_back.add(place)
            self._close_udp(place)

    def expect(self, peer: Place, local: Place) -> None:
        """From now on ``peer`` may reach ``local``: an association leads from there, and back."""
        self._expected.setdefault(peer, []).append(local)

    def forget(self, peer: Place, local: Place) -> None:
        """Take back one ``expect``; nothing is done when there was none."""
        locals_ = self._expected.get(peer, [])
        if local not in locals_:
            return
        locals_.remove(local)
        if not locals_:
            del self._expected[peer]
            self.streams.cut_accepted(peer, "its associations have ended")

    def join(self, local: Place, peer: Place) -> None:
        """From now on ``peer`` is reached from ``local``."""
        self._flows.setdefault(peer, []).append(local)

    def part(self, local: Place, peer: Place) -> None:
        """No longer; nothing is done when it was not."""
        locals_ = self._flows.get(peer, [])
        if local in locals_:
            locals_.remove(local)
            if not locals_:
                del self._flows[peer]

    # Messages -------------------------------------------------------------------------

    def route(self, hop: Hop) -> Hop | None:
        """``hop`` with the port of ours that leads there; None for what is not protected.

        What began at a client port that was given back since, as a call does that
        outlives its associations, goes on by those which lead there now. Raises
        Unreachable when none do, from there or from the server port: nothing of it
        may go unprotected, and a kernel would let it.
        """
        flows = self._flows.get((hop.address, hop.port))
        if hop.local in self._given_back:
            if not flows:
                raise Unreachable(f"{hop}: the associations that led there have ended")
            return hop._replace(local=flows[-1])
        if hop.local in self._servers:
            if flows and hop.transport == "UDP" and hop.local not in flows:
                return hop._replace(local=flows[-1])
            if hop.local not in (*(flows or ()), *self._expected.get((hop.address, hop.port), ())):
                raise Unreachable(f"{hop}: the associations that led there have ended")
            return hop
        if hop.local is not None:
            return None  # what came unprotected, from a port that was protected, is so answered
        return hop._replace(local=flows[-1]) if flows else None

    def send(self, data: bytes, hop: Hop) -> None:
        """Send to a hop that ``route`` gave; raises Unreachable.

        An engine of our own is to carry it at once: there may be no poll() after the
        last answer of all.
        """
        if hop.transport == "UDP":
            way = self._udp.get(hop.local)
            if way is None:
                raise Unreachable(f"{hop}: its protected port is closed")
            way.send(data, hop)
        else:
            self.streams.send(data, hop)
        for ready in self._engine.values():
            ready(0)

    def shown(self, hop: Hop) -> Place:
        """The server port that Via and Contact tell a peer whom ``route`` knows."""
        assert hop.local is not None
        return self._servers.get(hop.local, hop.local)

    def close(self) -> None:
        """Close every socket, and watch nothing any longer."""
        self.streams.close()
        for place in list(self._udp):
            self._close_udp(place)
        for reserved in self._reserved.values():
            reserved.close()
        self._reserved.clear()
        for descriptor in self._engine:
            self._readiness.unregister(descriptor)
        self._engine.clear()
        self._servers.clear()
        self._flows.clear()
        self._expected.clear()

    def _open(self, address: str, port: int, take_tcp: Callable[[Place], None]) -> Place:
        """A port for UDP that ``take_tcp`` can have too; raises LocalError."""
        for left in reversed(range(1 if port else PORTS_TRIED)):
            place = self._open_udp(address, port)
            try:
                take_tcp(place)
            except BaseException as error:
                self._close_udp(place)
                if left and isinstance(error, LocalError):  # TCP there is another program's
                    continue
                raise
            break
        return place

    def _reserve(self, place: Place) -> None:
        """Keep a port for connections of ours, which bind to it one after another."""
        self._reserved[place] = self._bound_stream(*place)

    def _open_udp(self, address: str, port: int) -> Place:
        """Shared with nobody: the peer tells user agents at one address apart by their ports."""
        opened = UdpSocket(self._events, address, port, self._interface, alone=True)
        place = opened.address, opened.port
        self._udp[place] = opened

        def ready(mask: int) -> None:
            known = len(self._events)
            opened.ready(mask)
            self._events[known:] = [each for each in self._events[known:] if self._is_heard(each)]

        self._readiness.register(opened.fileno, EVENT_READ, ready)
        return place

    def _admits(self, peer: Place) -> bool:
        if peer in self._expected:
            return True
        self.strangers += 1
        return False

    def _is_heard(self, event: NetEvent) -> bool:
        if not isinstance(event, Received):
            return True
        return self._admits((event.source.address, event.source.port))

    def _close_udp(self, place: Place | None) -> None:
        closed = self._udp.pop(place)
        self._readiness.unregister(closed.fileno)
        closed.close()

    def _new_stream(self, address: str) -> socket.socket:
        return new_socket(socket.SOCK_STREAM, family(address), self._interface)

    def _new_way(self, hop: Hop) -> socket.socket:
        assert hop.local is not None
        return self._bound_stream(*hop.local)

    def _bound_stream(self, address: str, port: int) -> socket.socket:
        made = self._new_stream(address)
        # what was connected from this port before may still linger (RFC 9293 §3.6.1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind(made, "TCP", address, port)
        return made


def _source(hop: Hop) -> str:
    assert hop.local is not None
    return hop.local[0]
