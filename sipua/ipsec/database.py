"""The security associations in use, and what passes through them (RFC 4301 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.ipsec.errors import EspError, Mismatched, Truncated, UnknownSpi, Unprotected
from sipua.ipsec.esp import PROTOCOL, Opener, Sealer
from sipua.ipsec.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.ipsec.association import SecurityAssociation
    from sipua.ipsec.esp import RandomBytes

_Flow = tuple[str, int, str, int]


class Counters:
    """Packets by what became of them; all but the first three were dropped.

    ``reordered`` ones are among the ``opened``.
    """

    sealed: int
    opened: int
    reordered: int
    replayed: int
    late: int
    truncated: int
    altered: int
    malformed: int
    unknown_spi: int
    mismatched: int
    unprotected: int
    unsent: int
    __slots__ = NAMES = tuple(__annotations__)

    def __init__(self) -> None:
        for name in self.NAMES:
            setattr(self, name, 0)

    def count(self, name: str) -> None:
        """Add one to the counter of this name."""
        setattr(self, name, getattr(self, name) + 1)

    def to_json(self) -> dict[str, int]:
        """Every counter by its name."""
        return {name: getattr(self, name) for name in self.NAMES}

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.to_json().items() if value)
        return f"Counters({told})"


class AssociationDatabase:
    """Outbound associations by their flow, inbound ones by their SPI; every drop is counted.

    ``random_bytes(n)`` supplies unpredictable IVs (RFC 3602 §3).
    """

    def __init__(self, random_bytes: RandomBytes) -> None:
        self.counters = Counters()
        self._random_bytes = random_bytes
        self._sealers: dict[_Flow, tuple[int, Sealer]] = {}
        self._openers: dict[int, tuple[SecurityAssociation, Opener]] = {}

    def add(
        self, inbound: Iterable[SecurityAssociation], outbound: Iterable[SecurityAssociation]
    ) -> None:
        """Take associations into use; a newer outbound one takes over its flow.

        Raises LocalError when an inbound SPI is taken.
        """
        inbound = tuple(inbound)
        for association in inbound:
            if association.spi in self._openers:
                raise LocalError(f"SPI {association.spi:#x} is in use already")
        for association in inbound:
            self._openers[association.spi] = association, Opener(association)
        for association in outbound:
            sealer = Sealer(association, self._random_bytes)
            self._sealers[_flow(association)] = association.spi, sealer

    def remove(
        self, inbound: Iterable[SecurityAssociation], outbound: Iterable[SecurityAssociation]
    ) -> None:
        """Forget associations; those which are gone already are passed over."""
        for association in inbound:
            self._openers.pop(association.spi, None)
        for association in outbound:
            flow = _flow(association)
            if flow in self._sealers and self._sealers[flow][0] == association.spi:
                del self._sealers[flow]

    def __len__(self) -> int:
        return len(self._openers) + len(self._sealers)

    def seal(self, packet: Packet) -> Packet:
        """The ESP packet for a packet of ours; raises an EspError, or SequenceExhausted."""
        try:
            source_port, destination_port = packet.ports
        except EspError as error:
            self.counters.unprotected += 1
            raise Unprotected(f"no association is for this: {error}") from None
        flow = packet.source, source_port, packet.destination, destination_port
        if flow not in self._sealers:
            self.counters.unprotected += 1
            raise Unprotected(
                f"no association covers port {source_port} to {destination_port}: dropped"
            )
        sealed = self._sealers[flow][1].seal(packet.payload, packet.protocol)
        self.counters.sealed += 1
        return Packet(packet.source, packet.destination, PROTOCOL, sealed)

    def open(self, packet: Packet) -> Packet:
        """The packet inside an ESP packet for us; raises an EspError."""
        try:
            opened, reordered = self._open(packet)
        except EspError as error:
            self.counters.count(error.counter)
            raise
        self.counters.opened += 1
        self.counters.reordered += reordered
        return opened

    def _open(self, packet: Packet) -> tuple[Packet, bool]:
        if len(packet.payload) < 4:
            raise Truncated("an ESP packet without an SPI")
        spi = int.from_bytes(packet.payload[:4], "big")
        if spi not in self._openers:
            raise UnknownSpi(f"SPI {spi:#x} is none of ours")
        association, opener = self._openers[spi]
        if packet.destination != association.destination.address:
            raise UnknownSpi(f"SPI {spi:#x} is not known at {packet.destination}")
        protocol, payload, reordered = opener.open(packet.payload)
        opened = Packet(packet.source, packet.destination, protocol, payload)
        source_port, destination_port = opened.ports
        if (opened.source, source_port, destination_port) != (
            *association.source,
            association.destination.port,
        ):
            raise Mismatched(
                f"port {source_port} to {destination_port} is not what SPI {spi:#x} is for"
            )
        return opened, reordered


def _flow(association: SecurityAssociation) -> _Flow:
    return (*association.source, *association.destination)
