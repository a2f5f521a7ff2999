"""USSD over IMS (TS 24.390): a call that carries no voice, but questions and answers.

The INVITE brings what the user typed, INFO what goes back and forth, BYE the
result; all else of the call is that of any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError
from sipua.ims import multipart, ussd_data
from sipua.ims.call_events import InfoReceived
from sipua.ims.caller import Caller
from sipua.ims.events import Event
from sipua.ims.multipart import Part
from sipua.ims.table import Step, rows
from sipua.ims.ussd_data import CONTENT_TYPE, INFO_PACKAGE, NOTIFY, UssdData
from sipua.sip import sdp
from sipua.sip.codecs import Codec
from sipua.sip.offer_answer import OFFERED

if TYPE_CHECKING:
    from sipua.auth.answers import Randomness
    from sipua.ims.call import News
    from sipua.ims.call_settings import CallSettings
    from sipua.sip.message import Request, Response

UNSPECIFIED_ERROR = 1
"""error-code of what cannot be understood (TS 24.390 §5.1.3)."""

NO_VOICE = (Codec("PCMU", 8000, 0),)
"""Any codec will do: the port is 0."""

DIAL_CHARACTERS = frozenset("0123456789*#+")


class UssdState:
    """Where the user's request stands."""

    CALLING = "calling"
    WAITING = "waiting"  # for the network's next word
    ASKED = "asked"  # the user has a question to answer
    DONE = "done"


class UssdInput:
    """What happened."""

    TAKEN = "taken"  # 2xx
    QUESTION = "question"
    NEWS = "news"
    RESULT = "result"
    UNREADABLE = "unreadable"
    ANSWER = "answer"
    OVER = "over"


class UssdQuestion(Event):
    """The network wants to know more: ``answer`` tells it."""

    __slots__ = ("language", "text")

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language


class UssdNews(Event):
    """The network says something that wants no answer."""

    __slots__ = ("language", "text")

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language


class UssdResult(Event):
    """The network's last word, before the end of the call is told. ``error`` is its error-code,
    -1 for none."""

    __slots__ = ("error", "language", "text")

    def __init__(self, text: str, language: str, error: int) -> None:
        self.text = text
        self.language = language
        self.error = error


