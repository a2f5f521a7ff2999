"""Today's machines in the part that was recorded: a user agent that registers, one that calls."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sipua.agent.calls.verdict import verdict_of_call
from sipua.errors import LocalError
from sipua.ims.call_events import CallEnded
from sipua.ims.called import Called
from sipua.ims.caller import Caller
from sipua.ims.events import AuthenticationRequired, Ended, Registered
from sipua.ims.registration import Registration
from sipua.replay.given import (
    answering_settings_of,
    call_settings_of,
    registration_settings_of,
)
from sipua.replay.randomness import RecordedRandomness
from sipua.sip.message import Request
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.ims.call import Call
    from sipua.ims.events import Event
    from sipua.replay.recording import RecordedDialog
    from sipua.sip.message import Response

BUSY_STATES = ("trying", "answered", "resynchronising", "refusing", "asking", "waiting")


class Work:
    """What a machine wants done now."""

    __slots__ = ("acks", "cancels", "replies", "requests")

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.acks: list[Request] = []
        self.cancels: list[Request] = []
        self.replies: list[tuple[Request, Response]] = []


class Role(Protocol):
    """One machine and what its user asked of it. ``asked`` is the challenge that waits for the
    card; ``ends`` the verdicts so far, with their times."""

    asked: AuthenticationRequired | None
    ends: list[tuple[float, Verdict]]

    def prompt(self, recorded: Request | Response, now: float) -> None:
        """Have the machine do what must have been asked of it when this was sent."""

    def response_received(self, response: Response, now: float) -> None: ...
    def request_failed(self, request: Request, error: Exception, now: float) -> None: ...
    def request_received(self, request: Request, now: float) -> None: ...
    def card_answered(self, outcome: Outcome, now: float) -> None: ...
    def give_up(self, now: float) -> None: ...
    def tick(self, now: float) -> None: ...
    def deadline(self) -> float | None: ...

    def take_work(self, now: float) -> Work:
        """What is to be sent; events are heeded on the way."""


class RegisteringRole:
    """Registers, renews and takes back as the recording does."""

    def __init__(self, dialog: RecordedDialog) -> None:
        self.machine = Registration(registration_settings_of(dialog), RecordedRandomness(dialog))
        self.asked: AuthenticationRequired | None = None
        self.ends: list[tuple[float, Verdict]] = []

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if not isinstance(recorded, Request) or self.machine.state in BUSY_STATES:
            return
        with suppress(LocalError):  # today's would not do it: then it is a difference
            if recorded.headers.get("Expires") == "0":
                self.machine.deregister(now)
            else:
                self.machine.start(now)

    def response_received(self, response: Response, now: float) -> None:
        self.machine.response_received(response, now)

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        self.machine.request_failed(error, now)

    def request_received(self, request: Request, now: float) -> None:
        """Nobody sends requests in such a dialog."""

    def card_answered(self, outcome: Outcome, now: float) -> None:
        self.asked = None
        self.machine.card_answered(outcome, now)

    def give_up(self, now: float) -> None:
        """The user's patience has ended."""
        if self.machine.state in BUSY_STATES:
            self.machine.request_failed(TimeoutError("the recording ends here"), now)

    def tick(self, now: float) -> None:
        self.machine.tick(now)

    def deadline(self) -> float | None:
        return self.machine.deadline()

    def take_work(self, now: float) -> Work:
        work = Work()
        work.requests = self.machine.take_requests()
        for event in self.machine.take_events():
            self._heed(event, now)
        return work

    def _heed(self, event: Event, now: float) -> None:
        if isinstance(event, AuthenticationRequired):
            self.asked = event
        elif isinstance(event, Registered):
            self.ends.append((now, Verdict.REGISTERED))
        elif isinstance(event, Ended):
            self.ends.append((now, event.verdict))


class CallRole:
    """What both sides of a call have in common."""

    def __init__(self, machine: Call) -> None:
        self.machine = machine
        self.asked: AuthenticationRequired | None = None
        self.ends: list[tuple[float, Verdict]] = []
        self._challenged = False

    def response_received(self, response: Response, now: float) -> None:
        self.machine.response_received(response, now)

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        self.machine.request_failed(request, error, now)

    def request_received(self, request: Request, now: float) -> None:
        self.machine.request_received(request, now)

    def card_answered(self, outcome: Outcome, now: float) -> None:
        self.asked = None
        self._challenged = True
        self.machine.card_answered(outcome, now)

    def give_up(self, now: float) -> None:
        """The user's patience has ended."""
        self.machine.hang_up(now)

    def tick(self, now: float) -> None:
        self.machine.tick(now)

    def deadline(self) -> float | None:
        return self.machine.deadline()

    def take_work(self, now: float) -> Work:
        work = Work()
        machine = self.machine
        work.requests, work.acks = machine.take_requests(), machine.take_acks()
        work.cancels = machine.take_cancels()
        work.replies = [(reply.request, reply.response) for reply in machine.take_responses()]
        for event in machine.take_events():
            if isinstance(event, AuthenticationRequired):
                self.asked = event
            elif isinstance(event, CallEnded):
                self.ends.append((now, verdict_of_call(event, challenged=self._challenged)))
        return work


class CallingRole(CallRole):
    """Calls and hangs up as the recording does."""

    def __init__(self, dialog: RecordedDialog) -> None:
        target = dialog.opening.to.uri
        self._caller = Caller(call_settings_of(dialog), target, RecordedRandomness(dialog))
        self._started = False
        super().__init__(self._caller)

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if not isinstance(recorded, Request):
            return
        if recorded.method == "INVITE" and not self._started:
            self._started = True
            self._caller.start(now)
        elif recorded.method in ("BYE", "CANCEL"):
            self._caller.hang_up(now)


class AnsweringRole(CallRole):
    """Is called, rings, answers and hangs up as the recording does. The INVITE that comes takes
    the place of the one that the machine was made with."""

    def __init__(self, dialog: RecordedDialog) -> None:
        self._settings = answering_settings_of(dialog)
        self._rng = RecordedRandomness(dialog)
        self._called = Called(self._settings, dialog.opening, self._rng)
        self._started = False
        super().__init__(self._called)

    def request_received(self, request: Request, now: float) -> None:
        if request.method == "INVITE" and not self._started:
            self._started = True
            self._called.invite = request
            self._called.start(now)
            if self._called.session is not None:
                self._called.resources_reserved(now)
        else:
            super().request_received(request, now)

    def prompt(self, recorded: Request | Response, now: float) -> None:
        with suppress(LocalError):  # today's would not do it: then it is a difference
            if isinstance(recorded, Request):
                if recorded.method == "BYE":
                    self._called.hang_up(now)
            elif not (recorded.headers.get("CSeq") or "").endswith("INVITE"):
                return
            elif 100 < recorded.status < 200:
                self._called.ring(now, recorded.status, early_media=bool(recorded.body))
            elif 200 <= recorded.status < 300:
                self._called.answer(now)
            elif recorded.status >= 300:
                self._called.refuse(now, recorded.status)
