"""From what the user typed after ``--card`` to a session on one application of one card."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from card.errors import (
    AnswerError,
    NoApplication,
    NoCard,
    NotSent,
    PinRequired,
    StatusError,
    TransmitError,
)
from card.exchange import Exchange
from card.isim import IsimSession
from card.link import CardLink
from card.masking import TracedApdu
from card.readers.locate import open_card
from card.uicc import Choice, Uicc
from card.usim import UsimSession

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from card.precaution import Precaution, Withheld
    from card.readers.waiting import Waiting

Trace = Callable[[TracedApdu], None]
"""Sees every APDU; PINs and keys are masked in it."""


class CardSession:
    """A card in use: link, exchange, UICC and the chosen application's session.

    ``card`` is the text of ``--card``, or a link that is open already and now
    belongs to the session. ``application`` is auto, isim or usim; None opens the
    card without choosing one. The PIN is sent only when given, and not below two
    remaining tries unless ``force_pin``. ``trace`` sees every APDU, secrets
    masked; ``bare_trace`` sees it as it is.

    A card whose ICCID is among the ``protected`` ones, or those in
    SIPUA_PROTECTED, is only read: what costs it something raises CardProtected.
    With ``withheld`` this is a dry run: what costs the card something goes there
    instead, and raises NotSent. A card that is not there, or is lost later on, is
    waited for as ``waiting`` says; put in again it gets the PIN again if ``keep_pin``.
    Close the session, or use it as a context manager.
    """

    def __init__(
        self,
        card: str | CardLink,
        application: Choice | None = "auto",
        pin: str | None = None,
        force_pin: bool = False,
        trace: Trace | None = None,
        *,
        bare_trace: Trace | None = None,
        protected: Iterable[str] = (),
        withheld: Withheld | None = None,
        waiting: Waiting | None = None,
        keep_pin: bool = True,
    ) -> None:
        """Raises NoReader, NoCard, NoApplication, PinWrong, PinBlocked, ProfileError or another
        CardError."""
        self._keep_pin = keep_pin
        self._is_patient = waiting is not None
        self.link = open_card(card, waiting) if isinstance(card, str) else card
        try:
            self.exchange = Exchange(self.link, trace, bare_trace)
            precaution = self._precaution(protected, withheld)
            self.exchange.precaution = precaution
            self.exchange.on_insertion = self._look_who_came
            self.uicc = Uicc(self.exchange)
            self._application: UsimSession | IsimSession | None = None
            with self.exchange.transaction():
                self.iccid = self._iccid()
                if application is not None:
                    self._application = self._open(application)
                if pin is not None:
                    self._verify(pin, force_pin)
        except BaseException:
            self.link.close()
            raise

    @property
    def application(self) -> UsimSession | IsimSession:
        """The session on the chosen application. Raises NoApplication when none was chosen."""
        if self._application is None:
            raise NoApplication("no application of the card was chosen")
        return self._application

    @property
    def chosen(self) -> Literal["usim", "isim", ""]:
        """The kind of the chosen application, "" while there is none."""
        if self._application is None:
            return ""
        return "isim" if isinstance(self._application, IsimSession) else "usim"

    def authenticate(self, rand: bytes, autn: bytes) -> AkaResponse:
        """AKA by the chosen application. Raises MacFailure, SynchronisationFailure, CardError.

        A card lost during the command is waited for and asked again. If it had
        already counted the sequence number it then answers with AUTS.
        """
        try:
            return self.application.authenticate(rand, autn)
        except (NoCard, TransmitError):
            if not self._is_patient:
                raise
        return self.application.authenticate(rand, autn)  # its transaction finds the card again

    def _precaution(self, protected: Iterable[str], withheld: Withheld | None) -> Precaution | None:
        """What a card needs that can be harmed; one in this process needs it when asked for."""
        if not (self.link.waits or protected or withheld or os.environ.get("SIPUA_PROTECTED")):
            return None
        from card.precaution import Precaution, protected_cards

        cards = protected_cards(protected)
        return Precaution(cards, counts=self.link.waits, withheld=withheld)

    def _iccid(self) -> str:
        """The card's number, "" where it cannot be read: there is work that does without."""
        precaution = self.exchange.precaution
        if precaution is not None:
            precaution.iccid = ""
        try:
            iccid = self.uicc.iccid()
        except (AnswerError, StatusError, PinRequired):
            return ""
        if precaution is not None:
            precaution.iccid = iccid
        return iccid

    def _look_who_came(self) -> None:
        """A card was put in again. Raises NoCard when it is another one."""
        iccid = self._iccid()
        if iccid != self.iccid:
            raise NoCard(
                f"another card was put into {self.link.reader}: {iccid or 'one without ICCID'}"
                f" in place of {self.iccid or 'one without ICCID'}"
            )
        if not self._keep_pin:
            self.uicc.forget_pin()

    def _verify(self, pin: str, force: bool) -> None:
        """Verify the PIN of the chosen application (TS 102 221 §9.5.1), or that of the card."""
        chosen = self._application.application if self._application else None
        try:
            with self.uicc.in_directory(chosen):
                self.uicc.verify_pin(pin, force=force)
        except NotSent:
            return  # a dry run goes on as far as it comes without

    def _open(self, application: Choice) -> UsimSession | IsimSession:
        chosen = self.uicc.choose(application)
        session = IsimSession if chosen.kind == "isim" else UsimSession
        return session(self.uicc, chosen)

    def switch(self, application: Choice) -> None:
        """Go on with another application of the same card. Raises NoApplication."""
        self._application = self._open(application)

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
