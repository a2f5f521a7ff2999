"""The requests of ours inside a call, each of which any server may challenge.

One at a time goes to the card; what is challenged meanwhile waits its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.answers import Answers
from sipua.auth.scheme import CHALLENGE_HEADERS
from sipua.errors import LocalError
from sipua.ims.machine import Finding, Machine
from sipua.ims.table import OPEN, Input, State, transitions
from sipua.sip.dialog import tag_of
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.auth.scheme import Outcome
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.events import Event
    from sipua.randomness import Randomness
    from sipua.sip.message import Request, Response

MAX_KEPT = 64
"""Requests of one call whose responses are still looked at."""


class Failure:
    """Why a request had no response that means anything: none came, or no answer to the
    challenge was to be had (``verdict``)."""

    __slots__ = ("authentication", "reason", "verdict")

    def __init__(self, verdict: Verdict, reason: str, *, authentication: bool) -> None:
        self.verdict = verdict
        self.reason = reason
        self.authentication = authentication


_STEPS = (((State.IDLE,), Input.START, "begin", State.TRYING, "RFC 3261 §8.1.1"),)
_ENDS = ((OPEN, Input.ACCEPTED, Verdict.OK, "RFC 3261 §8.1.3"),)
_SILENCE = frozenset({Verdict.TIMEOUT, Verdict.UNREACHABLE, Verdict.DNS_FAILURE})


class CallRequest(Machine):
    """One request through its challenges: ``write`` makes it anew for each round, ``hear``
    is given every response but the challenges, ``lose`` why there is none. One that is
    ``withdrawn`` answers no challenge any more."""

    TRANSITIONS = transitions(_STEPS, _ENDS)

    def __init__(
        self,
        answers: Answers,
        settings: CallSettings,
        write: Callable[[], Request],
        hear: Callable[[Response, float], None],
        lose: Callable[[Failure, float], None],
    ) -> None:
        super().__init__(answers, settings.refusal_wait)
        self._write = write
        self.hear = hear
        self._lose = lose
        self.request: Request | None = None
        self.withdrawn = False

    def start(self, now: float) -> None:
        """Send it."""
        self._call(Finding(Input.START), now)

    def abandon(self) -> None:
        """Let the card's answer, if one is awaited, lead to nothing."""
        self.state = State.ENDED
        self._deadline = None

    @property
    def is_asking(self) -> bool:
        """Whether the card has its challenge."""
        return self.state == State.ASKING

    @property
    def is_over(self) -> bool:
        """Whether its final response was heard."""
        return self.state == State.ENDED

    def is_answered_by(self, response: Response) -> bool:
        """Whether this is a response to the last round."""
        request = self.request
        if request is None or not self._is_ours(response):
            return False
        # a request outside of a dialog has no To tag, its responses have
        tag = tag_of(request.headers.get("To") or "")
        return not tag or tag == tag_of(response.headers.get("To") or "")

    def _cseq(self) -> str:
        return (self.request.headers.get("CSeq") or "") if self.request is not None else ""

    def _understand_challenge(self, response: Response, found: Finding) -> None:
        if self.withdrawn:
            self._understand_other(response, found)
        else:
            super()._understand_challenge(response, found)

    def _understand_other(self, response: Response, found: Finding) -> None:
        found.happened = Input.ACCEPTED
        found.response = response

    def _begin(self, _found: Finding, _now: float) -> None:
        self._answers.forget_unusable(reuse=True)
        self._send_answers()

    def _end(self, found: Finding, now: float) -> None:
        if found.response is not None:
            self.hear(found.response, now)
            return
        assert found.verdict is not None
        authentication = found.verdict not in _SILENCE
        self._lose(Failure(found.verdict, found.reason, authentication=authentication), now)

    def _send_answers(self) -> None:
        request = self.request = self._write()
        for name, value in self._answers.credentials(request.method, request.uri, request.body):
            request.headers.add(name, value)
        self._requests.append(request)


class CallRequests:
    """All requests of one call. ``requests`` and ``events`` are where they put what is new."""

    def __init__(
        self, settings: CallSettings, rng: Randomness, requests: list[Request], events: list[Event]
    ) -> None:
        self._settings = settings
        self._rng = rng
        self._out = requests
        self._events = events
        self._kept: list[CallRequest] = []
        self._asking: CallRequest | None = None
        self._waiting: list[tuple[CallRequest, Response]] = []
        self._known = self._new_answers()

    def _new_answers(self) -> Answers:
        settings = self._settings
        return Answers(settings.impi, self._rng, settings.schemes, plain_res=settings.plain_res)

    def send(
        self,
        write: Callable[[], Request],
        hear: Callable[[Response, float], None],
        lose: Callable[[Failure, float], None],
        now: float,
    ) -> CallRequest:
        """Send what ``write`` writes, with every answer that may be used again."""
        answers = self._new_answers()
        # counted by themselves, but of one memory: what the card said, and to whom
        answers.given, answers.outcomes = self._known.given, self._known.outcomes
        request = CallRequest(answers, self._settings, write, hear, lose)
        self._kept.append(request)
        if len(self._kept) > MAX_KEPT:
            self._forget_one()
        request.start(now)
        self._collect(request)
        return request

    def _forget_one(self) -> None:
        for position, kept in enumerate(self._kept):
            if kept.is_over:
                del self._kept[position]
                return

    def response_received(self, response: Response, now: float) -> None:
        """Take any response; one to no request of this call is passed over."""
        kept = next((each for each in self._kept if each.is_answered_by(response)), None)
        if kept is None:
            return
        if response.status < 200 or kept.is_over:
            kept.hear(response, now)
        elif response.status in CHALLENGE_HEADERS and self._asking is not None:
            self._waiting.append((kept, response))
        else:
            kept.response_received(response, now)
            self._collect(kept)

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        """No final response came to this request: TimeoutError, else a NetworkError."""
        for kept in self._kept:
            if kept.request is request:
                kept.request_failed(error, now)
                self._collect(kept)
                return

    def card_answered(self, outcome: Outcome, now: float) -> None:
        """Take the card's answer to AuthenticationRequired; raises LocalError unasked."""
        asking = self._asked()
        if not asking.is_over:
            asking.card_answered(outcome, now)
        self._card_is_free(asking, now)

    def card_failed(self, now: float, reason: str = "", verdict: Verdict | None = None) -> None:
        """The card cannot answer AuthenticationRequired; raises LocalError unasked."""
        asking = self._asked()
        if not asking.is_over:
            asking.card_failed(now, reason, verdict)
        self._card_is_free(asking, now)

    def _asked(self) -> CallRequest:
        asking, self._asking = self._asking, None
        if asking is None:
            raise LocalError("the card was not asked anything by this call")
        return asking

    def _card_is_free(self, asking: CallRequest, now: float) -> None:
        self._collect(asking)
        while self._waiting and self._asking is None:
            kept, response = self._waiting.pop(0)
            kept.response_received(response, now)
            self._collect(kept)

    def _collect(self, request: CallRequest) -> None:
        self._out += request.take_requests()
        events = request.take_events()
        if events:
            self._asking = request
            self._events += events

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return min((at for each in self._kept if (at := each.deadline()) is not None), default=None)

    def tick(self, now: float) -> None:
        """Let time pass."""
        for kept in list(self._kept):
            kept.tick(now)
            self._collect(kept)