class UssdUnreadable(Event):
    """The network said something that cannot be understood."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


_S, _I = UssdState, UssdInput
_OPEN = (_S.CALLING, _S.WAITING, _S.ASKED)

_ROWS: tuple[Step, ...] = (
    ((_S.CALLING,), _I.TAKEN, "nothing_yet", _S.WAITING, "TS 24.390 §4.5.4.1"),
    (_OPEN, _I.QUESTION, "ask", _S.ASKED, "TS 24.390 §4.5.4.1"),
    (_OPEN, _I.NEWS, "confirm", "", "TS 24.390 §4.5.4.1"),
    (_OPEN, _I.UNREADABLE, "complain", "", "TS 24.390 §4.5.4.1"),
    (_OPEN, _I.RESULT, "tell_result", "", "TS 24.390 §4.5.4.1"),
    ((_S.ASKED,), _I.ANSWER, "send_data", _S.WAITING, "TS 24.390 §4.5.4.1"),
    (_OPEN, _I.OVER, "nothing_yet", _S.DONE, "TS 24.390 §4.5.4.1"),
)

TRANSITIONS = rows(_ROWS)


def dial_string(code: str, domain: str) -> str:
    """The Request-URI of a USSD code as it is dialled (TS 24.390 §4.5.4.1, RFC 4967).

    Raises LocalError for what is none.
    """
    plain = code.strip()
    if not plain or set(plain) - DIAL_CHARACTERS or len(plain) > ussd_data.MAX_CHARACTERS:
        raise LocalError(f"{code[:40]!r} is no USSD code of the characters 0-9 * # +")
    user = plain.replace("#", "%23")
    return f"sip:{user};phone-context={domain}@{domain};user=dialstring"


class Ussd(Caller):
    """One request of a user's, and what comes of it; ``ussd_state`` is for display.

    It is driven as every call is. What the network says comes as events.
    """

    def __init__(
        self, settings: CallSettings, code: str, domain: str, rng: Randomness, language: str = "en"
    ) -> None:
        """Raises LocalError for a code that cannot be dialled."""
        self.ussd_state = UssdState.CALLING
        self._request_data = UssdData(code.strip(), language)
        self._asked = UssdData()
        media = settings.media._replace(port=0, codecs=NO_VOICE)
        super().__init__(settings._replace(media=media), dial_string(code, domain), rng)
        self._boundary = f"ussd-{rng.getrandbits(64):016x}"

    def answer(self, text: str, now: float) -> None:
        """Answer the network's question; raises LocalError when there is none, or for a text
        too long."""
        data = UssdData(text, self._request_data.language, self._asked.operation)
        data.to_bytes()
        if (self.ussd_state, UssdInput.ANSWER) not in TRANSITIONS:
            raise LocalError(f"the network asks nothing: USSD is {self.ussd_state}")
        self._happened(UssdInput.ANSWER, data, now)

    # What comes -----------------------------------------------------------------------

    def request_received(self, request: Request, now: float) -> None:
        """Take a request that ``owns`` claims; the body of a BYE is the result."""
        if request.method == "BYE" and self.owns(request):
            content_type = request.headers.get("Content-Type") or ""
            self._take_result(content_type, request.body, now)
        seen = len(self._events)
        super().request_received(request, now)
        told, self._events[seen:] = self._events[seen:], []
        for event in told:
            self._pass_on(event, now)

    def _pass_on(self, event: Event, now: float) -> None:
        if isinstance(event, InfoReceived) and multipart.media_type(event.content_type) in (
            CONTENT_TYPE,
            multipart.MIXED,
        ):
            self._take_info(event, now)
        else:
            self._events.append(event)

    def _take_info(self, event: InfoReceived, now: float) -> None:
        try:
            data = _data_of(event.content_type, event.body)
        except ParseError as error:
            self._happened(UssdInput.UNREADABLE, UssdData(str(error)), now)
            return
        if data is not None:
            news = data.operation == NOTIFY
            self._happened(UssdInput.NEWS if news else UssdInput.QUESTION, data, now)

    def _take_result(self, content_type: str, body: bytes, now: float) -> None:
        try:
            data = _data_of(content_type, body)
        except ParseError as error:
            self.tell(UssdUnreadable(str(error)))
            return
        if data is not None:
            self._happened(UssdInput.RESULT, data, now)

    def _heard_success(self, response: Response, now: float) -> None:
        """Some networks answer without a session description, some put the result into the
        2xx."""
        content_type = response.headers.get("Content-Type") or ""
        try:
            parts = multipart.split(content_type, response.body)
        except ParseError:
            parts = []
        bodies = {part.media_type: part.body for part in parts}
        is_first = self.session is None
        session = self._branch(response)
        response.body = bodies.get(sdp.CONTENT_TYPE, b"")
        if session is not None and not response.body and session.media.state == OFFERED:
            session.media.refuse()  # there is no voice that it could be about
        super()._heard_success(response, now)
        if is_first and CONTENT_TYPE in bodies:
            self._take_result(CONTENT_TYPE, bodies[CONTENT_TYPE], now)

    def _establish(self, news: News, now: float) -> None:
        super()._establish(news, now)
        self._happened(UssdInput.TAKEN, UssdData(), now)

    def _end(self, news: News, now: float) -> None:
        self._happened(UssdInput.OVER, UssdData(), now)
        super()._end(news, now)

    # What goes ------------------------------------------------------------------------

    def _write(self) -> Request:
        """INVITE with the user's request beside the description of a session without voice."""
        request = super()._write()
        parts = [
            Part(sdp.CONTENT_TYPE, request.body),
            Part(CONTENT_TYPE, self._request_data.to_bytes(), "render;handling=optional"),
        ]
        content_type, request.body = multipart.build(parts, self._boundary)
        headers = request.headers
        headers.set("Content-Type", content_type)
        headers.set("Accept", f"{sdp.CONTENT_TYPE}, {CONTENT_TYPE}, {multipart.MIXED}")
        headers.add("Recv-Info", INFO_PACKAGE)
        return request

    # The table ------------------------------------------------------------------------

    def _happened(self, happened: str, data: UssdData, now: float) -> None:
        row = TRANSITIONS.get((self.ussd_state, happened))
        if row is not None:
            self.ussd_state = row.next_state
            getattr(self, f"_{row.action}")(data, now)

    def _nothing_yet(self, data: UssdData, now: float) -> None:
        """Only the state changes."""

    def _ask(self, data: UssdData, _now: float) -> None:
        self._asked = data
        self.tell(UssdQuestion(data.text, data.language))

    def _confirm(self, data: UssdData, now: float) -> None:
        self.tell(UssdNews(data.text, data.language))
        self._send_data(UssdData(operation=NOTIFY), now)

    def _complain(self, data: UssdData, now: float) -> None:
        self.tell(UssdUnreadable(data.text))
        self._send_data(UssdData(error=UNSPECIFIED_ERROR), now)

    def _tell_result(self, data: UssdData, _now: float) -> None:
        self.tell(UssdResult(data.text, data.language, data.error))

    def _send_data(self, data: UssdData, now: float) -> None:
        self.send_info(CONTENT_TYPE, data.to_bytes(), now, INFO_PACKAGE)


def _data_of(content_type: str, body: bytes) -> UssdData | None:
    """The ussd-data in a body, None where there is none; raises ParseError."""
    for part in multipart.split(content_type, body):
        if part.media_type == CONTENT_TYPE:
            return ussd_data.parse(part.body)
    return None
