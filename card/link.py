"""The seam to any card: what a reader, an emulated card or a modem must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod


class CardLink(ABC):
    """One powered card. Every method blocks until the card has answered.

    ``reader`` is the reader's name for people. ``waits`` says whether
    ``transmit`` can take long enough to matter to SIP timers: such a link is
    driven from a worker thread, one that does not wait is called in place.
    ``shared`` says whether other programs may use the card between two
    transactions, and leave another file selected.
    """

    reader: str
    waits: bool = True
    shared: bool = True
    insertions: int = 0
    """How often a lost card was found again while the link was open: it may be another card."""

    @property
    @abstractmethod
    def atr(self) -> bytes:
        """Answer to reset (ISO/IEC 7816-3 §8), at most 33 octets."""

    @abstractmethod
    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU, return data and SW1 SW2 (at least 2 octets).

        Raises NoCard when the card has gone, TransmitError when the reader failed.
        """

    @abstractmethod
    def reset(self) -> None:
        """Warm reset: current file MF, PINs unverified, transactions ended."""

    @abstractmethod
    def close(self) -> None:
        """Give the card back. May be called twice."""

    def begin_transaction(self) -> None:  # noqa: B027  most links have no second user
        """Keep other programs off the card until ``end_transaction``.

        This is also the moment at which a link whose card was lost looks for
        it again; ``insertions`` then grows.
        """

    def end_transaction(self) -> None:  # noqa: B027
        """Let other programs at the card again."""
