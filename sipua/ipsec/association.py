"""One security association: one direction between two ports, one SPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.ipsec.keys import SessionKeys
    from sipua.ipsec.suite import Suite

MIN_SPI = 256  # 1 to 255 are reserved (RFC 4303 §2.1)
MAX_SPI = 2**32 - 1


class Endpoint(NamedTuple):
    """Numeric address without brackets, and port."""

    address: str
    port: int


class Side(NamedTuple):
    """What one side has told the other: protected ports, and the SPIs that it wants to receive.

    ``spi_c`` leads to its client port, ``spi_s`` to its server port (TS 33.203 §7.1).
    ``address`` is as ``ipaddress`` writes it.
    """

    address: str
    port_c: int
    port_s: int
    spi_c: int
    spi_s: int

    @property
    def spis(self) -> frozenset[int]:
        """Both of them."""
        return frozenset((self.spi_c, self.spi_s))

    @property
    def client(self) -> Endpoint:
        """Where its requests leave from."""
        return Endpoint(self.address, self.port_c)

    @property
    def server(self) -> Endpoint:
        """Where it takes requests, and by UDP everything."""
        return Endpoint(self.address, self.port_s)


class SecurityAssociation(NamedTuple):
    """What is sent by ``source`` to ``destination``, UDP or TCP, under ``spi``."""

    spi: int
    source: Endpoint
    destination: Endpoint
    suite: Suite
    keys: SessionKeys

    def __repr__(self) -> str:
        return (
            f"SecurityAssociation({self.spi:#010x}, {self.source.address}:{self.source.port} -> "
            f"{self.destination.address}:{self.destination.port}, {self.suite.name})"
        )


class AssociationSet(NamedTuple):
    """The two pairs of associations of one agreement, as one side sees them."""

    ours: Side
    theirs: Side
    suite: Suite
    keys: SessionKeys

    @property
    def inbound(self) -> tuple[SecurityAssociation, SecurityAssociation]:
        """To our client port, and to our server port."""
        ours, theirs, suite, keys = self
        return (
            SecurityAssociation(ours.spi_c, theirs.server, ours.client, suite, keys),
            SecurityAssociation(ours.spi_s, theirs.client, ours.server, suite, keys),
        )

    @property
    def outbound(self) -> tuple[SecurityAssociation, SecurityAssociation]:
        """From our client port, and from our server port."""
        ours, theirs, suite, keys = self
        return (
            SecurityAssociation(theirs.spi_s, ours.client, theirs.server, suite, keys),
            SecurityAssociation(theirs.spi_c, ours.server, theirs.client, suite, keys),
        )
