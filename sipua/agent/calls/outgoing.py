"""A call of ours: placed, and given up or hung up when the user's plan says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sipua.agent.calls.digits import CallDigits
from sipua.agent.calls.phone_call import PhoneCall
from sipua.agent.calls.verdict import as_expected, reason_of_call, verdict_of_call
from sipua.ims.caller import Caller
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.call_plan import CallPlan
    from sipua.agent.calls.log import CallLog
    from sipua.agent.calls.media import CallMedia
    from sipua.agent.equipment import Equipment
    from sipua.ims.call_events import CallEnded, Established, Progress
    from sipua.ims.call_settings import CallSettings
    from sipua.sip.hop import Hop


Watch = Callable[[int, str, float], None]


class OutgoingCall(PhoneCall):
    """A call to ``target`` through ``hop``; ``watch`` is told each status of the INVITE."""

    def __init__(
        self,
        settings: CallSettings,
        target: str,
        hop: Hop,
        equipment: Equipment,
        media: CallMedia,
        plan: CallPlan,
        log: CallLog,
        watch: Watch | None = None,
    ) -> None:
        self._caller = Caller(settings, target, equipment.rng)
        digits = CallDigits(self._caller, media, log, plan.digits, plan.digits_by)
        super().__init__(self._caller, hop, equipment, media, log, digits)
        self._plan = plan
        self._gave_up = False
        self._watch = watch

    def start(self, now: float) -> None:
        """Send the INVITE."""
        plan = self._plan
        self.log.tell("calling", target=self._caller.target)
        self.log.begins(now)
        self._times["give_up"] = now + plan.ring_timeout
        if plan.cancel_after is not None:
            self._times["cancel"] = now + plan.cancel_after
        self._caller.start(now)
        self.line.carry_on(now)

    def _progress(self, event: Progress, now: float) -> None:
        super()._progress(event, now)
        if self._watch is not None:
            self._watch(event.status, event.reason, now)

    def _established(self, event: Established, now: float) -> None:
        super()._established(event, now)
        self._tell_watch(200, "OK", now)
        result, plan = self.log.result, self._plan
        result.resynchronised = result.resynchronised or self.line.is_out_of_step
        if plan.expect is not None and plan.expect >= 300:
            self._times["hang_up"] = now  # it is not what was wanted
        elif plan.duration is not None:
            self._times["hang_up"] = now + plan.duration

    def _due_cancel(self, now: float) -> None:
        self.hang_up(now)

    def _due_give_up(self, now: float) -> None:
        self._gave_up = True
        self.hang_up(now)

    def _over(self, event: CallEnded, now: float) -> None:
        super()._over(event, now)
        self._tell_watch(event.status or 503, event.reason or "Service Unavailable", now)
        result, asked = self.log.result, self.line.asked
        if asked is not None:
            result.scheme, result.algorithm = asked.scheme, asked.algorithm or None
        verdict = verdict_of_call(event, challenged=asked is not None)
        reason = reason_of_call(event, verdict)
        if verdict is Verdict.CANCELLED and self._gave_up:
            verdict = Verdict.NO_ANSWER
            reason = f"Nobody answered within {self._plan.ring_timeout:g} s."
        expect, seen = self._plan.expect, result.final_status
        if expect is not None and seen is not None and event.verdict is None:
            verdict, reason = as_expected(verdict, expect, seen)
        result.end(verdict, reason, self._advice(verdict))

    def _advice(self, verdict: Verdict) -> list[str]:
        if not verdict.exit_status:
            return []
        from sipua.ims.call_advice import advise  # not needed when it goes well

        caller, result = self._caller, self.log.result
        status, algorithm = result.final_status or 0, result.algorithm or ""
        return list(advise(verdict, caller.settings, caller.target, status, algorithm))

    def _tell_watch(self, status: int, reason: str, now: float) -> None:
        """The final status, once."""
        if self._watch is not None:
            self._watch(status, reason, now)
            self._watch = None
