"""The connections and listeners of one element: found by hop, bounded in number and patience."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING

from sipua.errors import LocalError, Unreachable
from sipua.net.address import WILDCARDS, bind, numeric_host, unreachable
from sipua.net.events import Failed
from sipua.net.readiness import EVENT_READ
from sipua.net.tcp import Connection
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.errors import NetworkError
    from sipua.net.events import NetEvent
    from sipua.net.readiness import Readiness
    from sipua.net.tls import Contexts
    from sipua.net.tls_settings import TlsSettings

MAX_ACCEPTED = 512  # connections that peers opened
MAX_OPENED = 256  # connections that we opened
MAX_HELD = 1 << 24  # octets of unfinished messages, all connections together
BACKLOG = 1024  # connections that came in one burst; the system may allow fewer
ACCEPTS_PER_TURN = 32
NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

# Seconds for a connection to come about, for a TLS handshake, for a message that has begun
# to end, and for the pong of RFC 5626 §4.4.1, which names ten.
STALL_TIME = 10.0


class Streams:
    """All TCP and TLS of a Network.

    A connection is known by its Hop: one we opened by (transport, address,
    port, None), and every one also with its local end, as received messages
    name it. A request to a peer never takes a connection which that peer
    opened unless the hop says so: its certificate was not checked. A hop with a
    local end is never opened unless that is in ``opens_from``.

    Too many accepted connections: a new one costs the oldest that has never
    sent a whole message, or else the one that has been silent longest.
    """

    def __init__(
        self,
        readiness: Readiness,
        events: list[NetEvent],
        *,
        tls: TlsSettings | None,
        names: dict[tuple[str, int], str],
        source: Callable[[Hop], str],
        new_socket: Callable[[str], socket.socket],
        new_way: Callable[[Hop], socket.socket],
        clock: Callable[[], float] = time.monotonic,
        admits: Callable[[tuple[str, int]], bool] | None = None,
    ) -> None:
        """``source``, ``new_socket`` and ``new_way`` know what the Network is bound to;
        ``admits`` says of each peer's address and port whether it may connect.
        """
        self._admits = admits
        self.readiness = readiness
        self.events = events
        self._tls = tls
        self._names = names
        self._source = source
        self._new_socket = new_socket
        self._new_way = new_way
        self._clock = clock
        self._connections: dict[Hop, Connection] = {}
        self._opened = 0
        self._strangers: dict[Connection, None] = {}
        self._known: dict[Connection, None] = {}  # the longest silent one first
        self._deadlines: dict[Connection, float] = {}  # the first is the earliest
        self._listeners: list[tuple[str, socket.socket]] = []
        self.opens_from: set[tuple[str, int]] = set()
        self._made_contexts: Contexts | None = None
        self._holding: dict[Connection, int] = {}
        self._held = 0

    # Listening

    def listen(self, transport: str, address: str, port: int) -> tuple[str, int]:
        """Listen on a transport address; see Network.open."""
        if transport not in {"TCP", "TLS"}:
            raise LocalError(f"{transport} is not a transport of this program: use UDP, TCP or TLS")
        if transport == "TLS":
            _ = self._contexts.server  # complain about the certificate now
        listener = self._new_socket(address)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind(listener, transport, address, port)
        listener.listen(BACKLOG)
        self._listeners.append((transport, listener))

        def ready(mask: int) -> None:
            self._accept(transport, listener)

        self.readiness.register(listener.fileno(), EVENT_READ, ready)
        name = listener.getsockname()
        return numeric_host(name), name[1]

    def _accept(self, transport: str, listener: socket.socket) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                accepted, name = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._evict()
                return  # else the peer is gone already
            if self._admits is not None and not self._admits((numeric_host(name), name[1])):
                accepted.close()
                continue
            if len(self._strangers) + len(self._known) >= MAX_ACCEPTED:
                self._evict()
            accepted.setblocking(False)
            hop = Hop(transport, numeric_host(name), name[1])
            connection = self._wrap(accepted, hop, opened_here=False)
            self._strangers[connection] = None
            self._connections[connection.flow] = connection
            connection.start()

    def _evict(self) -> None:
        for group in (self._strangers, self._known):
            if group:
                next(iter(group)).close(
                    Unreachable("closed to make room: too many connections are open")
                )
                return

    # Sending

    def send(self, data: bytes, hop: Hop) -> None:
        """Send on the connection to ``hop``, which is opened if it is one we may open."""
        self._connection(hop).send(data)

    def ping(self, hop: Hop) -> None:
        """See Network.ping."""
        connection = self._connections.get(hop)
        if connection is None:
            raise Unreachable(f"{hop}: there is no connection to keep alive")
        connection.ping()

    def local_address(self, hop: Hop) -> tuple[str, int]:
        """See Network.local_address."""
        for transport, listener in self._listeners:
            name = listener.getsockname()
            address = numeric_host(name)
            if transport != hop.transport or (":" in address) != (":" in hop.address):
                continue
            source = self._source(hop)
            if address in WILDCARDS or address == source:
                return source, name[1]
        local = self._connection(hop).flow.local
        assert local is not None
        return local

    def _connection(self, hop: Hop) -> Connection:
        connection = self._connections.get(hop)
        if connection is not None and (hop.local is not None or connection.name == self._name(hop)):
            return connection
        if hop.local is not None and hop.local not in self.opens_from:
            raise Unreachable(f"{hop}: the connection is closed, and only the peer can open it")
        if hop.transport not in {"TCP", "TLS"}:
            raise Unreachable(f"{hop}: this program speaks UDP, TCP and TLS")
        return self._open(hop)

    def _open(self, hop: Hop) -> Connection:
        if self._opened >= MAX_OPENED:
            raise Unreachable(f"{hop}: {MAX_OPENED} connections are open already")
        if hop.transport == "TLS":
            _ = self._contexts.client  # complain about the CA file before anything is sent
        opening = self._new_way(hop)
        try:
            opening.connect((hop.address, hop.port))
        except BlockingIOError:
            pass
        except OSError as error:
            opening.close()
            raise unreachable(hop, error) from None
        connection = self._wrap(opening, hop, opened_here=True)
        self._opened += 1
        self._connections[hop] = self._connections[connection.flow] = connection
        connection.start()
        return connection

    def _wrap(self, plain: socket.socket, hop: Hop, *, opened_here: bool) -> Connection:
        if hop.transport == "TCP":
            return Connection(self, plain, hop, opened_here=opened_here)
        from sipua.net.tls import TlsConnection

        name = self._name(hop) if opened_here else None
        return TlsConnection(self, plain, hop, self._contexts, name)

    def _name(self, hop: Hop) -> str | None:
        """Return the name that the certificate at ``hop`` must carry; None without TLS."""
        if hop.transport == "TCP":
            return None
        return self._names.get((hop.address, hop.port), hop.address)

    @property
    def _contexts(self) -> Contexts:
        if self._made_contexts is None:
            from sipua.net.tls import Contexts  # loads ssl, which UDP and TCP do without

            self._made_contexts = Contexts(self._tls)
        return self._made_contexts

    # What connections tell

    def heard(self, connection: Connection) -> None:
        """Note that a whole message or a keep-alive came: the peer speaks SIP."""
        connection.known = True
        if not connection.opened_here:
            self._strangers.pop(connection, None)
            self._known.pop(connection, None)
            self._known[connection] = None

    def drain(self, connection: Connection) -> None:
        """Note that the peer will send no more: answers may go out for STALL_TIME."""
        self.relax(connection)
        self.hurry(connection)
        self.hold(connection, 0)
        self._known.pop(connection, None)
        self._strangers[connection] = None  # the first to make room

    def hold(self, connection: Connection, octets: int) -> None:
        """Note how much of an unfinished message the connection holds; 0 for nothing."""
        self._held += octets - self._holding.pop(connection, 0)
        if octets:
            self._holding[connection] = octets
        while self._held > MAX_HELD:
            greedy = max(self._holding, key=self._holding.__getitem__)
            greedy.close(Unreachable(f"{greedy.hop}: too much of a message waits for its end"))

    def hurry(self, connection: Connection) -> None:
        """Close the connection in STALL_TIME unless relax() comes first."""
        self._deadlines.setdefault(connection, self._clock() + STALL_TIME)

    def relax(self, connection: Connection) -> None:
        """Let the connection take its time again."""
        self._deadlines.pop(connection, None)

    def forget(self, connection: Connection, error: NetworkError | None) -> None:
        """Drop a closed connection, and report it unless a stranger had opened it."""
        self.relax(connection)
        self.hold(connection, 0)
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)
        del self._connections[connection.flow]
        if connection.opened_here:
            self._opened -= 1
            if self._connections.get(connection.hop) is connection:
                del self._connections[connection.hop]
        if error is not None and (connection.opened_here or connection.known):
            hop = connection.hop if connection.opened_here else connection.flow
            self.events.append(Failed(hop, error))

    # Time

    def earlier(self, timeout: float | None) -> float | None:
        """Return the time to wait: until the next deadline, at most ``timeout``."""
        if not self._deadlines:
            return timeout
        left = max(0.0, next(iter(self._deadlines.values())) - self._clock())
        return left if timeout is None else min(timeout, left)

    def close_stalled(self) -> None:
        """Close the connections whose time is over."""
        if not self._deadlines:
            return
        now = self._clock()
        while self._deadlines:
            connection, deadline = next(iter(self._deadlines.items()))
            if deadline > now:
                return
            connection.stalled()

    def cut_from(self, local: tuple[str, int]) -> None:
        """Cut silently the connections whose own end this is."""
        for connection in set(self._connections.values()):
            if connection.flow.local == local:
                connection.cut(None)

    def cut_accepted(self, peer: tuple[str, int], why: str) -> None:
        """Cut those that ``peer`` opened; what it asked by them is answered by another way."""
        for connection in set(self._connections.values()):
            if not connection.opened_here and (connection.hop.address, connection.hop.port) == peer:
                connection.cut(Unreachable(f"{connection.hop}: {why}"))

    def close(self) -> None:
        """Close everything silently."""
        for connection in set(self._connections.values()):
            connection.close(None)
        for _, listener in self._listeners:
            self.readiness.unregister(listener.fileno())
            listener.close()
        self._listeners.clear()
