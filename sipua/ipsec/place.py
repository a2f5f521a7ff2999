"""Where one element speaks protected SIP, and how it gets there and away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from sipua.ipsec.choice import Choice
    from sipua.ipsec.engine import Engine, Ready
    from sipua.ipsec.suite import Suite
    from sipua.randomness import Randomness


class Ports(Protocol):
    """Protected sockets (``sipua.net.protected.ProtectedPorts``)."""

    def open_server(self, address: str, port: int = 0) -> int: ...
    def open_client(self, address: str, server: int) -> int: ...
    def close_client(self, address: str, port: int) -> None: ...
    def expect(self, peer: tuple[str, int], local: tuple[str, int]) -> None: ...
    def forget(self, peer: tuple[str, int], local: tuple[str, int]) -> None: ...
    def join(self, local: tuple[str, int], peer: tuple[str, int]) -> None: ...
    def part(self, local: tuple[str, int], peer: tuple[str, int]) -> None: ...


class Place(NamedTuple):
    """Where one element speaks protected SIP: one address, one server port, one engine."""

    address: str
    server_port: int
    engine: Engine
    suites: tuple[Suite, ...]
    ports: Ports
    rng: Randomness


class Host(Protocol):
    """Who has the sockets (``sipua.net.network.Network``)."""

    def protect(self, interface: str | None, descriptors: tuple[tuple[int, Ready], ...]) -> Ports:
        """Have ports that IPsec protects."""
        ...

    def unprotect(self) -> None:
        """Close them."""
        ...


def open_place(host: Host, choice: Choice, address: str, rng: Randomness) -> Place:
    """A server port at ``address``, protected by the engine chosen, which is closed where there
    is no such port. Raises LocalError."""
    engine = choice.engine
    try:
        ports = host.protect(engine.interface, engine.descriptors)
        return Place(address, ports.open_server(address), engine, choice.suites, ports, rng)
    except BaseException:
        close_place(host, engine)
        raise


def close_place(host: Host, engine: Engine) -> None:
    """The ports first: the engine closes what they are tied to."""
    host.unprotect()
    engine.close()
