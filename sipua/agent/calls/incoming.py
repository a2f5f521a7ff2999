"""A call that came: it rings, and is answered or refused as the user's plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.agent.calls.digits import CallDigits
from sipua.agent.calls.phone_call import PhoneCall
from sipua.ims.called import BUSY, Called

if TYPE_CHECKING:
    from sipua.agent.call_plan import ListenPlan
    from sipua.agent.calls.log import CallLog
    from sipua.agent.calls.media import CallMedia
    from sipua.agent.equipment import Equipment
    from sipua.ims.call_events import Established, Invited
    from sipua.ims.call_settings import CallSettings
    from sipua.sip.endpoint import ServerTransaction
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

DECLINE = 603


class IncomingCall(PhoneCall):
    """The call that ``invite`` begins."""

    def __init__(
        self,
        settings: CallSettings,
        invite: Request,
        hop: Hop,
        equipment: Equipment,
        media: CallMedia,
        plan: ListenPlan,
        log: CallLog,
    ) -> None:
        self._called = Called(settings, invite, equipment.rng)
        digits = CallDigits(self._called, media, log, plan.digits, plan.digits_by)
        super().__init__(self._called, hop, equipment, media, log, digits)
        self._plan = plan

    def start(self, transaction: ServerTransaction, now: float) -> None:
        """Take the INVITE."""
        self.log.begins(now)
        self.line.opened_by(transaction, self._called.invite)
        self._called.start(now)
        if self._called.session is not None:
            self._called.resources_reserved(now)  # a computer has its bearer already
        self.line.carry_on(now)

    def _invited(self, event: Invited, now: float) -> None:
        self.log.invited(event.peer, event.asserted, event.request.uri)
        plan = self._plan
        if plan.ring > 0 or plan.what == "ring":
            self._called.ring(now)
        if plan.what != "ring":
            self._times["decide"] = now + plan.ring

    def _due_decide(self, now: float) -> None:
        what = self._plan.what
        if what == "answer":
            self._called.answer(now)
        else:
            self._called.refuse(now, BUSY if what == "busy" else DECLINE)
        self.line.carry_on(now)

    def _established(self, event: Established, now: float) -> None:
        super()._established(event, now)
        if self._plan.duration is not None:
            self._times["hang_up"] = now + self._plan.duration
