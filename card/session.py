"""From what the user typed after ``--card`` to a session on one application of one card."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from card.exchange import Exchange
from card.isim import IsimSession
from card.link import CardLink
from card.masking import TracedApdu
from card.readers.locate import open_card
from card.uicc import Choice, Uicc
from card.usim import UsimSession

Trace = Callable[[TracedApdu], None]
"""Sees every APDU; PINs and keys are masked in it."""


class CardSession:
    """A card in use: link, exchange, UICC and the chosen application's session.

    ``card`` is the text of ``--card``, or a link that is open already and now
    belongs to the session. ``application`` is auto, isim or usim. The PIN is
    sent only when given, and not below two remaining tries unless ``force_pin``.
    ``trace`` sees every APDU, secrets masked. Close it, or use it as a context
    manager.
    """

    def __init__(
        self,
        card: str | CardLink,
        application: Choice = "auto",
        pin: str | None = None,
        force_pin: bool = False,
        trace: Trace | None = None,
    ) -> None:
        """Raises NoReader, NoCard, NoApplication, PinWrong, PinBlocked, ProfileError or another
        CardError."""
        self.link = open_card(card) if isinstance(card, str) else card
        try:
            self.exchange = Exchange(self.link, trace)
            self.uicc = Uicc(self.exchange)
            self.application = self._open(application)
            if pin is not None:
                self.uicc.verify_pin(pin, force=force_pin)
        except BaseException:
            self.link.close()
            raise

    def _open(self, application: Choice) -> UsimSession | IsimSession:
        chosen = self.uicc.choose(application)
        session = IsimSession if chosen.kind == "isim" else UsimSession
        return session(self.uicc, chosen)

    def switch(self, application: Choice) -> None:
        """Go on with another application of the same card. Raises NoApplication."""
        self.application = self._open(application)

    def close(self) -> None:
        """Give the card back."""
        self.link.close()

    def __enter__(self) -> CardSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
