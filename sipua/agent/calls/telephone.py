"""All calls of one user agent: what comes in goes to the call that it belongs to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.agent.call_plan import CallPlan
from sipua.agent.calls.incoming import IncomingCall
from sipua.agent.calls.invitations import Invitations
from sipua.agent.calls.log import CallLog
from sipua.agent.calls.media import CallMedia
from sipua.agent.calls.outgoing import OutgoingCall
from sipua.agent.conversation import earliest
from sipua.errors import LocalError
from sipua.ims.call_settings import ALLOW, EXTENSIONS
from sipua.ims.dtmf_info import BARE
from sipua.ims.dtmf_info import CONTENT_TYPE as RELAY
from sipua.ims.target import read_target
from sipua.result import CallResult
from sipua.sip.inspection import Abilities
from sipua.sip.sdp import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.agent.call_plan import ListenPlan
    from sipua.agent.calls.outgoing import Watch
    from sipua.agent.calls.phone_call import PhoneCall
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.agent.reporter import Reporter
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.registration import Registration
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived

MAX_CALLS = 64
"""Calls at a time; one more hears 486."""

REMEMBERED = 32.0
"""Seconds that a call which is over still answers what was repeated (64*T1)."""

ABILITIES = Abilities(
    methods=frozenset(ALLOW.split(", ")),
    extensions=EXTENSIONS,
    content_types=frozenset(
        {
            "text/plain",
            CONTENT_TYPE,
            RELAY,
            BARE,
            "message/sipfrag",
            "application/media_control+xml",
        }
    ),
)


class Telephone(Invitations["PhoneCall"]):
    """Places calls on the registration ``standing``, and takes those that come.

    Calls that come are refused with 486 unless there is a ``plan`` for them.
    ``taken`` counts those that came and are over.
    """

    abilities = ABILITIES

    def __init__(
        self,
        equipment: Equipment,
        settings: AgentSettings,
        standing: Conversation[Registration],
        reporter: Reporter,
        plan: ListenPlan | None = None,
    ) -> None:
        super().__init__(equipment, settings, standing, reporter)
        self.taken = 0
        self._plan = plan
        self._came = 0
        self._over: list[tuple[float, PhoneCall]] = []
        self._listen_on_tcp()

    def place(self, target: str, plan: CallPlan, result: CallResult) -> OutgoingCall:
        """Call ``target``, a URI as read_target gives it. Raises LocalError without a port."""
        call = self._prepare(target, plan, result)
        call.start(self._driver.clock())
        return call

    def _prepare(
        self, target: str, plan: CallPlan, result: CallResult, watch: Watch | None = None
    ) -> OutgoingCall:
        settings, media, log = self._new_call(target, plan.media, result)
        settings = settings._replace(
            headers=(*settings.headers, *plan.headers), display_name=plan.display_name
        )
        hop = self._standing.hop
        call = OutgoingCall(settings, target, hop, self._equipment, media, plan, log, watch)
        if plan.follow_refer:
            call.transfer = self._transfer
        self.calls.append(call)
        return call

    def _transfer(self, call: PhoneCall, uri: str) -> Callable[[float], None] | None:
        """What begins the call that ``call`` referred us to, whose progress it is told."""
        _, identity = self._equipment.card()

        def watch(status: int, reason: str, now: float) -> None:
            with suppress(LocalError):  # who referred us has left, or wants to hear no more
                call.machine.refer_progress(status, reason, now)
                call.line.carry_on(now)

        try:
            target = read_target(uri, identity.domain)
            return self._prepare(target, CallPlan(), CallResult(target), watch).start
        except LocalError:  # not to be called, or no port is left
            return None

    @property
    def goes_on(self) -> bool:
        """Whether any call is not over yet."""
        return any(not call.settled for call in self.calls)

    def hang_up(self, now: float) -> None:
        """End every call."""
        for call in self.calls:
            call.hang_up(now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        forget = self._over[0][0] if self._over else None
        return earliest(forget, *[call.deadline() for call in self.calls])

    def tick(self, now: float) -> None:
        """Let time pass, and forget the calls that are over for long."""
        for call in self.calls:
            call.tick(now)
            if call.settled and all(call is not each for _, each in self._over):
                self._over.append((now + REMEMBERED, call))
                self.taken += isinstance(call, IncomingCall)
        while self._over and now >= self._over[0][0]:
            _, call = self._over.pop(0)
            call.close()
            self.calls.remove(call)

    def close(self) -> None:
        """Give back all ports."""
        for call in self.calls:
            call.close()

    # What the switchboard brings -----------------------------------------------------------

    def _begin(self, event: RequestReceived, now: float) -> None:
        request, plan = event.request, self._plan
        going_on = sum([not call.settled for call in self.calls])
        if plan is None or going_on >= MAX_CALLS or self._is_enough(plan):
            self._refuse(event, 486, now)
            return
        try:
            result = CallResult(request.uri)
            settings, media, log = self._new_call(request.uri, plan.media, result)
        except LocalError:  # no port is left
            self._refuse(event, 503, now)
            return
        settings = settings._replace(preconditions=True)  # where the caller wants them
        self._came += 1
        hop = self._standing.hop
        call = IncomingCall(settings, request, hop, self._equipment, media, plan, log)
        if plan.follow_refer:
            call.transfer = self._transfer
        self.calls.append(call)
        call.start(event.transaction, now)

    def _is_enough(self, plan: ListenPlan) -> bool:
        return plan.calls is not None and self._came >= plan.calls

    # What a call needs ---------------------------------------------------------------------

    def _new_call(
        self, target: str, mode: str, result: CallResult
    ) -> tuple[CallSettings, CallMedia, CallLog]:
        media = CallMedia(mode, self._driver, self._address(), self._equipment.rng)
        log = CallLog(self._reporter, result)
        return self._settings_of_call(media.local), media, log

    def _listen_on_tcp(self) -> None:
        """Requests too large for UDP come by TCP to the same port (RFC 3261 §18.2.1)."""
        hop = self._standing.hop
        if hop.transport == "UDP":
            address, port = self._equipment.local_address(hop)
            with suppress(LocalError):  # taken by somebody else: the peer falls back to UDP
                self._driver.network.open("TCP", address, port)
