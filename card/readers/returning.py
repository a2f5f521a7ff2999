"""Links that find a lost card again where nothing tells that it is back."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from card.link import CardLink

if TYPE_CHECKING:
    from card.readers.waiting import Waiting


class ReturningLink(CardLink):
    """Connected anew when a transaction begins after the connection was lost.

    ``waiting`` says how long is waited for it then; None: it is tried once.
    """

    waiting: Waiting | None = None
    is_closed = False

    @property
    @abstractmethod
    def is_lost(self) -> bool:
        """Whether the connection is of no use any more."""

    @abstractmethod
    def connect(self) -> None:
        """Make the connection. Raises NoReader, NoCard, TransmitError."""

    def begin_transaction(self) -> None:
        """Finds the card again; nobody is kept off it, as nobody shares the connection."""
        if self.is_closed or not self.is_lost:
            return
        if self.waiting is None:
            self.connect()
        else:
            from card.readers.waiting import Pauses, awaited

            awaited(self.connect, self.waiting, Pauses())
        self.insertions += 1
