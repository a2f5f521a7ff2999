"""Today's machines outside of calls: a request, a subscription, and what answers the network."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.ims.reg_event import RegEventSubscription
from sipua.ims.request import OutgoingRequest
from sipua.ims.table import State
from sipua.replay.given import request_settings_of, subscription_settings_of
from sipua.replay.randomness import RecordedRandomness
from sipua.replay.roles import MachineRole, Work
from sipua.sip.message import Request

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.ims.events import AuthenticationRequired
    from sipua.replay.recording import RecordedDialog
    from sipua.sip.message import Response
    from sipua.verdict import Verdict


class AskingRole(MachineRole):
    """Sends one request outside of any dialog, with all its challenges."""

    def __init__(self, dialog: RecordedDialog) -> None:
        super().__init__()
        self._request = OutgoingRequest(request_settings_of(dialog), RecordedRandomness(dialog))
        self.machine = self._request

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if self.machine.state == State.IDLE:
            self._request.start(now)


class SubscribingRole(MachineRole):
    """Subscribes to the reg event, answers its NOTIFYs, refreshes, and unsubscribes when the
    recording does. How long a pause after a failure is is drawn by lot, and taken from it, too."""

    def __init__(self, dialog: RecordedDialog) -> None:
        super().__init__()
        rng = RecordedRandomness(dialog, drawn=2)
        self._subscription = RegEventSubscription(subscription_settings_of(dialog), rng)
        self.machine = self._subscription

    def prompt(self, recorded: Request | Response, now: float) -> None:
        if not isinstance(recorded, Request):
            return
        machine = self._subscription
        pause = machine.deadline() if machine.state == State.WAITING else None
        with suppress(LocalError):  # today's would not do it: then it is a difference
            if recorded.headers.get("Expires") == "0":
                machine.stop(now)
            elif pause is not None:
                machine.tick(max(now, pause))
            elif machine.state in (State.IDLE, State.ENDED):
                machine.start(now)

    def request_received(self, request: Request, now: float) -> bool:
        if not self._subscription.owns(request):
            return False
        self._subscription.request_received(request, now)
        return True

    def deadline(self) -> float | None:
        return None if self.machine.state == State.WAITING else self.machine.deadline()

    def take_work(self, now: float) -> Work:
        replies = [(each.request, each.response) for each in self._subscription.take_responses()]
        work = super().take_work(now)
        work.replies = replies
        return work


class ServingRole:
    """Is asked something outside of any dialog, which the switchboard answers by itself."""

    asked: AuthenticationRequired | None = None

    def __init__(self) -> None:
        self.ends: list[tuple[float, Verdict]] = []

    def prompt(self, recorded: Request | Response, now: float) -> None:
        """Nobody has to be asked whether he wants to answer."""

    def response_received(self, response: Response, now: float) -> None:
        """Nothing is sent that could be answered."""

    def request_failed(self, request: Request, error: Exception, now: float) -> None:
        """Nor could fail."""

    def request_received(self, request: Request, now: float) -> bool:
        return False

    def card_answered(self, outcome: Outcome, now: float) -> None:
        """The card is not asked."""

    def give_up(self, now: float) -> None:
        """Nothing is waited for."""

    def tick(self, now: float) -> None:
        """Nor does time do anything."""

    def deadline(self) -> float | None:
        return None

    def take_work(self, now: float) -> Work:
        return Work()
