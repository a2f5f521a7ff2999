"""Every SIP socket of one element behind one poll(): no thread, no event loop."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.errors import LocalError, NetworkError, Unreachable
from sipua.net.address import WILDCARDS, bind, check_port, family, new_socket, source_address
from sipua.net.events import Failed, NetEvent, Received, Woken
from sipua.net.readiness import EVENT_READ, Readiness
from sipua.net.udp import UdpSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from sipua.net.protected import ProtectedPorts
    from sipua.net.readiness import Ready
    from sipua.net.rtp import RtpSocket
    from sipua.net.streams import Streams
    from sipua.net.tls_settings import TlsSettings
    from sipua.sip.hop import Hop

__all__ = ["Failed", "NetEvent", "Network", "Received", "Woken"]

MAX_ROUTES = 1024  # destinations whose socket is remembered


class Network:
    """UDP sockets, TCP and TLS connections and listeners of one SIP element.

    ``bound_to`` (address, port) and ``interface`` say where everything leaves
    from; without them the routing table does. Not thread-safe except wake().
    """

    def __init__(
        self,
        tls: TlsSettings | None = None,
        bound_to: tuple[str, int] | None = None,
        interface: str | None = None,
    ) -> None:
        """Open nothing yet: sockets are made when they are needed."""
        self._tls = tls
        self._bind = bound_to
        self._interface = interface
        self._events: list[NetEvent] = []
        self._readiness = Readiness()
        self._udp: dict[tuple[str, int] | None, UdpSocket] = {}
        self._routes: dict[str, UdpSocket] = {}
        self._names: dict[tuple[str, int], str] = {}
        self._made_streams: Streams | None = None
        self._rtp: set[RtpSocket] = set()
        self._protected: ProtectedPorts | None = None
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._readiness.register(self._wake_out, EVENT_READ, self._woken)

    def open(self, transport: str, address: str, port: int = 0) -> tuple[str, int]:
        """Bind UDP, or listen for TCP or TLS; return the address and the port (0: any) it got.

        Raises LocalError when that address or port cannot be had, TlsFailure
        when there is no usable certificate to serve TLS with.
        """
        if transport == "UDP":
            opened = self._open_udp(address, port)
            return opened.address, opened.port
        return self._streams.listen(transport, address, port)

    def open_rtp(
        self, address: str, on_datagram: Callable[[bytes, tuple[str, int]], None]
    ) -> RtpSocket:
        """Open an even port for one voice stream; poll() tells ``on_datagram`` what comes.

        ``bound_to`` and ``interface`` hold for it too. Raises LocalError when no
        port can be had there, Unreachable for an address of another family.
        """
        from sipua.net.rtp import RtpSocket  # registrations do without it

        if self._bind is not None and self._bind[0] not in WILDCARDS:
            if family(self._bind[0]) != family(address):
                raise Unreachable(f"no media from {address} while bound to {self._bind[0]}")
            address = self._bind[0]
        opened = RtpSocket(
            self._readiness, address, on_datagram, self._interface, self._rtp.discard
        )
        self._rtp.add(opened)
        return opened

    def protect(
        self, interface: str | None, descriptors: Iterable[tuple[int, Ready]]
    ) -> ProtectedPorts:
        """Have ports that IPsec protects, by an engine with this device and these descriptors."""
        from sipua.net.protected import ProtectedPorts  # few need it

        self.unprotect()
        self._protected = ProtectedPorts(self._readiness, self._events, interface, descriptors)
        return self._protected

    def unprotect(self) -> None:
        """Close the protected ports; to be called before their engine is closed."""
        if self._protected is not None:
            self._protected.close()
            self._protected = None

    def expect_name(self, hop: Hop, name: str) -> None:
        """Have the certificate at ``hop`` checked for ``name``, the SIP domain it was found by.

        RFC 5922 §7.3: the name that was asked for, never one that DNS supplied.
        Without a name the numeric address must stand in the certificate.
        """
        self._names[hop.address, hop.port] = name

    def send(self, data: bytes, hop: Hop) -> None:
        """Send one message. Never waits; a failure is reported by poll() as Failed."""
        try:
            check_port(hop)
            if self._protected is not None and (known := self._protected.route(hop)) is not None:
                self._protected.send(data, known)
            elif hop.transport == "UDP":
                way = self._udp.get(hop.local) or self._udp_for(hop)
                if not way.send(data, hop):
                    self._routes.clear()  # our address may have changed: ask the routing table
            else:
                self._streams.send(data, hop)
        except NetworkError as error:
            self._events.append(Failed(hop, error))

    def ping(self, hop: Hop) -> None:
        """Send the CRLF keep-alive on the open connection to ``hop`` (RFC 5626 §4.4.1).

        Failed is reported if there is none, or if a peer that has answered before
        is silent for ten seconds. Raises LocalError for UDP, which has no such
        keep-alive.
        """
        if hop.transport == "UDP":
            raise LocalError("CRLF keep-alives are for TCP and TLS (RFC 5626 §4.4.1)")
        try:
            if self._protected is not None and (known := self._protected.route(hop)) is not None:
                self._protected.streams.ping(known)
            else:
                self._streams.ping(hop)
        except NetworkError as error:
            self._events.append(Failed(hop, error))

    def poll(self, timeout: float | None = None) -> list[NetEvent]:
        """Wait up to ``timeout`` seconds (None: for ever) and return what has happened."""
        streams = self._made_streams
        protected = self._protected.streams if self._protected is not None else None
        if self._events:
            timeout = 0
        else:
            if streams is not None:
                timeout = streams.earlier(timeout)
            if protected is not None:
                timeout = protected.earlier(timeout)
        self._readiness.wait(timeout)
        if streams is not None:
            streams.close_stalled()
        if protected is not None:
            protected.close_stalled()
        events = self._events.copy()
        self._events.clear()
        return events

    def wake(self) -> None:
        """Make poll() return Woken, now or at its next call; any thread may call this."""
        with suppress(OSError):  # the pipe is full of wakes already, or closed
            os.write(self._wake_in, b"\0")

    def local_address(self, hop: Hop) -> tuple[str, int]:
        """Return our address and port for Via and Contact towards ``hop`` (RFC 3261 §18.1.1).

        UDP: the socket which will send. TCP and TLS: the port we listen on, else
        that of the connection, which is opened by this. Raises Unreachable or
        TlsFailure when there is no way there, LocalError when ``bound_to`` or
        ``interface`` cannot be had.
        """
        check_port(hop)
        if self._protected is not None and (known := self._protected.route(hop)) is not None:
            return self._protected.shown(known)
        if hop.local is not None:
            return hop.local
        if hop.transport != "UDP":
            return self._streams.local_address(hop)
        way = self._udp_for(hop)
        return (self.source(hop) if way.wildcard else way.address), way.port

    def way(self, hop: Hop) -> tuple[Hop, bool]:
        """``hop`` with our own end of it, and whether IPsec protects what goes there.

        Raises as ``local_address`` does.
        """
        if self._protected is not None and (known := self._protected.route(hop)) is not None:
            return known, True
        return (hop if hop.local else hop._replace(local=self.local_address(hop))), False

    def source(self, hop: Hop) -> str:
        """Return our numeric address that messages to ``hop`` leave from."""
        if self._bind is not None:
            address = self._bind[0]
            if family(address) != family(hop.address):
                raise Unreachable(f"{hop} cannot be reached from {address}: other address family")
            if address not in WILDCARDS:
                return address
        return source_address(hop, self._interface)

    def close(self) -> None:
        """Close every socket; nothing is reported for them."""
        self.unprotect()
        if self._made_streams is not None:
            self._made_streams.close()
        for rtp in list(self._rtp):
            rtp.close()
        for udp in self._udp.values():
            udp.close()
        self._udp.clear()
        self._routes.clear()
        self._events.clear()
        self._readiness.close()
        for end in (self._wake_in, self._wake_out):
            if end >= 0:
                os.close(end)
        self._wake_in = self._wake_out = -1

    def __enter__(self) -> Network:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _streams(self) -> Streams:
        if self._made_streams is None:
            from sipua.net.streams import Streams  # UDP does without it

            self._made_streams = Streams(
                self._readiness,
                self._events,
                tls=self._tls,
                names=self._names,
                source=self.source,
                new_socket=self._new_stream,
                new_way=self._new_way,
            )
        return self._made_streams

    def _new_stream(self, address: str) -> socket.socket:
        return new_socket(socket.SOCK_STREAM, family(address), self._interface)

    def _new_way(self, hop: Hop) -> socket.socket:
        if self._bind is None:
            return self._new_stream(hop.address)
        source = self.source(hop)
        made = self._new_stream(source)
        bind(made, hop.transport, source, 0)
        return made

    def _open_udp(self, address: str, port: int) -> UdpSocket:
        opened = UdpSocket(self._events, address, port, self._interface)
        self._udp[opened.address, opened.port] = opened
        self._readiness.register(opened.fileno, EVENT_READ, opened.ready)
        self._routes.clear()
        return opened

    def _udp_for(self, hop: Hop) -> UdpSocket:
        """Choose the socket: the one that was asked, the route's, or a new one for that route."""
        if hop.local is not None:
            for udp in self._udp.values():
                if udp.wildcard and udp.port == hop.local[1] and _alike(udp, hop):
                    return udp
        way = self._routes.get(hop.address)
        if way is None:
            way = self._route(hop)
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            self._routes[hop.address] = way
        return way

    def _route(self, hop: Hop) -> UdpSocket:
        source = self.source(hop)
        for udp in self._udp.values():
            if udp.address == source or (udp.wildcard and _alike(udp, hop)):
                return udp
        return self._open_udp(source, self._bind[1] if self._bind else 0)

    def _woken(self, mask: int) -> None:
        os.read(self._wake_out, 1 << 16)  # every wake at once: a pipe holds no more
        self._events.append(Woken())


def _alike(udp: UdpSocket, hop: Hop) -> bool:
    return (":" in udp.address) == (":" in hop.address)
