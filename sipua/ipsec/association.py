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
