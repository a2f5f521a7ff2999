"""The side that is called (RFC 3261 §13.3, §9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError, PeerError
from sipua.ims.call import Call, News
from sipua.ims.call_events import CallEnded, Cause, Established, Invited
from sipua.ims.call_settings import ALLOW
from sipua.ims.call_table import CallInput, CallState
from sipua.ims.session import Session
from sipua.ims.session_requests import description
from sipua.sip.dialog import Dialog
from sipua.sip.inspection import Refused
from sipua.sip.offer_answer import ASKED, IDLE, OfferAnswer
from sipua.sip.preconditions import Preconditions
from sipua.sip.reliable import MAX_FIRST_RSEQ, TAG, ReliableResponses
from sipua.sip.session_timer import SessionTimer

if TYPE_CHECKING:
    from sipua.ims.call_settings import CallSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Request, Response

BUSY = 486
TERMINATED = 487
SERVER_TIMEOUT = 504
EXTENSION_REQUIRED = 421


class Called(Call):
    """A call of the peer's, begun by ``invite``."""

    def __init__(self, settings: CallSettings, invite: Request, rng: Randomness) -> None:
        super().__init__(settings, rng)
        self.invite = invite
        self._tag = f"{rng.getrandbits(64):016x}"
        self._required = {tag.lower() for tag in invite.headers.values("Require")}
        self._supported = {tag.lower() for tag in invite.headers.legible("Supported")}

    def start(self, now: float) -> None:
        """Take the INVITE: Invited follows, or the call has ended with what was answered."""
        try:
            session = self._open(now)
        except Refused as error:
            self._refused(error, error.headers)
            return
        except PeerError as error:
            self._refused(error, [])
            return
        early = session.preconditions.used and not session.preconditions.met
        happened = CallInput.INVITE_EARLY if early else CallInput.INVITE
        self._call(happened, self._news(self._ended_as), now)

    def _open(self, now: float) -> Session:
        settings, invite = self.settings, self.invite
        session = Session(
            self,
            Dialog.of_called(invite, self._tag),
            OfferAnswer(self.rng.getrandbits(48)),
            SessionTimer(settings.session_expires, settings.min_se),
            Preconditions(),
            owner=False,
        )
        session.timer.check(invite)
        session.learn(invite)
        if description(invite):
            session.take_offer(invite.body)
            session.media.fork().answer(session.wanted())  # 488 is said at once
        if session.preconditions.used and not session.preconditions.met and not self._reliably:
            raise Refused("preconditions without 100rel", EXTENSION_REQUIRED, ("Require", TAG))
        first = 1 + self.rng.getrandbits(31) % MAX_FIRST_RSEQ
        session.reliable = ReliableResponses(invite, first, settings.timers)
        self.session = session
        return session

    def _refused(self, error: PeerError, fields: list[tuple[str, str]]) -> None:
        self.state = CallState.ENDED
        self.respond(self.invite, error.status, fields, error.reason)
        self.tell(CallEnded(Cause.FAILED, error.status, str(error)))

    @property
    def _reliably(self) -> bool:
        """Whether provisional responses are sent reliably (RFC 3262 §3)."""
        return TAG in self._required or (self.settings.reliable and TAG in self._supported)

    # What the user wants --------------------------------------------------------------

    def ring(self, now: float, status: int = 180, *, early_media: bool = False) -> None:
        """A provisional response, with our session description for ``early_media``; raises
        LocalError unless the call is new or rings."""
        if not 100 < status < 200:
            raise LocalError(f"{status} is no provisional response for a user to send")
        news = News(self._ended_as, status=status, target="media" if early_media else "")
        self._call(CallInput.RING, news, now)

    def answer(self, now: float) -> None:
        """Take the call; raises LocalError unless it is new or rings."""
        assert self.session is not None
        later = self.session.reliable is not None and self.session.reliable.holds_back
        happened = CallInput.ANSWER_LATER if later else CallInput.ANSWER
        self._call(happened, self._news(self._ended_as), now)

    def refuse(self, now: float, status: int = BUSY) -> None:
        """486, 603 or any other final response from 300 on; raises LocalError when too late."""
        if not 300 <= status < 700:
            raise LocalError(f"{status} refuses nothing")
        self._call(CallInput.REFUSE, self._news(CallEnded(Cause.DECLINED, status), status), now)

    # What the peer does ---------------------------------------------------------------

    def owns(self, request: Request) -> bool:
        """Whether a request belongs to this call: it is in its dialog, or cancels its INVITE."""
        return super().owns(request) or (request.method == "CANCEL" and self._is_cancel(request))

    def _is_cancel(self, request: Request) -> bool:
        """CANCEL is for the INVITE of the same branch (§9.2)."""
        try:
            ours, theirs = self.invite.top_via, request.top_via
        except ParseError:
            return False
        return (
            ours.branch == theirs.branch
            and ours.sent_by == theirs.sent_by
            and request.headers.get("Call-ID") == self.invite.headers.get("Call-ID")
        )

    def _tag_for(self, request: Request) -> str:
        return self._tag

    def _cancelled(self, request: Request, now: float) -> None:
        if not self._is_cancel(request):
            self.respond(request, 481)
            return
        self.respond(request, 200)
        ended = CallEnded(Cause.CANCELLED, TERMINATED)
        self._handle(CallInput.CANCELLED, self._news(ended, TERMINATED), now)

    def reply_to_invite(self, response: Response) -> None:
        """Have a response to the INVITE sent that began the call."""
        self.reply(self.invite, response)

    def session_unpracked(self, session: Session, now: float) -> None:
        """No PRACK came for a reliable response (RFC 3262 §3)."""
        ended = CallEnded(Cause.LOST, SERVER_TIMEOUT, "no PRACK came")
        self._handle(CallInput.UNPRACKED, self._news(ended, SERVER_TIMEOUT), now)

    def session_changed(self, session: Session, now: float) -> None:
        """A PRACK or an UPDATE was answered."""
        if session.preconditions.met:
            self._handle(CallInput.MET, self._news(self._ended_as), now)
        if session.reliable is None or not session.reliable.holds_back:
            self._handle(CallInput.ACKNOWLEDGED, self._news(self._ended_as), now)

    # Actions --------------------------------------------------------------------------

    def _announce(self, _news: News, _now: float) -> None:
        headers = self.invite.headers
        asserted = tuple(headers.legible("P-Asserted-Identity"))
        self.tell(Invited(self.invite, headers.get("From") or "", asserted))

    def _prepare(self, _news: News, now: float) -> None:
        """183 with our preconditions, of which the peer will tell us more (RFC 3312 §6)."""
        self._send_provisional(183, now, with_media=True)

    def _ring(self, news: News, now: float) -> None:
        self._send_provisional(news.status, now, with_media=bool(news.target))

    def _send_provisional(self, status: int, now: float, *, with_media: bool) -> None:
        session = self.session
        assert session is not None
        assert session.reliable is not None
        offerless = session.media.state == IDLE
        # the first reliable response has to offer when the INVITE did not (RFC 3262 §5)
        with_media = (with_media and not offerless) or (offerless and self._reliably)
        body = self._description() if with_media else b""
        response = self.response(self.invite, status, self._dialog_fields(), body)
        if self._reliably:
            session.reliable.send(response, now)
            session.send_reliable()
        else:
            self.reply_to_invite(response)

    def _description(self) -> bytes:
        """Our answer, or our offer if the peer made none; nothing when all is agreed."""
        session = self.session
        assert session is not None
        if session.media.state == ASKED:
            return session.answer()
        return session.media.offer(session.wanted()) if session.media.state == IDLE else b""

    def _dialog_fields(self) -> list[tuple[str, str]]:
        assert self.session is not None
        routes = [("Record-Route", route) for route in self.invite.headers.all("Record-Route")]
        return [
            *routes,
            self.session.contact(),
            ("Allow", ALLOW),
            ("Supported", self.settings.supported),
        ]

    def _answer(self, _news: News, now: float) -> None:
        session = self.session
        assert session is not None
        assert session.reliable is not None
        session.reliable.stop()
        session.dialog.confirmed = True
        fields = [*self._dialog_fields(), *session.timer.answer(self.invite, now)]
        response = self.response(self.invite, 200, fields, self._description())
        session.repeat_until_acknowledged(self.invite, response, now)
        self.reply_to_invite(response)

    def _join(self, _news: News, _now: float) -> None:
        assert self.session is not None
        self.tell(Established(self.session.tag))

    def _refuse(self, news: News, now: float) -> None:
        if self.session is not None and self.session.reliable is not None:
            self.session.reliable.stop()
        self.respond(self.invite, news.status)
        self._end(news, now)
