"""The side that calls (RFC 3261 §13.2, §9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError, PeerError
from sipua.ims.call import Call, News
from sipua.ims.call_events import CallEnded, Cause, Established, Progress
from sipua.ims.call_request import CallRequest
from sipua.ims.call_settings import ALLOW
from sipua.ims.call_table import CallInput, CallState
from sipua.ims.events import Redirected
from sipua.ims.register_response import REDIRECTIONS, redirect_target
from sipua.ims.security_refusal import is_security_refusal
from sipua.ims.session import Session
from sipua.sip.dialog import Forks, own_contact
from sipua.sip.grammar import quote
from sipua.sip.message import Request
from sipua.sip.offer_answer import OFFERED, OfferAnswer
from sipua.sip.preconditions import Preconditions
from sipua.sip.reliable import is_reliable
from sipua.sip.sdp import CONTENT_TYPE
from sipua.sip.session_timer import SessionTimer
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.call_request import Failure
    from sipua.ims.call_settings import CallSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Response

CAUSES = {
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    486: Cause.BUSY,
    600: Cause.BUSY,
    603: Cause.DECLINED,
}
"""What a final response says of the callee; every other is a refusal."""

_UNDOING = (CallState.WITHDRAWING, CallState.CANCELLING)


class Caller(Call):
    """A call to ``target``, a SIP or tel URI."""

    is_caller = True

    def __init__(self, settings: CallSettings, target: str, rng: Randomness) -> None:
        super().__init__(settings, rng)
        self.target = target
        self.uri = target
        self.forks: Forks | None = None
        self.branches: dict[str, Session] = {}
        self._call_id = f"{rng.getrandbits(128):032x}"
        self._tag = f"{rng.getrandbits(64):016x}"
        self._number = 0
        self._media = OfferAnswer(rng.getrandbits(48))
        self._timer = SessionTimer(settings.session_expires, settings.min_se)
        self._preconditions = Preconditions()
        self._preconditions.used = settings.preconditions
        self._body = b""
        self._redirected = False
        self._request: CallRequest | None = None

    def start(self, now: float) -> None:
        """Call; raises LocalError when that was done before."""
        self._call(CallInput.PLACE, self._news(self._ended_as), now)

    def resources_reserved(self, now: float) -> None:
        """There is a bearer for our side of the call (RFC 3312)."""
        self._preconditions.reserve()
        super().resources_reserved(now)

    def response_received(self, response: Response, now: float) -> None:
        """Take any response to a request of this call; what is not one is passed over."""
        super().response_received(response, now)
        if self._request is not None and self._request.is_asking:
            self._handle(CallInput.CHALLENGED, self._news(self._ended_as), now)

    def _sessions(self) -> list[Session]:
        return list(self.branches.values())

    # INVITE ---------------------------------------------------------------------------

    def _invite(self, _news: News, now: float) -> None:
        media = self.settings.media
        if self._preconditions.used:
            media = media._replace(attributes=self._preconditions.attributes())
        self._body = self._media.offer(media)
        self._send(now)

    def _send(self, now: float) -> None:
        self._request = self.requests.send(self._write, self._heard, self._lost, now)

    def _write(self) -> Request:
        """INVITE, each time with the next CSeq (§22.2), as the first of a new set of dialogs."""
        settings = self.settings
        if self.state == CallState.ASKING:
            self._handle(CallInput.SENT_AGAIN, self._news(self._ended_as), 0)
        self._number += 1
        contact = own_contact(settings.contact, self.uri, settings.routes)
        name = f"{quote(settings.display_name)} " if settings.display_name else ""
        params = settings.contact_params
        request = Request(
            "INVITE",
            self.uri,
            [
                ("Max-Forwards", "70"),
                *[("Route", route) for route in settings.routes],
                ("From", f"{name}<{settings.impu}>;tag={self._tag}"),
                ("To", f"<{self.target}>"),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._number} INVITE"),
                ("Contact", f"<{contact}>{';' if params else ''}{params}"),
                ("P-Preferred-Identity", f"<{settings.impu}>"),
                ("Supported", settings.supported),
                ("Allow", ALLOW),
                ("Accept", CONTENT_TYPE),
                *self._timer.asking(),
                *self.common_headers,
                ("Content-Type", CONTENT_TYPE),
            ],
            self._body,
        )
        self.forks = Forks(request)
        self.branches = {}
        return request

    def _heard(self, response: Response, now: float) -> None:
        """Every response to INVITE but the challenges."""
        status = response.status
        if status < 200:
            self._heard_provisional(response, now)
        elif status < 300:
            self._heard_success(response, now)
        else:
            self._heard_failure(response, now)

    def _heard_provisional(self, response: Response, now: float) -> None:
        session = self._branch(response)
        if session is not None and not session.acknowledge_provisional(response, now):
            return
        news = News(self._ended_as, response, session)
        self._handle(CallInput.PROVISIONAL, news, now)

    def _heard_success(self, response: Response, now: float) -> None:
        session = self._branch(response)
        assert session is not None
        assert self.forks is not None
        news = News(self._ended_as, response, session)
        if session.has_acknowledged(response):
            self._handle(CallInput.ACCEPTED_AGAIN, news, now)
            return
        if self.session is not None or self.state == CallState.ENDED:
            self._handle(CallInput.ACCEPTED_ELSEWHERE, news, now)
            return
        self.session = session
        session.learn(response)
        session.acknowledge(self.forks.request, response)
        try:
            if session.media.state == OFFERED:
                session.take_answer(response.body)
        except PeerError as error:
            ended = CallEnded(Cause.FAILED, response.status, f"the answer cannot be used: {error}")
            self._handle(CallInput.UNUSABLE, news._replace(ended=ended), now)
            return
        session.timer.answered(response, now)
        session.changes.release(now)
        self._handle(CallInput.ACCEPTED, news, now)

    def _heard_failure(self, response: Response, now: float) -> None:
        status = response.status
        verdict = Verdict.SECURITY_AGREEMENT if is_security_refusal(response) else None
        ended = CallEnded(CAUSES.get(status, Cause.REFUSED), status, response.reason, verdict)
        news = News(ended, response)
        happened = CallInput.REFUSED
        if self.state in _UNDOING:
            news = news._replace(ended=CallEnded(Cause.CANCELLED, status, response.reason))
        elif status == 422 and self._can_lengthen(response):
            happened = CallInput.TOO_SMALL
        elif status < 400:
            target = redirect_target(response) if status in REDIRECTIONS else None
            if target is not None and not self._redirected:
                happened = CallInput.REDIRECTED
                news = news._replace(target=target)
            else:
                news = news._replace(ended=CallEnded(Cause.MOVED, status, response.reason))
        self._handle(happened, news, now)

    def _can_lengthen(self, response: Response) -> bool:
        try:
            return self._timer.too_small(response)
        except ParseError:
            return False

    def _lost(self, failure: Failure, now: float) -> None:
        if failure.authentication:
            cause = Cause.NOT_AUTHENTICATED
        else:
            cause = Cause.TIMEOUT if failure.verdict.value == "timeout" else Cause.UNREACHABLE
        verdict = failure.verdict if failure.authentication else None
        if self.state in _UNDOING:
            cause, verdict = Cause.CANCELLED, None
        self._handle(CallInput.FAILED, News(CallEnded(cause, 0, failure.reason, verdict)), now)

    def _branch(self, response: Response) -> Session | None:
        """The session of the dialog that this response belongs to, made when it is new."""
        assert self.forks is not None
        dialog = self.forks.dialog(response)
        if dialog is None:
            return None
        session = self.branches.get(dialog.remote_tag)
        if session is None:
            timer = SessionTimer(self._timer.wanted, self._timer.min_se)
            session = Session(
                self, dialog, self._media.fork(), timer, self._preconditions.copy(), owner=True
            )
            session.learn(response)
            self.branches[dialog.remote_tag] = session
        return session

    # Actions --------------------------------------------------------------------------

    def _progress(self, news: News, now: float) -> None:
        response, session = news.response, news.session
        assert response is not None
        if session is not None:
            session.learn(response)
            if response.body and session.media.state == OFFERED:
                self._take_early_answer(session, response, now)
        if response.status > 100:
            tag = session.tag if session is not None else ""
            self.tell(Progress(response.status, response.reason, tag))

    def _take_early_answer(self, session: Session, response: Response, now: float) -> None:
        try:
            if not is_reliable(response):
                session.preview_answer(response.body)
                return
            session.take_answer(response.body)
        except PeerError:
            return  # the 2xx has to do better
        session.changes.confirm_preconditions(now)

    def _establish(self, news: News, now: float) -> None:
        assert news.session is not None
        assert news.response is not None
        asserted = tuple(news.response.headers.legible("P-Asserted-Identity"))
        self.tell(Established(news.session.tag, asserted))

    def _leave_at_once(self, news: News, now: float) -> None:
        self._deadline = None
        self._leave(news, now)

    def _acknowledge_again(self, news: News, _now: float) -> None:
        assert news.session is not None
        assert news.response is not None
        assert self.forks is not None
        news.session.acknowledge(self.forks.request, news.response)

    def _drop_branch(self, news: News, now: float) -> None:
        """Another branch answered, too late: ACK, then BYE."""
        self._acknowledge_again(news, now)
        assert news.session is not None
        news.session.leave(now)

    def _follow(self, news: News, now: float) -> None:
        self._redirected = True
        self.uri = news.target
        self.tell(Redirected(news.target))
        self._send(now)

    def _lengthen(self, _news: News, now: float) -> None:
        self._send(now)

    def _cancel(self, news: News, now: float) -> None:
        assert self.forks is not None
        self._withdraw_later(news, now)
        self._cancels.append(self.forks.request)
        self._deadline = now + self.settings.timers.transaction

    def _withdraw(self, news: News, now: float) -> None:
        """There is nothing to cancel: the INVITE was refused, and is not sent again."""
        assert self._request is not None
        self._request.abandon()
        self._end(news, now)

    def _withdraw_later(self, news: News, _now: float) -> None:
        """CANCEL may not be sent before a provisional response has come."""
        assert self._request is not None
        self._request.withdrawn = True
        self._ended_as = news.ended
