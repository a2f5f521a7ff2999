"""What puts security associations to work: the seam between the agreement and the machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipua.ipsec.association import AssociationSet

Ready = Callable[[int], None]
"""Called with the selector's mask when a descriptor can be read."""


class Engine(ABC):
    """Keeps association sets between one local address and its peers.

    ``name`` is what people read. Protected sockets are to be bound to
    ``interface`` (SO_BINDTODEVICE) unless that is None. ``descriptors`` are to be
    watched for reading, each with its callback; a kernel has none.
    """

    name: str
    interface: str | None = None
    descriptors: tuple[tuple[int, Ready], ...] = ()

    @abstractmethod
    def install(self, associations: AssociationSet) -> None:
        """Put the four associations to work, for UDP and TCP; raises EngineError.

        Nothing is left of them when it fails.
        """

    @abstractmethod
    def remove(self, associations: AssociationSet) -> None:
        """Take them down; those which are gone already are passed over."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Packets by what became of them."""

    @abstractmethod
    def close(self) -> None:
        """Take down everything that was installed."""
