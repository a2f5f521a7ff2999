"""USSD over IMS that the network began (TS 24.390 §4.5.5).

Its question or news comes with the INVITE, is taken with a 2xx, and answered by INFO once that is
acknowledged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.ims import multipart
from sipua.ims.call_events import InfoAnswered
from sipua.ims.called import Called
from sipua.ims.ussd_data import CONTENT_TYPE, INFO_PACKAGE, UssdData
from sipua.ims.ussd_dialogue import (
    UNSPECIFIED_ERROR,
    USSD_BUSY,
    UssdDialogue,
    UssdInput,
)
from sipua.sip import sdp
from sipua.sip.offer_answer import OFFERED

if TYPE_CHECKING:
    from sipua.ims.call import News
    from sipua.ims.call_settings import CallSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Request, Response

FEATURE = "+g.3gpp.nw-init-ussi"
"""The feature tag of a Contact that takes such (TS 24.390 §B.2)."""

ACCEPTED = f"{sdp.CONTENT_TYPE}, {CONTENT_TYPE}, {multipart.MIXED}"


def carries_ussd(invite: Request) -> bool:
    """Whether an INVITE is for USSD: it holds a ussd-data document, readable or not."""
    content_type = invite.headers.get("Content-Type") or ""
    try:
        parts = multipart.split(content_type, invite.body)
    except ParseError:
        return False
    return any(part.media_type == CONTENT_TYPE for part in parts)


class UssdCalled(UssdDialogue, Called):
    """What the network asks or tells, and what comes of it."""

    def __init__(
        self, settings: CallSettings, invite: Request, rng: Randomness, *, is_busy: bool = False
    ) -> None:
        """``is_busy``: another dialogue goes on, and there is one at a time (TS 24.090 §5.1.1).

        Raises ParseError for an INVITE that cannot be taken apart.
        """
        super().__init__(settings._replace(media=settings.media._replace(port=0)), invite, rng)
        self._is_busy = is_busy
        parts = multipart.split(invite.headers.get("Content-Type") or "", invite.body)
        bodies = {part.media_type: part.body for part in parts}
        self._first = bodies.get(CONTENT_TYPE, b"")
        invite.body = bodies.get(sdp.CONTENT_TYPE, b"")  # all that a call understands
        invite.headers.set("Content-Type", sdp.CONTENT_TYPE)

    def decline(self, now: float) -> None:
        """The question is not answered: the network is told, and the dialogue left."""
        self.happened(UssdInput.DECLINE, UssdData(error=UNSPECIFIED_ERROR), now)

    # What comes -----------------------------------------------------------------------

    def request_received(self, request: Request, now: float) -> None:
        """Take a request that ``owns`` claims; an ACK may well be silent about voice."""
        session = self.session
        is_silent = request.method == "ACK" and not request.body
        if is_silent and session is not None and session.media.state == OFFERED:
            session.media.refuse()
        super().request_received(request, now)

    def response_received(self, response: Response, now: float) -> None:
        """Take any response to a request of this call."""
        super().response_received(response, now)
        self._leave_when_told(now)

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        """No final response came to this request."""
        super().request_failed(request, error, now)
        self._leave_when_told(now)

    def _leave_when_told(self, now: float) -> None:
        """BYE once the network has heard why, or will not."""
        if self._is_leaving and any(isinstance(each, InfoAnswered) for each in self._events):
            self._is_leaving = False
            self.hang_up(now)

    def heard(self, data: UssdData | None, now: float) -> None:
        """A question, or news: those say so. One without a text says nothing."""
        if data is None or not data.text:
            self.happened(UssdInput.UNREADABLE, UssdData("there is no text in it"), now)
            return
        self.language = data.language or self.language
        super().heard(data, now)

    def _join(self, news: News, now: float) -> None:
        super()._join(news, now)
        self.happened(UssdInput.TAKEN, UssdData(), now)
        if self._is_busy:
            self.happened(UssdInput.BUSY, UssdData(error=USSD_BUSY), now)
        else:
            self.take_word(CONTENT_TYPE, self._first, now)

    # What goes ------------------------------------------------------------------------

    def _dialog_fields(self) -> list[tuple[str, str]]:
        return [*super()._dialog_fields(), ("Accept", ACCEPTED), ("Recv-Info", INFO_PACKAGE)]
