"""A user agent that sends and takes short messages (TS 24.341)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sipua.agent import call_report
from sipua.agent.attendance import Attendance
from sipua.agent.registrant import Registrant
from sipua.agent.reporter import Reporter
from sipua.agent.texts.log import TextLog
from sipua.agent.texts.sms_result import SmsResult
from sipua.agent.texts.texting import Texting, with_feature
from sipua.errors import LocalError
from sipua.ims.outage import Outage
from sipua.ims.registration import Registration
from sipua.result import RegistrationResult
from sipua.sms.address import read_address
from sipua.sms.causes import DELIVERED, FAILED
from sipua.sms.events import TextFailed, TextReported, TextSubmitted
from sipua.sms.outgoing import SmsSettings
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.call_report import OnReport
    from sipua.agent.conversation import Conversation
    from sipua.agent.identity_module import CardChoice
    from sipua.agent.observer import Observer
    from sipua.agent.vigil import Vigil
    from sipua.ims.events import Event
    from sipua.settings import AgentSettings

EVENTS = {
    "submitted": ("parts",),
    **{
        name: call_report.EVENTS[name]
        for name in ("registered", "reported", "sms", "message", "discarded")
    },
}
"""What is reported, and what is told of it."""

LAST_WORDS = 5.0
"""Seconds that answers of ours are given to be taken when everything else is over."""


class Texter(Registrant):
    """What a registered subscriber can do with short messages."""

    def __init__(
        self,
        choice: CardChoice,
        settings: AgentSettings,
        observer: Observer | None = None,
        *,
        psi: str = "",
        service_centre: str = "",
    ) -> None:
        """``psi`` is the URI of the service centre, ``service_centre`` its number; without
        either it is that of the card."""
        super().__init__(choice, with_feature(settings), observer)
        self._sms = SmsSettings(psi, service_centre)

    def send(
        self,
        number: str,
        text: str,
        *,
        message_class: int = -1,
        report_wait: float = 0.0,
        on_report: OnReport | None = None,
    ) -> SmsResult:
        """Send a text, and come back when the service centre has it all, or does not want it.

        With ``report_wait`` delivery reports are asked for, and waited for so many
        seconds. Raises LocalError for what is no number or names no service
        centre, and what ``register`` raises.
        """
        read_address(number)  # a slip of the pen shall not cost the card anything
        result = SmsResult(number)

        def send(standing: Conversation[Registration]) -> None:
            outbox = _Outbox(result, number, text, message_class, report_wait)
            self._send(outbox, on_report, standing)

        def nothing_was_taken() -> bool:
            return result.submitted == 0

        return self._attempt(lambda: self._stand_and(result, send, nothing_was_taken), result)

    def listen(
        self, count: int | None = None, on_report: OnReport | None = None
    ) -> RegistrationResult:
        """Register, and take texts until ``interrupt``, or until there were ``count``; then
        de-register. Raises as ``register`` does.
        """
        ended = self._attempt(lambda: self._listen(count, on_report), RegistrationResult())
        standing = self._conversation
        if standing is None or standing.machine.binding is None:
            return ended
        if ended.verdict not in (Verdict.REGISTERED, Verdict.INTERRUPTED):
            return ended
        if ended.verdict is Verdict.INTERRUPTED and self._stopping:
            return ended  # Ctrl-C for the second time: the removal is not waited for
        return self.deregister()

    def _send(
        self, outbox: _Outbox, on_report: OnReport | None, standing: Conversation[Registration]
    ) -> None:
        result = outbox.result
        from sipua.sms.exchange import ShortMessages

        sms = self._settings_of_messages()._replace(status_wanted=outbox.report_wait > 0)
        reporter = Reporter(on_report)
        log = TextLog(reporter)

        def tell(event: Event) -> None:
            outbox.take(event)
            log.tell(event)

        machine = ShortMessages(sms, self._equipment.rng)
        texting = Texting(self._equipment, self.settings, standing, machine, tell)
        attendance = Attendance(self._equipment, standing, reporter, texting)
        try:
            now = time.monotonic()
            texting.machine.send(outbox.number, outbox.text, now, message_class=outbox.shown_as)
            texting.carry_on(now)
            while not outbox.is_over(attendance.turn(outbox.until)) and not self._stopping:
                pass
            _let_go(attendance, texting)
        finally:
            attendance.close()
            result.exchange += texting.exchange
        outbox.conclude()
        if self._stopping and result.verdict is Verdict.TIMEOUT:
            result.end(Verdict.INTERRUPTED)

    def _listen(self, count: int | None, on_report: OnReport | None) -> None:
        from sipua.sms.exchange import ShortMessages

        self._try_hops(Registration.start)
        outage = Outage(self._equipment.rng)
        machine = ShortMessages(self._sms, self._equipment.rng)  # it outlives registrations
        reporter = Reporter(on_report)
        log = TextLog(reporter)
        while self._result.exit_status == 0 and not self._stopping and log.received != count:
            vigil = self._stand_by()
            texting = Texting(self._equipment, self.settings, vigil.standing, machine, log.tell)
            reporter.registered(vigil.standing)
            attendance = Attendance(self._equipment, vigil.standing, reporter, texting)
            try:
                self._take_texts(vigil, attendance, log, count)
                if self._result.exit_status == 0:
                    vigil.end()
                    _let_go(attendance, texting)
            finally:
                attendance.close()
            if self._result.exit_status and not self._comes_back(vigil, outage):
                return

    def _take_texts(
        self, vigil: Vigil, attendance: Attendance, log: TextLog, count: int | None
    ) -> None:
        """Until the registration is lost, the user ends it, or there were enough."""
        result = self._result
        while result.exit_status == 0 and not self._stopping and log.received != count:
            vigil.tick(attendance.turn(vigil.deadline()))

    def _settings_of_messages(self) -> SmsSettings:
        """With the service centre that was given, else the card's (TS 24.341 §5.3.1.2)."""
        sms = self._sms
        if not sms.service_centre:
            module, _ = self._equipment.card()
            uri = sms.psi or module.service_centre_uri()
            sms = sms._replace(service_centre=module.service_centre(), psi=uri)
        if sms.psi:
            return sms
        if not sms.service_centre:
            raise LocalError(
                "the card names no service centre: give its number (--service-centre) or its "
                "URI (--psi)"
            )
        return sms._replace(psi=f"tel:{sms.service_centre}")


