"""An emulated card in this very process, as a link."""

from __future__ import annotations

from card import profile
from card.emulator.card import EmulatedCard
from card.errors import NoCard
from card.link import CardLink
from card.statefile import StateFile, default_path


class EmulatedLink(CardLink):
    """The card of the profile at ``path``, or of the one that ships.

    What the card remembers is kept beside the profile (``card.statefile``), and
    locked while the link is open; unless it is to ``remember`` nothing beyond
    this link. Raises ProfileError, StateError.
    """

    waits = False
    shared = False

    def __init__(self, path: str = "", *, remember: bool = True) -> None:
        described = profile.load(path) if path else profile.shipped()
        self.reader = f"emulated:{path}" if path else "emulated"
        self._state = StateFile(default_path(described)) if remember else None
        try:
            self._card: EmulatedCard | None = EmulatedCard(described, self._state)
        except BaseException:
            self._unlock()
            raise
        self._atr = self._card.atr

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        """Raises NoCard after ``close``, StateError when the card cannot store its state."""
        return self._powered().transmit(command)

    def reset(self) -> None:
        """Warm reset."""
        self._powered().reset()

    def close(self) -> None:
        """Take the card out and unlock its state."""
        self._card = None
        self._unlock()

    def _unlock(self) -> None:
        if self._state is not None:
            self._state.close()

    def _powered(self) -> EmulatedCard:
        if self._card is None:
            raise NoCard("the emulated card was taken out")
        return self._card
