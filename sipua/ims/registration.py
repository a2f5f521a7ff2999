"""The registration machine of one public identity (TS 24.229 §5.1.1, RFC 3261 §10).

Sans-I/O: it is told what happened and when, and hands out requests and events.
What follows on what stands in ``registration_table``, what a response means in
``registration_attempt``; here is what each action does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.ims.events import Ended, Redirected, Registered, Retrying
from sipua.ims.machine import Finding, Machine, sentence
from sipua.ims.register_request import ANY_CONTACT, RegisterWriter, RegistrationSettings
from sipua.ims.registration_attempt import Attempt
from sipua.ims.registration_dialog import RegistrationDialog
from sipua.ims.registration_table import TRANSITIONS
from sipua.ims.table import Input, State

if TYPE_CHECKING:
    from sipua.ims.register_response import Binding
    from sipua.randomness import Randomness
    from sipua.sip.message import Response

LONG_REGISTRATION = 1200
RENEWAL_MARGIN = 600
"""Seconds: a longer one is renewed this long before its end, a shorter one at half
(TS 24.229 §5.1.1.4.1)."""

RETRY_BASE = 30.0
RETRY_MAX = 1800.0
"""Seconds of the back-off after a failed renewal (RFC 5626 §4.5)."""

_PASSING = (
    Input.SERVER_FAILED,
    Input.TIMED_OUT,
    Input.UNREACHABLE,
    Input.DNS_FAILED,
    Input.TLS_FAILED,
)


class Registration(Machine):
    """Registers one IMPU, keeps it registered and takes it back, one attempt after another.

    ``binding`` is what the registrar keeps at present.
    """

    TRANSITIONS = TRANSITIONS
    PEER = "registrar"

    def __init__(self, settings: RegistrationSettings, rng: Randomness) -> None:
        self.settings = settings
        self.binding: Binding | None = None
        self._bound_until = 0.0
        self._rng = rng
        self._writer = RegisterWriter(settings)
        self._new_dialog()
        super().__init__(self._answers, settings.refusal_wait)

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

    def is_bound(self, now: float) -> bool:
        """Whether the registrar keeps a binding now."""
        return self.binding is not None and now < self._bound_until

    def _cseq(self) -> str:
        return self._dialog.cseq

    def _understand_other(self, response: Response, found: Finding) -> None:
        self._attempt.understand(response, self.state, found)

    def _handle(self, found: Finding, now: float) -> None:
        if found.happened in _PASSING:
            self._have_patience(found, now)
        super()._handle(found, now)

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
        self._answers = self._dialog.answers
        self._attempt = Attempt(self.settings, self._answers, self.settings.expires)
        self._tries = self._failed_renewals = 0
        self._waited = 0.0

    def _renew(self, _found: Finding, _now: float) -> None:
        self._new_attempt()
        self._open()

    _try_again = _renew

    def _remove(self, found: Finding, now: float) -> None:
        if found.binding is not None:
            self._bind(found.binding, now)
        self._new_attempt(removing=True)
        self._open()

    def _new_attempt(self, *, removing: bool = False) -> None:
        expires = self._attempt.expires
        self._attempt = Attempt(self.settings, self._answers, expires, removing=removing)
        self._answers.start_attempt()

    def _leave_later(self, _found: Finding, _now: float) -> None:
        self._attempt.leaving = True

    def _register(self, found: Finding, now: float) -> None:
        assert found.binding is not None
        binding = found.binding
        self._bind(binding, now)
        self._failed_renewals = 0
        long = binding.expires > LONG_REGISTRATION
        self._deadline = now + (binding.expires - RENEWAL_MARGIN if long else binding.expires / 2)
        challenge = self._answers.last_challenge
        self._events.append(
            Registered(
                expires=binding.expires,
                contact=self.settings.contact,
                service_route=binding.service_route,
                path=binding.path,
                associated_uris=binding.associated_uris,
                resynchronised=self._answers.resynchronised,
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
            self._send_answers()
        else:
            self._open()

    def _follow(self, found: Finding, _now: float) -> None:
        self._attempt.redirected = True
        self._attempt.uri = found.target
        self._answers.given.clear()  # they are for another server
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
        challenge = self._answers.last_challenge
        algorithm = challenge.algorithm if challenge else ""
        from sipua.ims.advice import advise  # not needed when it goes well

        hints = advise(
            found.verdict, self.settings, found.status, algorithm, retry_after=found.seconds
        )
        self.binding = None
        self._events.append(Ended(found.verdict, sentence(found.reason), hints))

    # What is sent ---------------------------------------------------------------------

    def _open(self) -> None:
        reuse = self.settings.preemptive and self.binding is not None
        self._requests.append(
            self._dialog.opening(self._attempt.uri, self._attempt.asked_expires, reuse=reuse)
        )

    def _send_answers(self) -> None:
        attempt = self._attempt
        self._requests.append(self._dialog.request(attempt.uri, attempt.asked_expires))
