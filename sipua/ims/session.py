"""One dialog of a call and what goes on inside it: media, refreshes, our requests.

What the peer asks for inside of it is answered in ``session_requests``, what we
want changed asked for in ``session_changes``; how the call begins and ends is the
business of ``Call``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import PeerError
from sipua.ims.call_events import InfoAnswered, MediaChanged
from sipua.ims.request_line import AT_ONCE, RequestLine
from sipua.ims.session_changes import SessionChanges
from sipua.sip.dialog import own_contact
from sipua.sip.offer_answer import OFFERED, SEND_OFFER, VOICE, LocalMedia, OfferAnswer
from sipua.sip.preconditions import Preconditions
from sipua.sip.reliable import RackOrder, ReliableResponses, is_reliable
from sipua.sip.repetition import AGAIN, OVER, Repetition
from sipua.sip.sdp import Media, SessionDescription
from sipua.sip.session_timer import EXPIRED, REFRESH, SessionTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sipua.ims.call import Call
    from sipua.ims.call_request import Failure
    from sipua.sip.dialog import Dialog
    from sipua.sip.message import Message, Request, Response

GONE = (408, 481)
"""Statuses by which the peer says that it does not know the call (RFC 3261 §12.2.1.2)."""


class Session:
    """A dialog, early or confirmed. ``local`` is the stream as we want it, ``reliable`` what
    was sent reliably of our provisional responses (as the called one)."""

    def __init__(
        self,
        call: Call,
        dialog: Dialog,
        media: OfferAnswer,
        timer: SessionTimer,
        preconditions: Preconditions,
        *,
        owner: bool,
    ) -> None:
        self.call = call
        self.dialog = dialog
        self.media = media
        self.timer = timer
        self.preconditions = preconditions
        self.local = call.settings.media
        self.changes = SessionChanges(self, owner=owner)
        self.racks = RackOrder()
        self.reliable: ReliableResponses | None = None
        self.unacknowledged: dict[int, Repetition] = {}
        self.peer_allows: frozenset[str] = frozenset()
        self.refer: Request | None = None
        self.line = RequestLine(call.requests)
        self._acks: dict[int, Request] = {}

    # What both sides' messages tell ---------------------------------------------------

    def learn(self, message: Message) -> None:
        """Note what the peer can do."""
        allow = message.headers.legible("Allow")
        if allow:
            self.peer_allows = frozenset(each.upper() for each in allow)

    @property
    def tag(self) -> str:
        """The peer's tag, which tells this session from its siblings."""
        return self.dialog.remote_tag

    @property
    def is_blocked(self) -> bool:
        """Whether a change of ours has to wait: for an ACK, or for an answer."""
        return bool(self.unacknowledged) or not self.media.allows(SEND_OFFER)

    # Media ----------------------------------------------------------------------------

    def wanted(self) -> LocalMedia:
        """Our side of the stream, with its preconditions where they are used."""
        if not self.preconditions.used:
            return self.local
        return self.local._replace(attributes=self.preconditions.attributes())

    def take_answer(self, body: bytes) -> None:
        """The peer's answer to our offer; raises PeerError."""
        self.media.take_answer(body)
        self._read_preconditions(self.media.remote)
        self._tell_media()

    def preview_answer(self, body: bytes) -> None:
        """The answer as an unreliable response has it, to be said again; raises PeerError."""
        preview = self.media.fork()
        preview.take_answer(body)
        self.call.tell(MediaChanged(preview.stream, self.tag, early=True))

    def take_offer(self, body: bytes) -> None:
        """The peer's offer, which ``answer`` is to answer; raises PeerError."""
        self.media.take_offer(body)
        try:
            self._read_preconditions(self.media.asked)
        except PeerError:
            self.media.refuse()
            raise

    def answer(self) -> bytes:
        """Our answer; raises PeerError, after which the offer is refused."""
        try:
            body = self.media.answer(self.wanted())
        except PeerError:
            self.media.refuse()
            raise
        self._tell_media()
        return body

    def _read_preconditions(self, description: SessionDescription | None) -> None:
        if not self.call.settings.preconditions or description is None:
            return
        stream = voice(description)
        if stream is not None:
            self.preconditions.take(stream)

    def _tell_media(self) -> None:
        early = not self.dialog.confirmed
        self.call.tell(MediaChanged(self.media.stream, self.tag, early=early))

    # Our requests ---------------------------------------------------------------------

    def send(
        self,
        method: str,
        hear: Callable[[Response, float], None],
        lose: Callable[[Failure, float], None],
        now: float,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """A request inside the dialog, with a new CSeq for each challenge that is answered."""
        lines = [*headers, *self.call.common_headers]

        def write() -> Request:
            return self.dialog.request(method, lines, body)

        self.line.send(write, hear, lose, now, at_once=method in AT_ONCE)

    def contact(self) -> tuple[str, str]:
        """Our Contact field."""
        settings = self.call.settings
        uri = own_contact(settings.contact, self.dialog.target, self.dialog.routes)
        params = settings.contact_params
        return "Contact", f"<{uri}>{';' if params else ''}{params}"

    def acknowledge(self, invite: Request, response: Response) -> None:
        """ACK for a 2xx to this INVITE, with its credentials (RFC 3261 §13.2.2.4)."""
        number = response.cseq.number
        if number not in self._acks:
            credentials = [
                (name, value)
                for name, value in invite.headers
                if name in ("Authorization", "Proxy-Authorization")
            ]
            self._acks[number] = self.dialog.ack(number, credentials)
        self.call.acks.append(self._acks[number])

    def has_acknowledged(self, response: Response) -> bool:
        """Whether this 2xx was acknowledged before."""
        return response.cseq.number in self._acks

    def leave(self, now: float, reason: str = "") -> None:
        """BYE (RFC 3261 §15.1.1)."""
        self.timer.stop()
        self.unacknowledged.clear()
        self.line.clear()
        headers = [("Reason", reason)] if reason else []
        self.send("BYE", self._heard_bye, self._lost_bye, now, headers)

    def _heard_bye(self, response: Response, now: float) -> None:
        if response.status >= 200:
            self.call.session_gone(self, now)

    def _lost_bye(self, _failure: Failure, now: float) -> None:
        self.call.session_gone(self, now)

    def acknowledge_provisional(self, response: Response, now: float) -> bool:
        """PRACK a reliable response (RFC 3262 §4); whether it is to be looked at at all."""
        if not is_reliable(response):
            return True
        rack = self.racks.rack(response)
        if rack is None:
            return False
        self.send("PRACK", self._heard_prack, self._lost_prack, now, [("RAck", rack)])
        return True

    def _heard_prack(self, _response: Response, _now: float) -> None:
        """Whatever is said to it, the INVITE will tell what becomes of the call."""

    def _lost_prack(self, failure: Failure, now: float) -> None:
        self.call.session_lost(self, 0, failure.reason, now)

    def send_info(self, content_type: str, body: bytes, now: float, package: str = "") -> None:
        """INFO (RFC 6086 §4.2.1); of no ``package`` as for DTMF."""
        headers = [("Content-Type", content_type)]
        if package:
            headers += [("Info-Package", package), ("Content-Disposition", "Info-Package")]
        self.send("INFO", self._heard_info, self._lost_info, now, headers, body)

    def _heard_info(self, response: Response, now: float) -> None:
        if response.status >= 200:
            self.call.tell(InfoAnswered(response.status, response.reason))
            self.check_gone(response, now)

    def _lost_info(self, failure: Failure, now: float) -> None:
        self.call.tell(InfoAnswered(0, failure.reason))
        if not failure.authentication:
            self.call.session_lost(self, 0, failure.reason, now)

    def check_gone(self, response: Response, now: float) -> bool:
        """Whether the peer does not know the call, which is over then."""
        if response.status in GONE:
            self.call.session_lost(self, response.status, response.reason, now)
            return True
        return False

    # Responses of ours that wait for an ACK -------------------------------------------

    def repeat_until_acknowledged(self, request: Request, response: Response, now: float) -> None:
        """A 2xx to INVITE, sent until the ACK comes (RFC 3261 §13.3.1.4)."""
        timers = self.call.settings.timers
        number = request.cseq.number
        self.unacknowledged[number] = Repetition(request, response, timers, now, timers.t2)

    def acknowledged(self, ack: Request, now: float) -> bool:
        """Take an ACK; whether it was waited for. A PeerError is raised for a bad answer."""
        if self.unacknowledged.pop(ack.cseq.number, None) is None:
            return False
        if self.media.state == OFFERED and not self.changes.is_under_way:
            self.take_answer(ack.body)
        self.changes.release(now)
        return True

    # Time -----------------------------------------------------------------------------

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [self.timer.deadline(), self.changes.deadline()]
        times += [each.deadline for each in self.unacknowledged.values()]
        if self.reliable is not None:
            times.append(self.reliable.deadline())
        return min((at for at in times if at is not None), default=None)

    def tick(self, now: float) -> None:
        """Let time pass."""
        for number, repetition in list(self.unacknowledged.items()):
            due = repetition.due(now)
            if due == AGAIN:
                self.call.reply(repetition.request, repetition.response)
            elif due == OVER:
                del self.unacknowledged[number]
                self.call.session_unacknowledged(self, now)
        if self.reliable is not None:
            in_vain = self.reliable.tick(now)
            self.send_reliable()
            if in_vain:
                self.call.session_unpracked(self, now)
        self.changes.tick(now)
        due = self.timer.tick(now)
        if due == REFRESH:
            self.changes.refresh(now)
        elif due == EXPIRED:
            self.call.session_lost(self, 0, "the session has expired", now)

    def send_reliable(self) -> None:
        """Send what has come to be the next of the reliable responses."""
        if self.reliable is not None:
            for response in self.reliable.take():
                self.call.reply_to_invite(response)


def voice(description: SessionDescription) -> Media | None:
    """The voice stream of a description; None when there is none in use."""
    return next((each for each in description.media if each.kind == VOICE and each.port), None)
