"""The card as a user agent sees it: who the subscriber is, and the answer to a challenge.

IMS knows a subscriber by a private identity (IMPI), one or more public ones
(IMPU) and a home network domain. An ISIM holds them; without one they are
derived from the USIM's IMSI (TS 23.003 §13).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from card.errors import (
    AnswerError,
    CardError,
    NoApplication,
    NoCard,
    NoReader,
    PinBlocked,
    PinRequired,
    PinWrong,
    StatusError,
)
from card.isim import IsimSession
from card.session import CardSession
from sipua.ims.identity import Identity, identity_from_imsi
from sipua.result import CardUse
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from card.link import CardLink
    from card.precaution import Withheld
    from card.readers.waiting import Waiting
    from card.session import Trace
    from card.uicc import Choice

T = TypeVar("T")

VERDICTS: tuple[tuple[type[CardError], Verdict], ...] = (
    (NoReader, Verdict.NO_READER),
    (NoCard, Verdict.NO_CARD),
    (NoApplication, Verdict.NO_APPLICATION),
    (PinRequired, Verdict.PIN_REQUIRED),
    (PinWrong, Verdict.PIN_WRONG),
    (PinBlocked, Verdict.PIN_BLOCKED),
    (CardError, Verdict.CARD_ERROR),
)


def verdict_of(error: CardError) -> Verdict:
    """The verdict of an attempt that this failure ended."""
    return next(verdict for kind, verdict in VERDICTS if isinstance(error, kind))


class CardChoice(NamedTuple):
    """Which card to use, and how. ``card`` is the text of ``--card``, or an open link.

    ``protected`` holds the ICCIDs of cards that are only read; ``waiting`` says
    how long to wait for a card that is not there. A card that was pulled out and
    put back gets the PIN again if ``keep_pin``. With ``withheld`` it is a dry run:
    that gets what would cost the card something, in place of the card.
    """

    card: str | CardLink = "pcsc"
    application: Choice = "auto"
    pin: str | None = None
    force_pin: bool = False
    protected: tuple[str, ...] = ()
    waiting: Waiting | None = None
    keep_pin: bool = True
    withheld: Withheld | None = None

    def __repr__(self) -> str:
        return f"CardChoice(card={self.card!r}, application={self.application!r})"


class IdentityModule:
    """One card in use. Blocking: a card that waits is driven from a worker thread."""

    def __init__(
        self, choice: CardChoice, trace: Trace | None = None, bare_trace: Trace | None = None
    ) -> None:
        """Opens the card; raises CardError. ``bare_trace`` sees APDUs with their secrets."""
        self._seconds = 0.0
        self._session = self._timed(
            lambda: CardSession(
                choice.card,
                choice.application,
                choice.pin,
                choice.force_pin,
                trace,
                bare_trace=bare_trace,
                protected=choice.protected,
                waiting=choice.waiting,
                keep_pin=choice.keep_pin,
                withheld=choice.withheld,
            )
        )
        self._fixed_application = choice.application != "auto"

    @property
    def waits(self) -> bool:
        """Whether asking the card can take long enough to matter to SIP timers."""
        return self._session.link.waits

    @property
    def application(self) -> str:
        """``isim`` or ``usim``."""
        return self._session.application.name

    def identities(
        self,
        impi: str | None = None,
        impu: str | None = None,
        domain: str | None = None,
        impu_index: int = 1,
    ) -> Identity:
        """Read who the subscriber is; what is given is not read. Raises CardError, LocalError."""
        with self._session.exchange.transaction():
            return self._timed(lambda: self._identities(impi, impu, domain, impu_index))

    def _identities(
        self, impi: str | None, impu: str | None, domain: str | None, impu_index: int
    ) -> Identity:
        if impi and impu and domain:
            return Identity(impi, impu, domain)
        application = self._session.application
        if isinstance(application, IsimSession):
            try:
                return Identity(
                    impi or application.impi(),
                    impu or application.impu_at(impu_index - 1),
                    domain or application.domain(),
                )
            except AnswerError:
                # An ISIM that was never filled in: phones fall back to the USIM, and so do we.
                if self._fixed_application:
                    raise
                self._session.switch("usim")
                application = self._session.application
        assert not isinstance(application, IsimSession)
        derived = identity_from_imsi(application.imsi(), application.mnc_length())
        return Identity(impi or derived.impi, impu or derived.impu, domain or derived.domain)

    def service_centre(self) -> str:
        """The number of the service centre in the USIM's EF_SMSP, "" without any. Raises
        CardError."""
        from card.files.usim import EF_SMSP

        uicc = self._session.uicc
        try:
            usim = uicc.choose("usim")
            with uicc.in_directory(usim):
                numbers = [EF_SMSP.decode(each).service_centre for each in uicc.records(EF_SMSP)]
        except (NoApplication, StatusError, AnswerError):
            return ""
        return next((number for number in numbers if number), "")

    def service_centre_uri(self) -> str:
        """The service centre's URI in EF_PSISMSC of DF.TELECOM, "" without any. Raises
        CardError."""
        from card.files.catalogue import DF_TELECOM
        from card.files.gsm import EF_PSISMSC

        uicc = self._session.uicc
        try:
            with uicc.in_directory():
                uicc.enter(DF_TELECOM)
                return next((EF_PSISMSC.decode(each) for each in uicc.records(EF_PSISMSC)), "")
        except (StatusError, AnswerError, PinRequired):  # seldom there, and there is the number
            return ""

    def pcscf(self) -> list[str]:
        """The ISIM's P-CSCF addresses in order of priority; empty without any. Raises CardError."""
        application = self._session.application
        if not isinstance(application, IsimSession):
            return []
        return self._timed(application.pcscf)

    def authenticate(self, rand: bytes, autn: bytes) -> AkaResponse:
        """One AUTHENTICATE. Raises MacFailure, SynchronisationFailure, CardError."""
        return self._timed(lambda: self._session.authenticate(rand, autn))

    def pin_tries(self) -> int | None:
        """How often PIN1 may still be tried; None when the card does not tell. Raises CardError."""
        return self._timed(self._session.uicc.pin_tries)

    def use(self) -> CardUse:
        """What the card is and what asking it has cost so far."""
        link = self._session.link
        return CardUse(
            reader=link.reader,
            atr=link.atr.hex(),
            iccid=self._session.iccid or None,
            application=self.application,
            apdus=self._session.exchange.apdus,
            ms=round(self._seconds * 1000, 1),
        )

    def close(self) -> None:
        """Give the card back."""
        self._session.close()

    def _timed(self, ask: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return ask()
        finally:
            self._seconds += time.perf_counter() - started