class _Outbox:
    """One text on its way, and what its result will tell."""

    def __init__(
        self, result: SmsResult, number: str, text: str, shown_as: int, report_wait: float
    ) -> None:
        self.result = result
        self.number = number
        self.text = text
        self.shown_as = shown_as
        self.report_wait = report_wait
        self.until: float | None = None
        self._failure: TextFailed | None = None
        self._outcomes: dict[int, TextReported] = {}

    def take(self, event: Event) -> None:
        """News of the machine's."""
        result = self.result
        if isinstance(event, TextSubmitted):
            result.parts = result.submitted = event.parts
            self.until = time.monotonic() + self.report_wait
        elif isinstance(event, TextFailed):
            self._failure = event
            result.parts, result.submitted = event.parts, event.submitted
            result.cause = event.cause or None
        elif isinstance(event, TextReported):
            self._outcomes[event.part] = event
            result.reports.append(event.why)
            result.delivered = len(self._of(DELIVERED))

    def _of(self, outcome: str) -> list[TextReported]:
        return [event for event in self._outcomes.values() if event.outcome == outcome]

    def is_over(self, now: float) -> bool:
        """Whether nothing more is waited for."""
        if self._failure is not None:
            return True
        if self.until is None:
            return False
        final = len(self._of(DELIVERED)) + len(self._of(FAILED))
        return final == self.result.parts or now >= self.until

    def conclude(self) -> None:
        """Set the verdict."""
        result, failure = self.result, self._failure
        if failure is not None:
            refused = failure.cause or failure.status
            result.end(Verdict.REJECTED if refused else Verdict.TIMEOUT, _sentence(failure.reason))
        elif self.until is None:
            result.end(Verdict.TIMEOUT, "The service centre did not answer in time.")
        elif self._of(FAILED):
            why = self._of(FAILED)[0].why
            result.end(Verdict.REJECTED, f"The recipient did not get it: {why}.")
        elif self.report_wait and result.delivered != result.parts:
            waited = f"{self.report_wait:g} s"
            result.end(Verdict.TIMEOUT, f"No delivery report came for all of it within {waited}.")
        else:
            result.end(Verdict.OK, "The recipient has it." if self.report_wait else "")


def _let_go(attendance: Attendance, texting: Texting) -> None:
    """Give what we still have to say a moment to be heard."""
    until = time.monotonic() + LAST_WORDS
    while not texting.is_idle and time.monotonic() < until:
        attendance.turn(until)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
