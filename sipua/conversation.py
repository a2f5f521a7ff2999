"""One registration in conversation with its registrar and its card.

Carries the machine's requests to the transaction layer, the answers back, and
challenges to the card; writes down in the result what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from card.aka.result import MacFailure, SynchronisationFailure
from card.errors import CardError
from sipua.identity_module import verdict_of
from sipua.ims.registration_events import (
    AuthenticationRequired,
    Ended,
    Redirected,
    Registered,
    RegistrationEvent,
    Retrying,
)
from sipua.result import SipExchange
from sipua.sip.endpoint import (
    ClientTransaction,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.uri import SipUri
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.identity_module import IdentityModule
    from sipua.ims.registration import Registration
    from sipua.net.driver import Driver
    from sipua.result import RegistrationResult
    from sipua.sip.endpoint import Event
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.trace.narration import Narrator

KEEP_ALIVE = 100.0
"""Seconds between CRLF keep-alives on a connection; RFC 5626 §4.4.1 wants 95 to 120."""

ALLOW = "OPTIONS"


class Conversation:
    """Drives ``registration`` at ``hop`` until it has an outcome.

    ``result`` may be replaced between two attempts; ``narrator`` is told each step,
    ``find`` resolves the URI of a redirection.
    """

    def __init__(
        self,
        registration: Registration,
        hop: Hop,
        driver: Driver,
        module: IdentityModule,
        result: RegistrationResult,
        narrator: Narrator | None,
        find: Callable[[SipUri], Hop],
    ) -> None:
        """Raises Unreachable or TlsFailure when there is no way to ``hop``."""
        self.registration = registration
        self.hop = hop
        self.result = result
        self._sent_by = driver.network.local_address(hop)
        self._driver = driver
        self._module = module
        self._narrator = narrator
        self._find = find
        self._sent: dict[ClientTransaction, float] = {}
        self._rounds = 0
        self._settled = False
        self._worker: Thread | None = None
        self._ping_at: float | None = None

    @property
    def local(self) -> Hop:
        """Our own address towards the registrar."""
        address, port = self._sent_by
        return self.hop._replace(address=address, port=port)

    def settle(self, begin: Callable[[Registration, float], None], patience: float) -> None:
        """Begin an attempt and drive it to its outcome, ``patience`` seconds at most."""
        self._settled = False
        self._rounds = 0
        started = time.monotonic()
        begin(self.registration, started)
        while not self._settled:
            if time.monotonic() - started >= patience:
                self._give_up(patience)
            else:
                self._turn(started + patience)

    def keep(self, stopped: Callable[[], bool]) -> bool:
        """Keep the registration alive until ``stopped`` says so; False when it was lost."""
        self._ping_at = time.monotonic() + KEEP_ALIVE if self.hop.transport != "UDP" else None
        while not stopped():
            self._turn(self._ping_at)
            if self.result.exit_status != 0:
                return False
            if self._ping_at is not None and time.monotonic() >= self._ping_at:
                self._driver.network.ping(self.hop)
                self._ping_at += KEEP_ALIVE
        return True

    def close(self) -> None:
        """Wait a moment for a card that is still at work."""
        if self._worker is not None:
            self._worker.join(1.0)

    def _give_up(self, patience: float) -> None:
        now = time.monotonic()
        reason = f"no outcome within {patience:g} s"
        for transaction, sent in self._sent.items():
            self._record(transaction, 0, reason, now - sent)
        self._sent.clear()
        self.registration.request_failed(TimeoutError(reason), now)
        self._heed_all(now)
        if not self._settled:  # it was the card that took so long
            self._settled = True
            self.result.end(Verdict.TIMEOUT, reason)

    def _turn(self, limit: float | None) -> None:
        registration, driver = self.registration, self._driver
        for request in registration.take_requests():
            self._send(request)
        deadline = registration.deadline()
        if deadline is None or (limit is not None and limit < deadline):
            deadline = limit
        driver.turn(None if deadline is None else max(0.0, deadline - time.monotonic()))
        now = time.monotonic()
        for event in driver.endpoint.take_events():
            self._hear(event, now)
        registration.tick(now)
        self._heed_all(now)

    # Between the machine and the network ---------------------------------------------------

    def _send(self, request: Request) -> None:
        now = time.monotonic()
        if self._narrator is not None:
            self._narrator.request_sent(request)
        transaction = self._driver.endpoint.send_request(request, self.hop, self._sent_by, now)
        self._sent[transaction] = now

    def _hear(self, event: Event, now: float) -> None:
        if isinstance(event, ResponseReceived):
            if event.response.status >= 200:
                self._answered(event.transaction, event.response, now)
        elif isinstance(event, TransactionTimeout | TransportFailed):
            error = event.error if isinstance(event, TransportFailed) else TimeoutError()
            if isinstance(event.transaction, ClientTransaction):
                self._unanswered(event.transaction, error, now)
        elif isinstance(event, RequestReceived):
            self._answer(event, now)

    def _answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if self._note(transaction, response.status, response.reason, now):
            if self._narrator is not None:
                self._narrator.response_received(response)
            self.registration.response_received(response, now)

    def _unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        if self._note(transaction, 0, str(error), now):
            if self._narrator is not None:
                self._narrator.no_answer(str(error))
            self.registration.request_failed(error, now)

    def _note(self, transaction: ClientTransaction, status: int, reason: str, now: float) -> bool:
        sent = self._sent.pop(transaction, None)
        if sent is None:
            return False
        self._record(transaction, status, reason, now - sent)
        return True

    def _record(
        self, transaction: ClientTransaction, status: int, reason: str, seconds: float
    ) -> None:
        ms = round(seconds * 1000, 1)
        method, transport = transaction.request.method, transaction.hop.transport
        self.result.exchange.append(SipExchange(method, status, reason, ms, transport))

    def _answer(self, event: RequestReceived, now: float) -> None:
        """Keep-alive OPTIONS are answered; there is nothing else that we do yet."""
        endpoint = self._driver.endpoint
        status = 200 if event.request.method == "OPTIONS" else 405
        response = endpoint.create_response(event.request, status)
        response.headers.add("Allow", ALLOW)
        endpoint.respond(event.transaction, response, now)

    # What the machine wants ----------------------------------------------------------------

    def _heed_all(self, now: float) -> None:
        while events := self.registration.take_events():
            for each in events:
                self._heed(each, now)

    def _heed(self, event: RegistrationEvent, now: float) -> None:
        result = self.result
        if isinstance(event, AuthenticationRequired):
            result.scheme, result.algorithm = event.scheme, event.algorithm
            self._ask_card(event)
        elif isinstance(event, Registered):
            self._settled = True
            result.end(Verdict.REGISTERED, hints=list(event.hints))
            result.expires = event.expires
            result.contact = event.contact
            result.service_route = list(event.service_route)
            result.associated_uris = list(event.associated_uris)
            result.resynchronised = result.resynchronised or event.resynchronised
        elif isinstance(event, Ended):
            self._settled = True
            result.end(event.verdict, event.reason, list(event.hints))
        elif isinstance(event, Redirected):
            self._redirect(event.uri)
        elif isinstance(event, Retrying) and self._narrator is not None:
            self._narrator.waiting(event.at - now, event.why)

    def _redirect(self, uri: str) -> None:
        self.hop = self._find(SipUri.parse(uri))
        self._sent_by = self._driver.network.local_address(self.hop)
        self.result.registrar = str(self.hop)

    # The card ------------------------------------------------------------------------------

    def _ask_card(self, asked: AuthenticationRequired) -> None:
        self._rounds += 1
        if self._narrator is not None:
            self._narrator.card_asked(self._module.application, self._rounds)
        if not self._module.waits:
            self._card_done(self._authenticate(asked))
            return
        self._worker = Thread(target=self._work, args=(asked,), name="card", daemon=True)
        self._worker.start()

    def _work(self, asked: AuthenticationRequired) -> None:
        """In the worker: the answer, or whatever went wrong, goes back to the loop's thread."""
        try:
            outcome = self._authenticate(asked)
        except Exception as error:  # noqa: BLE001  raised again where it can be seen
            fault = error
            self._driver.submit(lambda: _raise(fault))
        else:
            self._driver.submit(lambda: self._card_done(outcome))

    def _authenticate(self, asked: AuthenticationRequired) -> Outcome | CardError:
        try:
            return self._module.authenticate(asked.rand, asked.autn)
        except (MacFailure, SynchronisationFailure, CardError) as failure:
            return failure

    def _card_done(self, outcome: Outcome | CardError) -> None:
        now = time.monotonic()
        if isinstance(outcome, CardError):
            if self._narrator is not None:
                self._narrator.card_failed(str(outcome))
            self.registration.card_failed(now, str(outcome), verdict_of(outcome))
            return
        if self._narrator is not None:
            self._narrator.card_answered(outcome)
        self.registration.card_answered(outcome, now)


def _raise(error: Exception) -> None:
    raise error
