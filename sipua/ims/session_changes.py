"""What we want changed inside a call: another stream, or a session that lasts longer.

Asked for by UPDATE or re-INVITE; ``modification`` knows when one may be sent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.errors import ParseError, PeerError
from sipua.ims import modification
from sipua.ims.call_events import ChangeRefused
from sipua.ims.call_settings import ALLOW
from sipua.ims.modification import Change, Modification
from sipua.sip.offer_answer import OFFERED
from sipua.sip.sdp import CONTENT_TYPE

if TYPE_CHECKING:
    from sipua.ims.call_request import Failure
    from sipua.ims.session import Session
    from sipua.sip.message import Request, Response
    from sipua.sip.offer_answer import LocalMedia


class SessionChanges:
    """Changes of one session. ``owner`` tells whether we made its Call-ID."""

    def __init__(self, session: Session, *, owner: bool) -> None:
        self._session = session
        self.modification = Modification(session.call.rng, self._send, owner=owner)

    @property
    def is_under_way(self) -> bool:
        """Whether a change waits for its final response."""
        return self.modification.state == modification.SENT

    @property
    def is_inviting(self) -> bool:
        """Whether a re-INVITE waits for its final response."""
        sent = self.modification.sent
        return self.is_under_way and sent is not None and sent.method == "INVITE"

    def ask(self, media: LocalMedia, now: float) -> None:
        """Have the peer agree to another stream: UPDATE before the answer, re-INVITE after."""
        session = self._session
        session.local = media
        self._want(Change("INVITE" if session.dialog.confirmed else "UPDATE", media), now)

    def confirm_preconditions(self, now: float) -> None:
        """Tell the peer of our bearer if it asked for that (RFC 3312 §7)."""
        preconditions = self._session.preconditions
        if preconditions.used and preconditions.owes_confirmation:
            self.ask(self._session.local, now)

    def refresh(self, now: float) -> None:
        """Have the session last longer (RFC 4028 §7.4)."""
        method = "UPDATE" if "UPDATE" in self._session.peer_allows else "INVITE"
        self._want(Change(method, None), now)

    def release(self, now: float) -> None:
        """Send the change that waits, if nothing is in its way any more."""
        if not self._session.is_blocked:
            self.modification.feed(modification.RELEASED, now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self.modification.deadline()

    def tick(self, now: float) -> None:
        """Let time pass."""
        self.modification.tick(now, blocked=self._session.is_blocked)

    def _want(self, change: Change, now: float) -> None:
        self.modification.want(change, now, blocked=self._session.is_blocked)

    def _send(self, change: Change, now: float) -> None:
        session = self._session
        headers = [
            session.contact(),
            ("Supported", session.call.settings.supported),
            ("Allow", ALLOW),
            *session.timer.asking(),
        ]
        body = b""
        if change.method == "INVITE" or change.media is not None:
            if change.media is not None:
                session.local = change.media
            body = session.media.offer(session.wanted())
            headers.append(("Content-Type", CONTENT_TYPE))
        sent: list[Request] = []

        def write() -> Request:
            lines = [*headers, *session.call.common_headers]
            sent[:] = [session.dialog.request(change.method, lines, body)]
            return sent[0]

        def hear(response: Response, now: float) -> None:
            self._heard(change, sent[0], response, now)

        session.line.send(write, hear, self._lost, now)

    def _heard(self, change: Change, request: Request, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            self._session.acknowledge_provisional(response, now)
        elif status < 300:
            self._taken(change, request, response, now)
        elif status == 491:
            self._give_up_offer()
            self.modification.feed(modification.COLLIDED, now)
        else:
            self._refused(change, response, now)

    def _refused(self, change: Change, response: Response, now: float) -> None:
        session = self._session
        self._give_up_offer()
        self.modification.feed(modification.REFUSED, now)
        if session.check_gone(response, now):
            return
        with suppress(ParseError):  # a 422 without Min-SE is a refusal as any other
            if response.status == 422 and session.timer.too_small(response):
                self._want(change, now)
                return
        if change.media is not None:
            session.call.tell(ChangeRefused(response.status, response.reason))

    def _taken(self, change: Change, request: Request, response: Response, now: float) -> None:
        session = self._session
        if change.method == "INVITE":
            again = session.has_acknowledged(response)
            if not again:
                session.dialog.answered(response, change.method)
            session.acknowledge(request, response)
            if again:
                return
        else:
            session.dialog.answered(response, change.method)
        session.learn(response)
        session.timer.answered(response, now)
        if request.body:
            try:
                session.take_answer(response.body)
            except PeerError as error:
                self._give_up_offer()
                reason = f"the answer cannot be used: {error}"
                session.call.session_lost(session, 0, reason, now)
                return
        self.modification.feed(modification.TAKEN, now)
        session.call.session_changed(session, now)

    def _lost(self, failure: Failure, now: float) -> None:
        session = self._session
        self._give_up_offer()
        self.modification.feed(modification.REFUSED, now)
        if failure.authentication:
            session.call.tell(ChangeRefused(0, failure.reason))
        else:
            session.call.session_lost(session, 0, failure.reason, now)

    def _give_up_offer(self) -> None:
        """Back to what was agreed before our offer, and to what we wanted then."""
        session = self._session
        if session.media.state == OFFERED:
            session.media.refuse()
            if session.media.local is not None:
                session.local = session.media.local._replace(attributes=session.local.attributes)
