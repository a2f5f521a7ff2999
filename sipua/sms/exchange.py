"""Short messages over IP, the telephone's side (TS 24.341 §5.3.1, §5.3.2).

Sans-I/O: texts and MESSAGEs go in, MESSAGEs to be sent and news come out. One
message at a time is on its way to the service centre, as TS 24.011 §6.2 has it;
the parts of a long text follow one another.

That a MESSAGE was answered 2xx says only that the network has it. The service
centre's own word comes in another MESSAGE, and is known by RP-MR: networks
differ in what they write into its In-Reply-To, if they write one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError
from sipua.sms import tpdu
from sipua.sms.address import read_address
from sipua.sms.causes import (
    RP_CAUSES,
    TP_FAILURES,
    TP_STATUSES,
    TRYING,
    explain,
    outcome,
)
from sipua.sms.delivery import Delivery, Inbox
from sipua.sms.events import (
    Discarded,
    TextFailed,
    TextReceived,
    TextReported,
    TextSubmitted,
)
from sipua.sms.joining import Joiner
from sipua.sms.outgoing import Outgoing, SmsSettings
from sipua.sms.rpdu import RpAck, RpData, RpError, RpSmma
from sipua.sms.segmentation import split
from sipua.sms.table import DELIVERIES, TRANSITIONS, SmsInput, SmsState
from sipua.sms.tpdu import Submit, SubmitReport

if TYPE_CHECKING:
    from sipua.ims.events import Event
    from sipua.randomness import Randomness
    from sipua.sms.address import Address
    from sipua.sms.tpdu import StatusReport

COMPARED_DIGITS = 7
"""Last digits by which a recipient is known: service centres change the prefix."""


class _Message:
    """One message of a text; ``number`` counts messages from 1."""

    __slots__ = ("number", "place", "reference", "state", "submit", "text")

    def __init__(self, number: int, text: _Text, place: int, submit: Submit) -> None:
        self.number = number
        self.text = text
        self.place = place
        self.submit = submit
        self.state = SmsState.WAITING
        self.reference = -1  # RP-MR, once it is sent


class _Text:
    __slots__ = ("failed", "number", "parts", "submitted")

    def __init__(self, number: int, parts: int) -> None:
        self.number = number
        self.parts = parts
        self.submitted = 0
        self.failed = False


class _News(NamedTuple):
    reason: str = ""
    status: int = 0
    cause: int = 0
    report: StatusReport | None = None


class ShortMessages:
    """All short messages of one subscriber; times are seconds of the caller's clock."""

    def __init__(self, settings: SmsSettings, rng: Randomness) -> None:
        """Raises LocalError for a service centre that is no number."""
        self.settings = settings
        self.inbox = Inbox()
        self._centre: Address | None = (
            read_address(settings.service_centre) if settings.service_centre else None
        )
        # Service centres take what has the numbers of a message before for a repetition.
        self._tp_reference = rng.getrandbits(8)
        self._rp_reference = rng.getrandbits(8)
        self._concatenation = rng.getrandbits(16)
        self._texts = 0
        self._messages = 0
        self._queue: deque[_Message] = deque()
        self._current: _Message | None = None
        self._reported: dict[int, _Message] = {}
        self._joiner = Joiner()
        self._deadline: float | None = None
        self._outgoing: list[Outgoing] = []
        self._events: list[Event] = []

    # What the user wants --------------------------------------------------------------

    def send(self, destination: str, text: str, now: float, *, message_class: int = -1) -> int:
        """Send a text to a telephone number; returns the number by which news call it.

        Raises LocalError for what is no number, or too long.
        """
        address = read_address(destination)
        settings = self.settings
        self._concatenation += 1
        reference = self._concatenation % (0x10000 if settings.wide else 0x100)
        pieces = split(text, reference, wide=settings.wide, message_class=message_class)
        self._texts += 1
        whole = _Text(self._texts, len(pieces))
        for place, piece in enumerate(pieces, 1):
            self._tp_reference = (self._tp_reference + 1) % 256
            submit = Submit(
                self._tp_reference,
                address,
                piece,
                settings.validity,
                status_wanted=settings.status_wanted,
            )
            self._messages += 1
            self._queue.append(_Message(self._messages, whole, place, submit))
        self._send_next(now)
        return whole.number

    def set_room(self, has_room: bool) -> None:
        """Whether texts can be kept. When they can be again, the network is told: RP-SMMA."""
        if has_room and not self.inbox.has_room:
            body = RpSmma(self._next_reference()).to_bytes()
            self._outgoing.append(Outgoing(0, self.settings.psi, body))
        self.inbox.has_room = has_room

    # What happens to it ---------------------------------------------------------------

    def message_answered(self, number: int, status: int, reason: str, now: float) -> None:
        """The final response to a MESSAGE."""
        if status < 300:
            self._happened(number, SmsInput.ACCEPTED, _News(), now)
            return
        why = f"the network answered {status} {reason}".rstrip()
        self._happened(number, SmsInput.REFUSED, _News(why, status), now)

    def message_failed(self, number: int, reason: str, now: float) -> None:
        """No final response came to a MESSAGE."""
        self._happened(number, SmsInput.LOST, _News(reason), now)

    def received(self, body: bytes, call_id: str, gateway: str, now: float) -> None:
        """A MESSAGE with this body came, and was answered 200.

        ``gateway`` is the URI that the network asserts for its sender, the IP-SM-GW:
        the answer goes there.
        """
        delivery = self.inbox.read(body, call_id, gateway)
        row = DELIVERIES[delivery.came]
        getattr(self, f"_{row.action}")(delivery, now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [self._deadline, self._joiner.deadline()]
        return min((at for at in times if at is not None), default=None)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._current is not None and self._deadline is not None and now >= self._deadline:
            reason = f"the service centre did not answer within {self.settings.report_wait:g} s"
            self._happened(self._current.number, SmsInput.DUE, _News(reason), now)
        self._events += [TextReceived(joined) for joined in self._joiner.expire(now)]

    def take_messages(self) -> list[Outgoing]:
        """MESSAGEs to be sent now, each a request of its own."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def take_events(self) -> list[Event]:
        """What has come of it since the last time."""
        taken, self._events = self._events, []
        return taken

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way to the service centre."""
        return self._current is None and not self._queue

    # On the way to the service centre -------------------------------------------------

    def _send_next(self, now: float) -> None:
        while self._current is None and self._queue:
            message = self._queue.popleft()
            if not message.text.failed:
                self._current = message
                self._happened(message.number, SmsInput.SEND, _News(), now)

    def _happened(self, number: int, happened: str, news: _News, now: float) -> None:
        if self._current is not None and self._current.number == number:
            self._handle(self._current, happened, news, now)

    def _handle(self, message: _Message, happened: str, news: _News, now: float) -> None:
        row = TRANSITIONS.get((message.state, happened))
        if row is None:
            return
        message.state = row.next_state
        getattr(self, f"_{row.action}")(message, news, now)

    def _transmit(self, message: _Message, _news: _News, now: float) -> None:
        message.reference = self._next_reference()
        data = RpData(message.reference, message.submit.to_bytes(), destination=self._centre)
        if message.submit.status_wanted:
            self._reported[message.submit.reference] = message
        self._deadline = now + self.settings.report_wait
        self._outgoing.append(Outgoing(message.number, self.settings.psi, data.to_bytes()))

    def _next_reference(self) -> int:
        self._rp_reference = (self._rp_reference + 1) % 256
        return self._rp_reference

    def _nothing(self, message: _Message, news: _News, now: float) -> None:
        """Only the state changes."""

    def _proceed(self, message: _Message, _news: _News, now: float) -> None:
        text = message.text
        text.submitted += 1
        if text.submitted == text.parts:
            self._events.append(TextSubmitted(text.number, text.parts))
        self._leave(now)

    def _fail(self, message: _Message, news: _News, now: float) -> None:
        """The other parts of the text are of no use then."""
        text = message.text
        text.failed = True
        self._reported.pop(message.submit.reference, None)
        self._events.append(
            TextFailed(
                text.number,
                news.reason,
                text.parts,
                text.submitted,
                status=news.status,
                cause=news.cause,
            )
        )
        self._leave(now)

    def _leave(self, now: float) -> None:
        self._current = None
        self._deadline = None
        self._send_next(now)

    def _report(self, message: _Message, news: _News, _now: float) -> None:
        report = news.report
        assert report is not None
        text = message.text
        if message.state == SmsState.REPORTED:
            del self._reported[message.submit.reference]
        self._events.append(
            TextReported(
                text.number,
                message.place,
                text.parts,
                report,
                outcome(report.status),
                explain(TP_STATUSES, report.status),
            )
        )

    def _proceed_and_report(self, message: _Message, news: _News, now: float) -> None:
        self._proceed(message, news, now)
        self._report(message, news, now)

    # From the network -----------------------------------------------------------------

    def _acknowledge(self, delivery: Delivery, _now: float) -> None:
        answer = Outgoing(0, delivery.gateway, delivery.answer, delivery.call_id)
        self._outgoing.append(answer)

    def _keep(self, delivery: Delivery, now: float) -> None:
        deliver = delivery.deliver
        assert deliver is not None
        self._acknowledge(delivery, now)
        originator = str(deliver.originator)
        for joined in self._joiner.add(originator, deliver.user_data, now):
            self._events.append(TextReceived(joined, None if joined.missing else deliver))

    def _refuse(self, delivery: Delivery, now: float) -> None:
        self._acknowledge(delivery, now)
        self._events.append(Discarded(delivery.reason))

    def _discard(self, delivery: Delivery, _now: float) -> None:
        self._events.append(Discarded(delivery.reason))

    def _heed_answer(self, delivery: Delivery, now: float) -> None:
        message, current = delivery.message, self._current
        assert isinstance(message, RpAck | RpError)
        if current is None or current.reference != message.reference:
            reason = f"the service centre answered message {message.reference}, which does not wait"
            self._events.append(Discarded(reason))
        elif isinstance(message, RpAck):
            self._handle(current, SmsInput.ACK, _News(), now)
        else:
            news = _News(_refusal(message), cause=message.cause)
            self._handle(current, SmsInput.ERROR, news, now)

    def _heed_status(self, delivery: Delivery, now: float) -> None:
        report = delivery.status
        assert report is not None
        self._acknowledge(delivery, now)
        message = self._reported.get(report.reference)
        if message is None or not _same(message.submit.destination, report.recipient):
            reason = f"a status report on a message to {report.recipient} that is not known here"
            self._events.append(Discarded(reason))
            return
        trying = outcome(report.status) == TRYING
        happened = SmsInput.STILL_TRYING if trying else SmsInput.REPORTED
        self._handle(message, happened, _News(report=report), now)


def _same(one: Address, other: Address) -> bool:
    return one.digits[-COMPARED_DIGITS:] == other.digits[-COMPARED_DIGITS:]


def _refusal(error: RpError) -> str:
    """RP-Cause in words, and what the report inside adds to it."""
    reason = f"the service centre refused: {explain(RP_CAUSES, error.cause)}"
    try:
        report = tpdu.parse_from_network(error.user_data, failed=True)
    except ParseError:
        return reason
    if isinstance(report, SubmitReport) and report.failure is not None:
        reason += f" ({explain(TP_FAILURES, report.failure)})"
    return reason
