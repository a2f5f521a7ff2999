"""Today's machines for both sides of a call, and what their users did meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.agent.calls.verdict import verdict_of_call
from sipua.errors import LocalError, ParseError
from sipua.ims import dtmf_info
from sipua.ims.call_events import CallEnded
from sipua.ims.called import Called
from sipua.ims.caller import Caller
from sipua.ims.events import AuthenticationRequired
from sipua.replay.given import answering_settings_of, call_settings_of, media_of
from sipua.replay.randomness import RecordedRandomness
from sipua.replay.roles import Work
from sipua.sip.message import Request

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.ims.call import Call
    from sipua.replay.recording import RecordedDialog
    from sipua.sip.message import Response
    from sipua.verdict import Verdict


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

    def request_received(self, request: Request, now: float) -> bool:
        if not self.machine.owns(request):
            return False
        self.machine.request_received(request, now)
        return True

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

    def _prompt_meanwhile(self, recorded: Request | Response, now: float) -> None:
        """What the user did in the middle of the call. What machines do by themselves, as
        refreshing the session, is left to them. Raises LocalError and ParseError."""
        method = method_of(recorded)
        if isinstance(recorded, Request):
            headers = recorded.headers
            if method in ("BYE", "CANCEL"):
                self.machine.hang_up(now)
            elif method == "INFO":
                content_type, body = headers.get("Content-Type") or "", recorded.body
                digit = dtmf_info.read(content_type, body)
                if digit is not None:  # pressed by the user, written by the program
                    content_type, body = dtmf_info.CONTENT_TYPE, dtmf_info.write(digit[0])
                package = headers.get("Info-Package") or ""
                self.machine.send_info(content_type, body, now, package)
            elif method == "INVITE":
                self._change(recorded.body, now)
            elif method == "NOTIFY":
                _, status, reason = (recorded.body.decode("utf-8", "replace") + "  ").split(" ", 2)
                if len(status) == 3 and status.isdecimal():
                    self.machine.refer_progress(int(status), reason.strip(), now)
        elif method == "REFER":
            self.machine.refer_decided(now, accepted=recorded.status < 300)

    def _change(self, body: bytes, now: float) -> None:
        """Hold, resumption or another place for the stream."""
        session = self.machine.session
        media = media_of(body)
        local = session.local if session is not None else None
        if local is None or media[:2] != local[:2] or media.direction != local.direction:
            self.machine.change_media(media, now)


class CallingRole(CallRole):
    """Calls and hangs up as the recording does."""

    def __init__(self, dialog: RecordedDialog) -> None:
        target = dialog.opening.to.uri
        self._caller = Caller(call_settings_of(dialog), target, RecordedRandomness(dialog))
        self._started = False
        super().__init__(self._caller)

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if not self._started:
            self._started = True
            self._caller.start(now)
            return
        with suppress(LocalError, ParseError):  # today's would not do it: it is a difference then
            self._prompt_meanwhile(recorded, now)


class AnsweringRole(CallRole):
    """Is called, rings, answers and hangs up as the recording does. The INVITE that comes takes
    the place of the one that the machine was made with."""

    def __init__(self, dialog: RecordedDialog) -> None:
        self._settings = answering_settings_of(dialog)
        self._rng = RecordedRandomness(dialog)
        self._called = Called(self._settings, dialog.opening, self._rng)
        self._started = False
        super().__init__(self._called)

    def request_received(self, request: Request, now: float) -> bool:
        if request.method != "INVITE" or self._started:
            return super().request_received(request, now)
        self._started = True
        self._called.invite = request
        self._called.start(now)
        if self._called.session is not None:
            self._called.resources_reserved(now)
        return True

    def prompt(self, recorded: Request | Response, now: float) -> None:
        with suppress(LocalError, ParseError):  # today's would not do it: it is a difference then
            if isinstance(recorded, Request) or method_of(recorded) != "INVITE":
                self._prompt_meanwhile(recorded, now)
            elif self._called.session is None:
                return  # today's has refused it by itself
            elif 100 < recorded.status < 200:
                self._called.ring(now, recorded.status, early_media=bool(recorded.body))
            elif 200 <= recorded.status < 300:
                self._called.answer(now)
            elif recorded.status >= 300:
                self._called.refuse(now, recorded.status)


def method_of(message: Request | Response) -> str:
    """The method of a request, or of the request that a response is to."""
    if isinstance(message, Request):
        return message.method
    return (message.headers.get("CSeq") or "").partition(" ")[2].strip()
