"""A call, as far as both sides of it are alike (RFC 3261 §13 to §15).

Sans-I/O: it is told what happened and when, and hands out what is to be sent.
``Caller`` and ``Called`` begin it, each in its way; what follows on what stands
in ``call_table``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError, PeerError
from sipua.ims import session_requests
from sipua.ims.call_events import CallEnded, Cause
from sipua.ims.call_request import CallRequests
from sipua.ims.call_table import TRANSITIONS, CallInput, CallState
from sipua.ims.events import Event
from sipua.ims.reply import Reply
from sipua.sip.message import Request, Response
from sipua.sip.offer_answer import HOLD
from sipua.sip.response import create_response
from sipua.sip.sdp import CONTENT_TYPE

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.session import Session
    from sipua.randomness import Randomness
    from sipua.sip.offer_answer import LocalMedia
    from sipua.verdict import Verdict


DECLINE = 603


class News(NamedTuple):
    """What an action needs to know of what happened."""

    ended: CallEnded
    response: Response | None = None
    session: Session | None = None
    status: int = 0
    target: str = ""


class Call:
    """One call. ``state`` is for display; ``session`` its dialog, once there is one.

    Who drives it reports what came with the methods of the first group and
    takes out what is to be done afterwards. All times are seconds of the caller's
    clock.
    """

    is_caller = False

    def __init__(self, settings: CallSettings, rng: Randomness) -> None:
        self.settings = settings
        self.rng = rng
        self.state = CallState.IDLE
        self.session: Session | None = None
        self.acks: list[Request] = []
        self._requests: list[Request] = []
        self._cancels: list[Request] = []
        self._replies: list[Reply] = []
        self._events: list[Event] = []
        self._deadline: float | None = None
        self._ended_as = CallEnded(Cause.HUNG_UP)
        self.requests = CallRequests(settings, rng, self._requests, self._events)
        agent = [("User-Agent", settings.user_agent)] if settings.user_agent else []
        self.common_headers = [*agent, *settings.headers]

    # What happens to it ---------------------------------------------------------------

    def response_received(self, response: Response, now: float) -> None:
        """Take any response to a request of this call; what is not one is passed over."""
        try:
            self.requests.response_received(response, now)
        except PeerError:
            return  # a response that cannot be read is as good as none

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        """No final response came to this request: TimeoutError for silence, else a
        NetworkError."""
        self.requests.request_failed(request, error, now)

    def request_received(self, request: Request, now: float) -> None:
        """Take a request that ``owns`` claims, ACK and CANCEL among them."""
        session = self._session_of(request)
        if request.method == "ACK":
            if session is not None:
                self._acknowledged(session, request, now)
        elif request.method == "CANCEL":
            self._cancelled(request, now)
        elif session is None:
            self.respond(request, 481)
        else:
            session_requests.receive(session, request, now)

    def card_answered(self, outcome: Outcome, now: float) -> None:
        """Take the card's answer to AuthenticationRequired; raises LocalError unasked."""
        self.requests.card_answered(outcome, now)

    def card_failed(self, now: float, reason: str = "", verdict: Verdict | None = None) -> None:
        """The card cannot answer AuthenticationRequired; raises LocalError unasked."""
        self.requests.card_failed(now, reason, verdict)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [self._deadline, self.requests.deadline()]
        if self.state != CallState.ENDED:
            times += [session.deadline() for session in self._sessions()]
        return min((at for at in times if at is not None), default=None)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._handle(CallInput.DUE, self._news(self._ended_as), now)
        self.requests.tick(now)
        if self.state != CallState.ENDED:
            for session in self._sessions():
                session.tick(now)

    def owns(self, request: Request) -> bool:
        """Whether a request of the peer's belongs to this call."""
        return self._session_of(request) is not None

    # What the user wants --------------------------------------------------------------

    def hang_up(self, now: float) -> None:
        """CANCEL, BYE or 603, as the call stands; one that is over stays so."""
        if (self.state, CallInput.HANG_UP) in TRANSITIONS:
            early = self.is_caller and self.state != CallState.ACTIVE
            ended = CallEnded(Cause.CANCELLED if early else Cause.HUNG_UP)
            self._handle(CallInput.HANG_UP, self._news(ended, DECLINE), now)

    def change_media(self, media: LocalMedia, now: float) -> None:
        """Offer the peer another stream; raises LocalError outside an active call."""
        self._active().changes.ask(media, now)

    def hold(self, now: float) -> None:
        """Put the peer on hold (RFC 3264 §8.4)."""
        session = self._active()
        direction = HOLD.get(session.local.direction, session.local.direction)
        session.changes.ask(session.local._replace(direction=direction), now)

    def resume(self, now: float) -> None:
        """Take the peer off hold."""
        session = self._active()
        session.changes.ask(session.local._replace(direction=self.settings.media.direction), now)

    def send_info(self, content_type: str, body: bytes, now: float, package: str = "") -> None:
        """INFO inside the call, of an info package or as for DTMF; raises LocalError outside an
        active call."""
        self._active().send_info(content_type, body, now, package)

    def refer_decided(self, now: float, *, accepted: bool) -> None:
        """Answer ReferReceived: 202 and a first NOTIFY, or 603 (RFC 3515 §2.4)."""
        from sipua.ims.referral import decide

        decide(self._active(), now, accepted=accepted)

    def refer_progress(self, status: int, reason: str, now: float) -> None:
        """Tell what became of the call we were referred to; a final status ends the telling."""
        from sipua.ims.referral import report

        report(self._active(), status, reason, now)

    def resources_reserved(self, now: float) -> None:
        """There is a bearer for our side of the call (RFC 3312)."""
        for session in self._sessions():
            session.preconditions.reserve()
            session.changes.confirm_preconditions(now)
            self.session_changed(session, now)

    def _active(self) -> Session:
        if self.session is None or self.state != CallState.ACTIVE:
            raise LocalError(f"the call is {self.state}, not active")
        return self.session

    # What is to be done ---------------------------------------------------------------

    def take_acks(self) -> list[Request]:
        """ACKs for 2xx, to be sent outside of transactions and before the requests."""
        taken, self.acks = self.acks, []
        return taken

    def take_requests(self) -> list[Request]:
        """Requests to be sent now, each in a client transaction of its own."""
        taken = list(self._requests)
        self._requests.clear()
        return taken

    def take_cancels(self) -> list[Request]:
        """INVITEs of ours whose transactions are to be cancelled."""
        taken, self._cancels = self._cancels, []
        return taken

    def take_responses(self) -> list[Reply]:
        """Responses to requests of the peer's."""
        taken, self._replies = self._replies, []
        return taken

    def take_events(self) -> list[Event]:
        """What has come of it since the last time."""
        taken = list(self._events)
        self._events.clear()
        return taken

    # What sessions tell ---------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Have the user know."""
        self._events.append(event)

    def response(
        self,
        request: Request,
        status: int,
        fields: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        reason: str = "",
    ) -> Response:
        """A response to a request of the peer's."""
        response = create_response(request, status, reason, self._tag_for(request))
        for name, value in [*(fields or ()), *self.common_headers]:
            response.headers.add("Server" if name == "User-Agent" else name, value)
        if body:
            response.headers.add("Content-Type", CONTENT_TYPE)
            response.body = body
        return response

    def reply(self, request: Request, response: Response) -> None:
        """Have a response sent."""
        self._replies.append(Reply(request, response))

    def respond(
        self,
        request: Request,
        status: int,
        fields: list[tuple[str, str]] | None = None,
        reason: str = "",
    ) -> None:
        """Answer without a body."""
        self.reply(request, self.response(request, status, fields, reason=reason))

    def reply_to_invite(self, response: Response) -> None:
        """Have a response to the INVITE sent that began the call."""
        raise NotImplementedError

    def peer_left(self, session: Session, now: float) -> None:
        """BYE came."""
        if session is self.session:
            self._handle(CallInput.PEER_BYE, self._news(CallEnded(Cause.PEER_HUNG_UP), 487), now)

    def session_lost(self, session: Session, status: int, reason: str, now: float) -> None:
        """The peer does not know of the session any more, or does not answer."""
        if session is self.session:
            self._handle(CallInput.LOST, self._news(CallEnded(Cause.LOST, status, reason)), now)

    def session_gone(self, session: Session, now: float) -> None:
        """Our BYE was answered, or never will be."""
        if session is self.session:
            self._handle(CallInput.GONE, self._news(self._ended_as), now)

    def session_unacknowledged(self, session: Session, now: float) -> None:
        """No ACK came for our 2xx."""
        if session is self.session:
            ended = CallEnded(Cause.LOST, 0, "no ACK came for the answer")
            self._handle(CallInput.UNACKED, self._news(ended), now)

    def session_unpracked(self, session: Session, now: float) -> None:
        """No PRACK came for a reliable response."""

    def session_changed(self, session: Session, now: float) -> None:
        """Something was agreed on that others may have waited for."""

    # What each side does in its way ---------------------------------------------------

    def _sessions(self) -> list[Session]:
        return [self.session] if self.session is not None else []

    def _session_of(self, request: Request) -> Session | None:
        return next((each for each in self._sessions() if each.dialog.owns(request)), None)

    def _tag_for(self, request: Request) -> str:
        session = self._session_of(request)
        return session.dialog.local_tag if session is not None else ""

    def _cancelled(self, request: Request, now: float) -> None:
        self.respond(request, 481)

    def _acknowledged(self, session: Session, ack: Request, now: float) -> None:
        try:
            if session.acknowledged(ack, now) and session is self.session:
                self._handle(CallInput.ACK, self._news(self._ended_as), now)
        except PeerError as error:
            ended = CallEnded(Cause.FAILED, 0, f"the answer in ACK cannot be used: {error}")
            self._handle(CallInput.ACK, self._news(self._ended_as), now)
            self._handle(CallInput.LOST, self._news(ended), now)

    # The table ------------------------------------------------------------------------

    def _news(self, ended: CallEnded, status: int = 0) -> News:
        return News(ended, session=self.session, status=status)

    def _handle(self, happened: str, news: News, now: float) -> None:
        row = TRANSITIONS.get((self.state, happened))
        if row is None:
            return
        self.state = row.next_state
        getattr(self, f"_{row.action}")(news, now)

    def _call(self, happened: str, news: News, now: float) -> None:
        if (self.state, happened) not in TRANSITIONS:
            raise LocalError(f"{happened} makes no sense while the call is {self.state}")
        self._handle(happened, news, now)

    def _nothing(self, news: News, _now: float) -> None:
        """Only the state changes; what ends the call later remembers why."""
        self._ended_as = news.ended

    def _leave(self, news: News, now: float) -> None:
        assert self.session is not None
        self._ended_as = news.ended
        self.session.leave(now)

    def _end(self, news: News, _now: float) -> None:
        self._deadline = None
        if self.session is not None:
            self.session.timer.stop()
        self._events.append(news.ended)
