"""The subscriber's side of one subscription (RFC 6665 §4.1), for any event package.

Sans-I/O, as every machine here. The dialog is made by the first NOTIFY, which may
come before the 2xx; NOTIFYs of other branches of a forked SUBSCRIBE are refused.
A subscription lives beside a registration: what may pass is waited for (RFC 5626
§4.5), only a refusal ends it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.auth.answers import Answers
from sipua.errors import ParseError, PeerError
from sipua.ims.events import Ended, Event, Retrying
from sipua.ims.machine import Finding, Machine, sentence
from sipua.ims.notice import TERMINATED, check_event, read_notice
from sipua.ims.register_response import min_expires, retry_after
from sipua.ims.reply import Reply
from sipua.ims.security_refusal import is_security_refusal
from sipua.ims.subscription_table import (
    DESTROYS,
    OTHER_REASON,
    REASONS,
    TRANSITIONS,
    Heard,
)
from sipua.ims.table import OPEN, Input, State
from sipua.sip.dialog import Dialog, recorded, tag_of
from sipua.sip.headers import parse_delta_seconds
from sipua.sip.inspection import Refused
from sipua.sip.message import Request
from sipua.sip.response import create_response

if TYPE_CHECKING:
    from sipua.ims.notice import Notice
    from sipua.ims.subscription_settings import SubscriptionSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Response

METHOD = "SUBSCRIBE"
TIMER_N = 32.0
"""Seconds in which the first NOTIFY has to come: 64 times T1 (RFC 6665 §4.1.2.4)."""

LONG = 1200
MARGIN = 600
"""Seconds: a longer subscription is refreshed this long before its end, a shorter one at
half (TS 24.229 §5.1.1.3)."""

RETRY_BASE = 30.0
RETRY_MAX = 1800.0
RETRY_AFTER_MAX = 86400.0
"""Seconds of the back-off (RFC 5626 §4.5), and the longest that a notifier may ask for."""

QUICK = 60.0
"""A notifier that ends subscriptions within so many seconds is not asked again at once."""


class Notified(Event):
    """A NOTIFY came. ``state`` is active, pending or terminated, ``expires`` the seconds left,
    -1 where it does not say."""

    __slots__ = ("expires", "reason", "state")

    def __init__(self, state: str, expires: int, reason: str) -> None:
        self.state = state
        self.expires = expires
        self.reason = reason


class Subscription(Machine):
    """One subscription, renewed until ``stop`` or until the notifier refuses.

    A package reads the bodies: see ``_take_document``.
    """

    TRANSITIONS = TRANSITIONS
    PEER = "notifier"

    def __init__(self, settings: SubscriptionSettings, rng: Randomness) -> None:
        self.settings = settings
        self.dialog: Dialog | None = None
        self._rng = rng
        self._number = 0
        self._expires = settings.expires
        self._live_until = 0.0
        self._begun = float("-inf")
        self._failures = 0
        self._lengthened = False
        self._notified = False  # since the last SUBSCRIBE
        self._leaving = self._stopping = False
        self._routes: tuple[str, ...] = ()  # that the 2xx to the first SUBSCRIBE brought
        self._responses: list[Reply] = []
        self._before: float | None = None
        answers = Answers(settings.impi, rng, settings.schemes, plain_res=settings.plain_res)
        super().__init__(answers, settings.refusal_wait)
        self._new_identifiers()

    # What happens to it ---------------------------------------------------------------

    def start(self, now: float) -> None:
        """Subscribe; raises LocalError while a subscription stands."""
        self._call(Finding(Heard.START), now)

    def stop(self, now: float) -> None:
        """Unsubscribe, as soon as it can be done; raises LocalError when there is nothing."""
        self._call(Finding(Heard.STOP, "the subscription is not wanted any more"), now)

    def owns(self, request: Request) -> bool:
        """Whether a NOTIFY is for this subscription, or claims to be."""
        return (
            request.method == "NOTIFY"
            and request.headers.get("Call-ID") == self._call_id
            and tag_of(request.headers.get("To") or "") == self._tag
        )

    def request_received(self, request: Request, now: float) -> None:
        """Take a NOTIFY that ``owns`` claims; what is answered is in ``take_responses``."""
        try:
            found = self._read_notify(request, now)
        except PeerError as error:
            self._respond(request, error.status, error)
            return
        self._handle(found, now)

    def take_responses(self) -> list[Reply]:
        """Responses to NOTIFYs."""
        taken, self._responses = self._responses, []
        return taken

    # NOTIFY ---------------------------------------------------------------------------

    def _take_document(self, content_type: str, body: bytes) -> bool:
        """Read the body of a NOTIFY; whether one before it never came.

        Raises PeerError for what cannot be read: the status is answered.
        """
        raise NotImplementedError

    def _read_notify(self, request: Request, now: float) -> Finding:
        """What a NOTIFY means; raises PeerError for one that is not taken."""
        check_event(request, self.settings.event)
        dialog = self._dialog_of(request)
        notice = read_notice(request)
        dialog.check(request)
        self.dialog = dialog
        found = Finding(Heard.NOTIFIED, f"the notifier's state is {notice.state}")
        error = None
        if request.body:
            try:
                if self._take_document(request.headers.get("Content-Type") or "", request.body):
                    found.happened = Heard.MISSED
            except PeerError as unreadable:
                error = unreadable
        if notice.state == TERMINATED:
            self._understand_end(found, notice, now)
        elif notice.expires >= 0:
            self._live_until = now + notice.expires
        self._notified = True
        self._respond(request, 200 if error is None else error.status, error)
        self._events.append(Notified(notice.state, notice.expires, notice.reason))
        return found

    def _dialog_of(self, request: Request) -> Dialog:
        if self.dialog is None:
            if self.state in (State.ENDED, State.WAITING, State.IDLE):
                raise Refused("there is no subscription any more", 481)
            dialog = Dialog.of_called(request, self._tag)
            dialog.remote_cseq = None
            dialog.local_cseq = self._number
            dialog.confirmed = True
            dialog.routes = dialog.routes or self._routes
            return dialog
        if not self.dialog.owns(request):
            raise Refused("another branch of the SUBSCRIBE", 481)
        return self.dialog

    def _understand_end(self, found: Finding, notice: Notice, now: float) -> None:
        rule = REASONS.get(notice.reason, OTHER_REASON)
        found.happened = rule.happened
        why = notice.reason or "it does not say why"
        found.reason = f"the notifier ended the subscription: {why}"
        if rule.heeds_retry_after:
            found.seconds = max(0, notice.retry_after)
        if rule.happened == Heard.ENDED_RETRY and now < self._begun + QUICK:
            found.happened = Heard.ENDED_LATER
        if self._stopping and self.state in OPEN:
            found.happened = Heard.NOTIFIED  # the answer to our leaving is still to come
        self.dialog = None

    def _respond(self, request: Request, status: int, error: PeerError | None) -> None:
        response = create_response(request, status, error.reason if error is not None else "")
        if isinstance(error, Refused):
            for name, value in error.headers:
                response.headers.add(name, value)
        self._responses.append(Reply(request, response))

    # Responses to SUBSCRIBE -----------------------------------------------------------

    def _cseq(self) -> str:
        return f"{self._number} {METHOD}"

    def _understand(self, response: Response) -> Finding:
        return self._while_leaving(super()._understand(response))

    def _while_leaving(self, found: Finding) -> Finding:
        """Whoever wants to go does not wait for anything to get better."""
        going_on = (Input.CHALLENGED, Input.CHALLENGED_KNOWN, Heard.ACCEPTED_LEAVING)
        if self.state in OPEN and found.happened not in going_on:
            if self._leaving or (self._stopping and self.dialog is None):
                found.happened = Heard.LEFT_LATE
            elif self._stopping:
                found.happened = Heard.LEFT
        return found

    def _understand_other(self, response: Response, found: Finding) -> None:
        status = response.status
        found.response = response
        if status < 300:
            self._learn_routes(response)
            found.happened = self._acceptance()
        elif status == 423:
            seconds = min_expires(response)
            if seconds is not None and seconds > self._expires and not self._lengthened:
                found.happened, found.seconds = Heard.TOO_BRIEF, seconds
        elif status == 481 and self.dialog is not None:
            found.happened = Heard.GONE
        elif is_security_refusal(response):
            found.happened = Input.SECURITY
        elif status in (408, 600) or 500 <= status < 600:
            if status != 501:
                found.happened = Heard.PASSING
                found.seconds = retry_after(response) or 0
        elif self.dialog is not None and status not in DESTROYS and status != 403:
            found.happened = Heard.PASSING

    def _learn_routes(self, response: Response) -> None:
        """Proxies that record their route in the SUBSCRIBE alone are wrong (RFC 6665 §4.3), and
        many: what came back in the 2xx serves where the NOTIFY has none."""
        if self._routes:
            return
        with suppress(ParseError):
            self._routes = recorded(response)[::-1]
        if self.dialog is not None and not self.dialog.routes:
            self.dialog.routes = self._routes

    def _acceptance(self) -> str:
        if self._leaving and self.dialog is not None:
            return Heard.ACCEPTED_LEAVING
        return Heard.ACCEPTED_LATE if self._notified else Heard.ACCEPTED

    def _understand_failure(self, error: Exception) -> Finding:
        found = super()._understand_failure(error)
        if found.happened != Input.CONCLUDED:
            found.happened = Heard.PASSING
        return self._while_leaving(found)

    # What is done ---------------------------------------------------------------------

    def _begin(self, _found: Finding, now: float) -> None:
        """Subscribe anew, in a dialog of its own."""
        self.dialog = None
        self._stopping = self._leaving = False
        self._begun = now
        self._live_until = 0.0
        self._new_identifiers()
        self._refresh(_found, now)

    def _refresh(self, _found: Finding, _now: float) -> None:
        self._notified = self._lengthened = False
        self._answers.start_attempt()
        self._answers.forget_unusable(reuse=True)
        self._send_answers()

    def _resume(self, found: Finding, now: float) -> None:
        if self.dialog is not None and now < self._live_until:
            self._refresh(found, now)
        else:
            self._begin(found, now)

    def _ask_longer(self, found: Finding, _now: float) -> None:
        self._lengthened = True
        self._expires = int(found.seconds)
        self._send_answers()

    def _expect_notify(self, found: Finding, now: float) -> None:
        self._learn(found, now)
        self._deadline = now + TIMER_N

    def _keep(self, found: Finding, now: float) -> None:
        """Refresh in time."""
        self._learn(found, now)
        self._failures = 0
        left = max(0.0, self._live_until - now)
        self._deadline = now + (left - MARGIN if left > LONG else left / 2)

    def _learn(self, found: Finding, now: float) -> None:
        """The time that a 2xx grants; a NOTIFY that came before has the last word."""
        if found.response is None or (self._notified and self._live_until > now):
            return
        try:
            expires = parse_delta_seconds(found.response.headers.get("Expires") or "")
        except ParseError:
            expires = self._expires
        self._live_until = now + expires

    def _handle(self, found: Finding, now: float) -> None:
        self._before = self._deadline
        super()._handle(found, now)

    def _note(self, _found: Finding, _now: float) -> None:
        """The 2xx is still to come, or a pause to end."""
        self._deadline = self._before

    def _wait(self, found: Finding, now: float) -> None:
        limit = min(RETRY_MAX, RETRY_BASE * 2**self._failures)
        self._failures += 1
        wait = limit * (0.5 + self._rng.getrandbits(16) / 2**17)
        self._deadline = now + max(wait, min(found.seconds, RETRY_AFTER_MAX))
        self._events.append(Retrying(self._deadline, sentence(found.reason)))

    def _wait_anew(self, found: Finding, now: float) -> None:
        self.dialog = None
        self._wait(found, now)

    def _leave(self, found: Finding, now: float) -> None:
        self._stopping = True
        self._leaving = False
        self._refresh(found, now)

    def _leave_later(self, _found: Finding, _now: float) -> None:
        self._leaving = True
        self._deadline = self._before

    def _end(self, found: Finding, _now: float) -> None:
        assert found.verdict is not None
        self.dialog = None
        self._events.append(Ended(found.verdict, sentence(found.reason), ()))

    # What is sent ---------------------------------------------------------------------

    def _new_identifiers(self) -> None:
        self._routes = ()
        self._call_id = f"{self._rng.getrandbits(128):032x}"
        self._tag = f"{self._rng.getrandbits(64):016x}"
        self._answers.given.clear()

    def _send_answers(self) -> None:
        settings = self.settings
        headers = [
            ("Event", settings.event),
            ("Accept", settings.accept),
            ("Expires", "0" if self._stopping else str(self._expires)),
            ("Contact", f"<{settings.contact}>{self._contact_params}"),
            ("P-Preferred-Identity", f"<{settings.impu}>"),
        ]
        if settings.user_agent:
            headers.append(("User-Agent", settings.user_agent))
        request = self._request([*headers, *settings.headers])
        for name, value in self._answers.credentials(METHOD, request.uri, b""):
            request.headers.add(name, value)
        self._requests.append(request)

    @property
    def _contact_params(self) -> str:
        params = self.settings.contact_params
        return f";{params}" if params else ""

    def _request(self, headers: list[tuple[str, str]]) -> Request:
        if self.dialog is not None:
            request = self.dialog.request(METHOD, headers)
            self._number = self.dialog.local_cseq
            return request
        settings = self.settings
        self._number += 1
        way = [("Route", route) for route in settings.route]
        return Request(
            METHOD,
            settings.uri,
            [
                ("Max-Forwards", "70"),
                *way,
                ("From", f"<{settings.impu}>;tag={self._tag}"),
                ("To", f"<{settings.uri}>"),
                ("Call-ID", self._call_id),
                ("CSeq", self._cseq()),
                *headers,
            ],
        )
