"""Today's machines in the part that was recorded, and the one that registers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sipua.errors import LocalError
from sipua.ims.events import Answered, AuthenticationRequired, Ended, Registered
from sipua.ims.registration import Registration
from sipua.replay.given import registration_settings_of
from sipua.replay.randomness import RecordedRandomness
from sipua.sip.message import Request
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.ims.events import Event
    from sipua.ims.machine import Machine
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

    def request_received(self, request: Request, now: float) -> bool:
        """Take a request or ACK of the peer's; False when it belongs to nothing here."""

    def card_answered(self, outcome: Outcome, now: float) -> None: ...
    def give_up(self, now: float) -> None: ...
    def tick(self, now: float) -> None: ...
    def deadline(self) -> float | None: ...

    def take_work(self, now: float) -> Work:
        """What is to be sent; events are heeded on the way."""


class MachineRole:
    """What the parts of machines have in common that send one request after the other."""

    machine: Machine

    def __init__(self) -> None:
        self.asked: AuthenticationRequired | None = None
        self.ends: list[tuple[float, Verdict]] = []

    def response_received(self, response: Response, now: float) -> None:
        self.machine.response_received(response, now)

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        self.machine.request_failed(error, now)

    def request_received(self, request: Request, now: float) -> bool:
        return False

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
        elif isinstance(event, Answered):
            self.ends.append((now, Verdict.OK))
        elif isinstance(event, Ended):
            self.ends.append((now, event.verdict))


class RegisteringRole(MachineRole):
    """Registers, renews and takes back as the recording does."""

    def __init__(self, dialog: RecordedDialog) -> None:
        super().__init__()
        self._registration = Registration(
            registration_settings_of(dialog), RecordedRandomness(dialog)
        )
        self.machine = self._registration

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if not isinstance(recorded, Request) or self.machine.state in BUSY_STATES:
            return
        with suppress(LocalError):  # today's would not do it: then it is a difference
            if recorded.headers.get("Expires") == "0":
                self._registration.deregister(now)
            else:
                self._registration.start(now)
