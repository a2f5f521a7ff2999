"""What USSD over IMS is made of, whoever began it (TS 24.390): questions, answers and news.

They go back and forth in INFO, and the last word comes with BYE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError
from sipua.ims import multipart, ussd_data
from sipua.ims.call import Call
from sipua.ims.call_events import InfoReceived
from sipua.ims.events import Event
from sipua.ims.table import Step, rows
from sipua.ims.ussd_data import CONTENT_TYPE, INFO_PACKAGE, NOTIFY, UssdData
from sipua.sip.codecs import Codec

if TYPE_CHECKING:
    from sipua.ims.call import News
    from sipua.sip.message import Request

UNSPECIFIED_ERROR, USSD_BUSY = 1, 4
"""error-codes: of what cannot be understood or is not answered, and of a second dialogue beside
the first (TS 24.390 §5.1.3)."""

NO_VOICE = (Codec("PCMU", 8000, 0),)
"""Any codec will do: the port is 0."""


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
    DECLINE = "decline"  # the user does not answer
    BUSY = "busy"  # with another one
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
    ((_S.ASKED,), _I.DECLINE, "reject", _S.DONE, "TS 24.390 §4.5.5"),
    ((_S.WAITING,), _I.BUSY, "reject", _S.DONE, "TS 24.390 §4.5.5"),
    (_OPEN, _I.OVER, "nothing_yet", _S.DONE, "TS 24.390 §4.5.4.1"),
)

TRANSITIONS = rows(_ROWS)


class UssdDialogue(Call):
    """What a call is more when it carries USSD; ``ussd_state`` is for display.

    It is driven as every call is. What the network says comes as events.
    """

    ussd_state = UssdState.CALLING
    language = "en"
    """That of our answers."""

    _asked = UssdData()
    _is_leaving = False

    def answer_question(self, text: str, now: float) -> None:
        """Answer the network's question; raises LocalError when there is none, or for a text
        too long."""
        data = UssdData(text, self.language, self._asked.operation)
        data.to_bytes()
        if (self.ussd_state, UssdInput.ANSWER) not in TRANSITIONS:
            raise LocalError(f"the network asks nothing: USSD is {self.ussd_state}")
        self.happened(UssdInput.ANSWER, data, now)

    # What comes -----------------------------------------------------------------------

    def request_received(self, request: Request, now: float) -> None:
        """Take a request that ``owns`` claims; the body of a BYE is the result."""
        if request.method == "BYE" and self.owns(request):
            content_type = request.headers.get("Content-Type") or ""
            self.take_result(content_type, request.body, now)
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
            self.take_word(event.content_type, event.body, now)
        else:
            self._events.append(event)

    def take_word(self, content_type: str, body: bytes, now: float) -> None:
        """A question or news of the network's."""
        try:
            data = data_of(content_type, body)
        except ParseError as error:
            self.happened(UssdInput.UNREADABLE, UssdData(str(error)), now)
            return
        self.heard(data, now)

    def heard(self, data: UssdData | None, now: float) -> None:
        """What it says; None if it says nothing of USSD."""
        if data is not None:
            news = data.operation == NOTIFY
            self.happened(UssdInput.NEWS if news else UssdInput.QUESTION, data, now)

    def take_result(self, content_type: str, body: bytes, now: float) -> None:
        """The network's last word."""
        try:
            data = data_of(content_type, body)
        except ParseError as error:
            self.tell(UssdUnreadable(str(error)))
            return
        if data is not None:
            self.happened(UssdInput.RESULT, data, now)

    def _end(self, news: News, now: float) -> None:
        self.happened(UssdInput.OVER, UssdData(), now)
        super()._end(news, now)

    # The table ------------------------------------------------------------------------

    def happened(self, happened: str, data: UssdData, now: float) -> None:
        """Do what the table has for it."""
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

    def _reject(self, data: UssdData, now: float) -> None:
        """Nothing more after this."""
        self._is_leaving = True
        self._send_data(data, now)

    def _tell_result(self, data: UssdData, _now: float) -> None:
        self.tell(UssdResult(data.text, data.language, data.error))

    def _send_data(self, data: UssdData, now: float) -> None:
        self.send_info(CONTENT_TYPE, data.to_bytes(), now, INFO_PACKAGE)


def data_of(content_type: str, body: bytes) -> UssdData | None:
    """The ussd-data in a body, None where there is none; raises ParseError."""
    for part in multipart.split(content_type, body):
        if part.media_type == CONTENT_TYPE:
            return ussd_data.parse(part.body)
    return None
