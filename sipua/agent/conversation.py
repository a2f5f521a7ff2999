"""One machine in conversation with the network and the card.

Carries the machine's requests to the switchboard, the answers back, and
challenges to the card; writes down in the result what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from card.errors import CardError
from sipua.agent.attempt import verdict_of_network
from sipua.agent.identity_module import verdict_of
from sipua.errors import LocalError, NetworkError, PeerError
from sipua.ims.events import (
    Answered,
    AuthenticationRequired,
    Ended,
    Event,
    Redirected,
    Registered,
    Retrying,
)
from sipua.ims.registration import Registration
from sipua.result import SipExchange
from sipua.sip.hop import Hop
from sipua.sip.uri import SipUri
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.equipment import Equipment
    from sipua.auth.scheme import Outcome
    from sipua.ims.machine import Machine
    from sipua.result import RegistrationResult
    from sipua.sip.endpoint import ClientTransaction
    from sipua.sip.message import Response

KEEP_ALIVE = 100.0
"""Seconds between CRLF keep-alives on a connection; RFC 5626 §4.4.1 wants 95 to 120."""

M = TypeVar("M", bound="Machine")

Action = Callable[[M, float], None]
"""What starts an attempt: a method of the machine, which takes the time."""


class Conversation(Generic[M]):
    """Carries ``machine`` to its outcome at ``hop``.

    Never waits: ``begin`` starts an attempt, the switchboard's turns bring the
    answers, ``tick`` lets time pass, and ``settled`` tells that ``result`` is
    final. ``response`` is the 2xx to a request that is no REGISTER. ``result``
    may be replaced between two attempts.
    """

    hears_all = False

    def __init__(
        self,
        machine: M,
        hop: Hop,
        equipment: Equipment,
        result: RegistrationResult,
    ) -> None:
        """Raises Unreachable or TlsFailure when there is no way to ``hop``, CardError without
        a card.
        """
        self.machine = machine
        self.hop = hop
        self.result = result
        self.settled = True
        self.response: Response | None = None
        self._switchboard = equipment.switchboard()
        self._sent_by = equipment.local_address(hop)
        self._card = equipment.card_worker()
        self._narrator = equipment.observer.narrator()
        self._find = equipment.find
        self._protection = equipment.protection(hop)
        why = equipment.unprotected
        self._unprotected = [f"Not protected: {why}."] if why else []
        self._is_registration = isinstance(machine, Registration)
        self._sent: dict[ClientTransaction, float] = {}
        self._rounds = 0
        self._asking = False
        self._patience = 0.0
        self._give_up_at: float | None = None
        self._failure: Exception | None = None
        self._octets = 0
        self._ping_at: float | None = None

    @property
    def local(self) -> Hop:
        """Our own address towards the registrar."""
        address, port = self._sent_by
        return Hop(self.hop.transport, address, port)

    def begin(self, action: Action[M], patience: float) -> None:
        """Start an attempt that has ``patience`` seconds to come to an outcome."""
        now = time.monotonic()
        self.settled = False
        self._rounds = 0
        self._patience = patience
        self._failure = None
        self._give_up_at = now + patience
        action(self.machine, now)
        self._carry_on(now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return earliest(self.machine.deadline(), self._give_up_at, self._ping_at)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._give_up_at is not None and now >= self._give_up_at:
            self._give_up(now)
        if self._ping_at is not None and now >= self._ping_at:
            self._switchboard.driver.network.ping(self.hop)
            self._ping_at = now + KEEP_ALIVE
        self.machine.tick(now)
        self._carry_on(now)

    def keep_alive(self) -> None:
        """From now on, keep the connection to the registrar open."""
        if self.hop.transport != "UDP":
            self._ping_at = time.monotonic() + KEEP_ALIVE

    def _carry_on(self, now: float) -> None:
        """Do what the machine wants."""
        requests, events = self.machine.take_requests(), self.machine.take_events()
        for event in events:  # a redirection comes before the request that follows it
            self._heed(event, now)
        for request in requests:
            if self._narrator is not None:
                self._narrator.request_sent(request, self.hop)
            transaction = self._switchboard.send(self, request, self.hop, self._sent_by, now)
            self._sent[transaction] = now

    def _settle(self) -> None:
        self.settled = True
        self._give_up_at = None

    def _give_up(self, now: float) -> None:
        reason = f"no outcome within {self._patience:g} s"
        for transaction in list(self._sent):
            self._switchboard.forget(transaction)
            self._octets = len(transaction.data)
            self._note(transaction, 0, reason, now)
        self._failure = TimeoutError(reason)
        self.machine.request_failed(self._failure, now)
        self._carry_on(now)
        if not self.settled:  # it was the card that took so long
            self._asking = False
            self._settle()
            self.result.end(Verdict.TIMEOUT, reason)

    # What the switchboard brings -----------------------------------------------------------

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A final response to one of our requests."""
        self._failure = None
        self._note(transaction, response.status, response.reason, now)
        if self._narrator is not None:
            self._narrator.response_received(response, transaction.hop)
        if self._protection is not None and self._is_registration:
            self._protection.heard(response)
        self.machine.response_received(response, now)
        self._carry_on(now)

    def unanswered(self, transaction: ClientTransaction, error: Exception, now: float) -> None:
        """A request of ours has no response."""
        self._failure = error
        self._octets = len(transaction.data)
        self._note(transaction, 0, str(error), now)
        if self._narrator is not None:
            self._narrator.no_answer(str(error), transaction.hop)
        self.machine.request_failed(error, now)
        self._carry_on(now)

    def _note(self, transaction: ClientTransaction, status: int, reason: str, now: float) -> None:
        ms = round((now - self._sent.pop(transaction)) * 1000, 1)
        method, transport = transaction.method, transaction.hop.transport
        self.result.exchange.append(SipExchange(method, status, reason, ms, transport))

    # What the machine wants ----------------------------------------------------------------

    def _heed(self, event: Event, now: float) -> None:
        result = self.result
        if isinstance(event, AuthenticationRequired):
            result.scheme, result.algorithm = event.scheme, event.algorithm or None
            self._ask_card(event)
        elif isinstance(event, Registered):
            self._settle()
            if self._protection is not None:
                self.hop = self._protection.accepted(self.hop, event.expires, now)
                self._sent_by = self._switchboard.driver.network.local_address(self.hop)
                result.protection = self._protection.told
            result.end(Verdict.REGISTERED, hints=[*event.hints, *self._unprotected])
            result.expires = event.expires
            result.contact = event.contact
            result.service_route = list(event.service_route)
            result.associated_uris = list(event.associated_uris)
            result.resynchronised = result.resynchronised or event.resynchronised
        elif isinstance(event, Answered):
            self._settle()
            result.end(Verdict.OK, hints=list(event.hints))
            result.resynchronised = result.resynchronised or event.resynchronised
            self.response = event.response
        elif isinstance(event, Ended):
            self._settle()
            if self._protection is not None and self._is_registration:
                self._protection.ended(now)
            result.end(event.verdict, event.reason, self._hints(event))
        elif isinstance(event, Redirected):
            self.hop = self._find(SipUri.parse(event.uri))
            self._sent_by = self._switchboard.driver.network.local_address(self.hop)
            result.registrar = str(self.hop)
        elif isinstance(event, Retrying):
            if self._protection is not None and self._is_registration:
                self._protection.unanswered(now)
            if self._narrator is not None:
                self._narrator.waiting(event.at - now, event.why)

    def _hints(self, ended: Ended) -> list[str]:
        """What to check next: of an answer the machine knows, of a failure we know more."""
        failure, verdict = self._failure, ended.verdict
        from sipua.agent.failure_advice import advise, of_silence  # not needed when it goes well

        if isinstance(failure, TimeoutError) and verdict is Verdict.TIMEOUT:
            if not self._is_registration:
                return list(ended.hints)
            heard = any(step.status for step in self.result.exchange)
            return list(of_silence(self.hop, self._octets, heard=heard))
        if isinstance(failure, NetworkError) and verdict is verdict_of_network(failure):
            return list(advise(failure, verdict))
        if isinstance(failure, CardError) and verdict is verdict_of(failure):
            return list(advise(failure, verdict))
        if verdict is Verdict.SECURITY_AGREEMENT:
            return [*self._unprotected, *ended.hints]
        return list(ended.hints)

    # The card ------------------------------------------------------------------------------

    def _ask_card(self, asked: AuthenticationRequired) -> None:
        self._rounds += 1
        self._asking = True
        if self._narrator is not None:
            self._narrator.card_asked(self._card.application, self._rounds)
        self._card.ask(asked, self._card_done)

    def _card_done(self, outcome: Outcome | CardError) -> None:
        if not self._asking:  # patience has ended meanwhile
            return
        now = time.monotonic()
        self._asking = False
        if isinstance(outcome, CardError):
            self._failure = outcome
            if self._narrator is not None:
                self._narrator.card_failed(str(outcome))
            self.machine.card_failed(now, str(outcome), verdict_of(outcome))
        else:
            if self._narrator is not None:
                self._narrator.card_answered(outcome)
            self._card_answered(outcome, now)
        self._carry_on(now)

    def _card_answered(self, outcome: Outcome, now: float) -> None:
        if self._protection is not None and self._is_registration:
            try:
                self._protection.challenged(outcome, self.result.algorithm or "", self.hop, now)
            except (LocalError, PeerError) as error:
                self.machine.card_failed(now, str(error), Verdict.SECURITY_AGREEMENT)
                return
        self.machine.card_answered(outcome, now)


def earliest(*times: float | None) -> float | None:
    """The first of these times; None stands for never."""
    first: float | None = None
    for at in times:
        if at is not None and (first is None or at < first):
            first = at
    return first
