"""The registration machine of one public identity (TS 24.229 §5.1.1, RFC 3261 §10).

Sans-I/O: it is told what happened and when, and hands out requests and events.
What follows on what stands in ``registration_table``, what a response means in
``registration_attempt``; here is what each action does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, MacFailure
from sipua.errors import LocalError, PeerError
from sipua.ims.register_request import ANY_CONTACT, RegisterWriter, RegistrationSettings
from sipua.ims.registration_attempt import Attempt, Finding, understand_failure
from sipua.ims.registration_dialog import Randomness, RegistrationDialog
from sipua.ims.registration_events import (
    AuthenticationRequired,
    Ended,
    Redirected,
    Registered,
    RegistrationEvent,
    Retrying,
)
from sipua.ims.registration_table import TRANSITIONS, Input, State
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.auth.scheme import AkaChallenge, Outcome
    from sipua.ims.register_response import Binding
    from sipua.sip.message import Request, Response

LONG_REGISTRATION = 1200
RENEWAL_MARGIN = 600
"""Seconds: a longer one is renewed this long before its end, a shorter one at half
(TS 24.229 §5.1.1.4.1)."""

RETRY_BASE = 30.0
RETRY_MAX = 1800.0
"""Seconds of the back-off after a failed renewal (RFC 5626 §4.5)."""

_AWAITING = (State.TRYING, State.ANSWERED, State.RESYNCHRONISING, State.REFUSING)
_PASSING = (
    Input.SERVER_FAILED,
    Input.TIMED_OUT,
    Input.UNREACHABLE,
    Input.DNS_FAILED,
    Input.TLS_FAILED,
)


class Registration:
    """Registers one IMPU, keeps it registered and takes it back, one attempt after another.

    ``state`` is for display; ``binding`` is what the registrar keeps at present.
    All times are seconds of the caller's clock.
    """

    def __init__(self, settings: RegistrationSettings, rng: Randomness) -> None:
        self.settings = settings
        self.state = State.IDLE
        self.binding: Binding | None = None
        self._bound_until = 0.0
        self._rng = rng
        self._writer = RegisterWriter(settings)
        self._requests: list[Request] = []
        self._events: list[RegistrationEvent] = []
        self._deadline: float | None = None
        self._new_dialog()

    # What happens to it ---------------------------------------------------------------

    def start(self, now: float) -> None:
        """Register, or renew a registration that stands.

        Raises LocalError while an attempt is under way, and for the Contact "*".
        """
        if self.settings.contact == ANY_CONTACT:
            raise LocalError('the Contact "*" serves for removal only')
        self._call(Finding(Input.START), now)

    def deregister(self, now: float) -> None:
        """Remove the binding; when an attempt is under way, as soon as that has succeeded.

        Raises LocalError after the end of a registration.
        """
        self._call(Finding(Input.STOP, "stopped while waiting to try again"), now)

    def response_received(self, response: Response, now: float) -> None:
        """Take the final response to the last REGISTER; all others are passed over."""
        if self.state in _AWAITING and response.status >= 200 and self._is_ours(response):
            self._handle(self._attempt.understand(response, self.state), now)

    def request_failed(self, error: Exception, now: float) -> None:
        """The last REGISTER got no response: TimeoutError for silence, else a NetworkError."""
        if self.state in _AWAITING:
            self._handle(understand_failure(error, self.state), now)

    def card_answered(self, outcome: Outcome, now: float) -> None:
        """Take the card's answer to AuthenticationRequired; raises LocalError unasked."""
        if isinstance(outcome, AkaResponse):
            happened = Input.CARD_RES
        elif isinstance(outcome, MacFailure):
            happened = Input.CARD_MAC_FAILURE
        elif self._attempt.resynchronised:
            happened = Input.CARD_AUTS_AGAIN
        else:
            happened = Input.CARD_AUTS
        reason = "the card is out of step with the challenge that followed AUTS, too"
        self._call(Finding(happened, reason, outcome=outcome), now)

    def card_failed(self, now: float, reason: str = "", verdict: Verdict | None = None) -> None:
        """The card cannot answer AuthenticationRequired; raises LocalError unasked.

        ``verdict`` tells more than the card-error it is otherwise.
        """
        reason = reason or "the card did not answer the challenge"
        self._call(Finding(Input.CARD_FAILED, reason, verdict=verdict), now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._deadline is not None and now >= self._deadline:
            self._handle(Finding(Input.DUE, "the registrar did not answer"), now)

    def take_requests(self) -> list[Request]:
        """Requests to be sent now, each in a client transaction of its own."""
        requests, self._requests = self._requests, []
        return requests

    def take_events(self) -> list[RegistrationEvent]:
        """What has come of it since the last time."""
        events, self._events = self._events, []
        return events

    def _is_ours(self, response: Response) -> bool:
        if response.headers.get("CSeq") == self._dialog.cseq:
            return True
        try:
            return str(response.cseq) == self._dialog.cseq
        except PeerError:
            return False

    def _call(self, found: Finding, now: float) -> None:
        if (self.state, found.happened) not in TRANSITIONS:
            raise LocalError(f"{found.happened} makes no sense in state {self.state}")
        self._handle(found, now)

    def _handle(self, found: Finding, now: float) -> None:
        if found.happened in _PASSING:
            self._have_patience(found, now)
        row = TRANSITIONS.get((self.state, found.happened))
        if row is None:
            return
        found.verdict = found.verdict or row.verdict
        self.state = row.next_state
        self._deadline = None
        getattr(self, f"_{row.action}")(found, now)

    def _have_patience(self, found: Finding, now: float) -> None:
        """A failure that may pass is waited for: in a first attempt as long as Retry-After and
        the settings say, in a renewal as long as the binding lives."""
        if self._attempt.removing or self._attempt.leaving:
            return
        settings = self.settings
        if self.binding is None:
            if found.seconds and self._tries < settings.retries:
                if self._waited + found.seconds <= settings.retry_limit:
                    found.happened = Input.BUSY
                else:
                    found.reason += f", more than the {settings.retry_limit:g} s allowed in all"
            return
        limit = min(RETRY_MAX, RETRY_BASE * 2**self._failed_renewals)
        wait = limit * (0.5 + self._rng.getrandbits(16) / 2**17)
        at = now + max(wait, found.seconds)
        if at < self._bound_until:
            found.happened, found.seconds = Input.LOST, at

    # What is done ---------------------------------------------------------------------

    def _begin(self, _found: Finding, _now: float) -> None:
        if self._dialog.is_used:
            self._new_dialog()
        self._open()

    def _begin_removal(self, _found: Finding, _now: float) -> None:
        self._attempt.removing = True
        self._open()

    def _new_dialog(self) -> None:
        self._dialog = RegistrationDialog(self.settings, self._writer, self._rng)
        self._attempt = Attempt(self.settings, self._dialog, self.settings.expires)
        self._tries = self._failed_renewals = 0
        self._waited = 0.0

    def _renew(self, _found: Finding, _now: float) -> None:
        self._attempt = Attempt(self.settings, self._dialog, self._attempt.expires)
        self._open()

    _try_again = _renew

    def _remove(self, found: Finding, now: float) -> None:
        if found.binding is not None:
            self._bind(found.binding, now)
        self._attempt = Attempt(self.settings, self._dialog, self._attempt.expires, removing=True)
        self._open()

    def _leave_later(self, _found: Finding, _now: float) -> None:
        self._attempt.leaving = True

    def _ask_card(self, found: Finding, _now: float) -> None:
        assert found.challenge is not None
        challenge = found.challenge
        self._attempt.asked = challenge
        self._events.append(
            AuthenticationRequired(
                challenge.rand, challenge.autn, challenge.scheme, challenge.algorithm
            )
        )

    def _answer(self, found: Finding, _now: float) -> None:
        assert self._attempt.asked is not None
        self._attempt.count(self._attempt.asked)
        self._tell(self._attempt.asked, found)

    def _answer_again(self, found: Finding, _now: float) -> None:
        assert found.challenge is not None
        self._attempt.count(found.challenge)
        self._tell(found.challenge, found)

    def _resynchronise(self, found: Finding, _now: float) -> None:
        assert self._attempt.asked is not None
        self._attempt.resynchronised = True
        self._tell(self._attempt.asked, found)

    def _refuse(self, found: Finding, now: float) -> None:
        assert self._attempt.asked is not None
        self._tell(self._attempt.asked, found)
        self._deadline = now + self.settings.refusal_wait

    def _register(self, found: Finding, now: float) -> None:
        assert found.binding is not None
        binding = found.binding
        self._bind(binding, now)
        self._failed_renewals = 0
        long = binding.expires > LONG_REGISTRATION
        self._deadline = now + (binding.expires - RENEWAL_MARGIN if long else binding.expires / 2)
        challenge = self._dialog.last_challenge
        self._events.append(
            Registered(
                expires=binding.expires,
                contact=self.settings.contact,
                service_route=binding.service_route,
                path=binding.path,
                associated_uris=binding.associated_uris,
                resynchronised=self._attempt.resynchronised,
                scheme=challenge.scheme if challenge else "",
                algorithm=challenge.algorithm if challenge else "",
                hints=found.hints,
            )
        )

    def _bind(self, binding: Binding, now: float) -> None:
        self.binding = binding
        self._bound_until = now + binding.expires

    def _ask_longer(self, found: Finding, _now: float) -> None:
        self._attempt.lengthened = True
        self._attempt.expires = int(found.seconds)
        if self.state == State.ANSWERED:
            attempt = self._attempt
            self._requests.append(self._dialog.counted_on(attempt.uri, attempt.asked_expires))
        else:
            self._open()

    def _follow(self, found: Finding, _now: float) -> None:
        self._attempt.redirected = True
        self._attempt.uri = found.target
        self._dialog.answers.clear()  # they are for another server
        self._events.append(Redirected(found.target))
        self._open()

    def _wait(self, found: Finding, now: float) -> None:
        self._tries += 1
        self._waited += found.seconds
        self._deadline = now + found.seconds
        self._events.append(Retrying(self._deadline, found.reason))

    def _renew_later(self, found: Finding, _now: float) -> None:
        self._failed_renewals += 1
        self._deadline = found.seconds
        self._events.append(Retrying(found.seconds, found.reason))

    def _end(self, found: Finding, _now: float) -> None:
        assert found.verdict is not None
        challenge = self._dialog.last_challenge
        algorithm = challenge.algorithm if challenge else ""
        from sipua.ims.advice import advise  # not needed when it goes well

        hints = advise(found.verdict, self.settings, found.status, algorithm)
        self.binding = None
        self._events.append(Ended(found.verdict, _sentence(found.reason), hints))

    # What is sent ---------------------------------------------------------------------

    def _open(self) -> None:
        reuse = self.settings.preemptive and self.binding is not None
        self._requests.append(
            self._dialog.opening(self._attempt.uri, self._attempt.asked_expires, reuse=reuse)
        )

    def _tell(self, challenge: AkaChallenge, found: Finding) -> None:
        assert found.outcome is not None
        self._requests.append(
            self._dialog.answering(
                challenge, found.outcome, self._attempt.uri, self._attempt.asked_expires
            )
        )


def _sentence(reason: str) -> str:
    text = reason or "no reason was given"
    return f"{text[0].upper()}{text[1:]}."
