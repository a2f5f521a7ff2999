"""The user agent: a registration, and the requests and calls that stand on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sipua.agent.conversation import Conversation
from sipua.agent.machine_settings import (
    CAPABILITIES,
    Content,
    request_settings,
    text_message,
)
from sipua.agent.observer import Observer
from sipua.agent.registrant import Registrant
from sipua.errors import LocalError
from sipua.ims.outage import Outage
from sipua.ims.registration import Registration
from sipua.result import CallResult, RegistrationResult, RequestResult
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.call_plan import CallPlan, ListenPlan
    from sipua.agent.call_report import OnReport
    from sipua.agent.reporter import Reporter
    from sipua.agent.vigil import Vigil
    from sipua.sip.hop import Hop
    from sipua.sip.message import Response
    from sipua.sms.exchange import ShortMessages

__all__ = ["Observer", "UserAgent"]

TOLD = ("Allow", "Accept", "Supported", "Server", "User-Agent", "P-Asserted-Identity")
"""Header fields of the answer to a request that a result passes on."""

ASSERTED = "p-asserted-identity"

HANGING_UP = 5.0
"""Seconds that calls are given to end, and texts to be acknowledged, when listening does."""


class UserAgent(Registrant):
    """What a registered subscriber can do."""

    def message(self, uri: str, text: str) -> RequestResult:
        """Send a text (RFC 3428) to a sip: or tel: URI; registers first where need be.

        Raises as ``request`` does.
        """
        return self.request(uri, text_message(text))

    def options(self, uri: str) -> RequestResult:
        """Ask what a sip: or tel: URI can do (RFC 3261 §11); ``answer`` of the result tells.

        Raises as ``request`` does.
        """
        return self.request(uri, CAPABILITIES)

    def request(self, uri: str, what: Content) -> RequestResult:
        """Send one request outside a dialog, answering challenges with the card.

        It stands on the registration there is, or on a new one, whose failure
        is the result then. A network that wants a new one first (504 with
        restoration) gets it, and the request once more. Raises LocalError for a
        target or header fields that cannot be meant, and what ``register`` raises.
        """
        from sipua.ims.request import check_headers
        from sipua.ims.target import read_target

        read_target(uri, "")  # a slip of the pen shall not cost the card anything
        check_headers((*self.settings.headers, *what.headers))
        result = RequestResult(what.method, uri)

        def send(standing: Conversation[Registration]) -> None:
            self._request(uri, what, result, standing)

        return self._attempt(lambda: self._stand_and(result, send), result)

    def call(
        self, uri: str, plan: CallPlan | None = None, on_report: OnReport | None = None
    ) -> CallResult:
        """Call a sip: or tel: URI, and come back when the call is over.

        ``plan`` says when to hang up, what to dial and what to do with what is
        heard; ``on_report`` is told what happens meanwhile. ``interrupt`` hangs
        up. Registers first where need be. Raises as ``request`` does.
        """
        from sipua.agent.call_plan import CallPlan
        from sipua.agent.reporter import Reporter
        from sipua.ims.request import check_headers
        from sipua.ims.target import read_target

        plan = plan or CallPlan()
        plan.check()
        read_target(uri, "")  # a slip of the pen shall not cost the card anything
        check_headers((*self.settings.headers, *plan.headers))
        result = CallResult(uri)
        reporter = Reporter(on_report)

        def place(standing: Conversation[Registration]) -> None:
            self._call(uri, plan, result, reporter, standing)

        return self._attempt(lambda: self._stand_and(result, place), result)

    def listen(
        self, plan: ListenPlan | None = None, on_report: OnReport | None = None
    ) -> RegistrationResult:
        """Register, and take the calls that come as ``plan`` says, texts, and what the network says
        by USSD, until ``interrupt`` or Ctrl-C, or until there were as many calls as it says; then
        de-register.

        ``on_report`` is told what happens meanwhile. Raises as ``register`` does.
        """
        from sipua.agent.call_plan import ListenPlan
        from sipua.agent.reporter import Reporter
        from sipua.agent.texts import texting, ussd_reception

        plan = plan or ListenPlan()
        plan.check()
        settings = self.settings
        self.settings = ussd_reception.with_feature(texting.with_feature(settings))
        try:
            return self._listen_and_leave(plan, Reporter(on_report))
        finally:
            self.settings = settings

    def _listen_and_leave(self, plan: ListenPlan, reporter: Reporter) -> RegistrationResult:
        ended = self._attempt(lambda: self._listen(plan, reporter), RegistrationResult())
        if ended.verdict not in (Verdict.REGISTERED, Verdict.INTERRUPTED):
            return ended
        standing = self._conversation
        if standing is None or standing.machine.binding is None:
            return ended  # Ctrl-C came before there was anything to remove
        if ended.verdict is Verdict.INTERRUPTED and self._stopping:
            return ended  # and here for the second time: it is not waited for
        return self.deregister()

    def _request(
        self, uri: str, what: Content, result: RequestResult, standing: Conversation[Registration]
    ) -> None:
        from sipua.ims.request import OutgoingRequest

        _, identity = self._equipment.card()
        binding, hop = standing.machine.binding, standing.hop
        assert binding is not None
        target = self._target(uri, hop)
        settings = request_settings(self.settings, identity, binding, hop, target, what)
        machine = OutgoingRequest(settings, self._equipment.rng)
        conversation = Conversation(machine, hop, self._equipment, result)
        conversation.begin(OutgoingRequest.start, self.settings.timeout)
        self._settle(conversation, standing)
        if conversation.response is not None:
            result.answer = _told(conversation.response)

    def _target(self, uri: str, hop: Hop) -> str:
        from sipua.ims.target import read_target

        _, identity = self._equipment.card()
        target = read_target(uri, identity.domain)
        if target.startswith("sips:") and hop.transport != "TLS":
            raise LocalError(f"{uri} asks for TLS on all of the way, and {hop} is not: give tls:")
        return target

    def _call(
        self,
        uri: str,
        plan: CallPlan,
        result: CallResult,
        reporter: Reporter,
        standing: Conversation[Registration],
    ) -> None:
        from sipua.agent.attendance import Attendance
        from sipua.agent.calls.telephone import Telephone

        target = self._target(uri, standing.hop)
        telephone = Telephone(self._equipment, self.settings, standing, reporter)
        attendance = Attendance(self._equipment, standing, reporter, telephone)
        reporter.registered(standing)
        try:
            telephone.place(target, plan, result)
            while telephone.goes_on:  # that call, and those it was transferred to
                now = attendance.turn()
                if self._stopping:
                    telephone.hang_up(now)
            if self._stopping and result.verdict is Verdict.CANCELLED:
                result.end(Verdict.INTERRUPTED)
        finally:
            attendance.close()

    def _listen(self, plan: ListenPlan, reporter: Reporter) -> None:
        from sipua.sms.exchange import ShortMessages
        from sipua.sms.outgoing import SmsSettings

        self._try_hops(Registration.start)
        outage = Outage(self._equipment.rng)
        texts = ShortMessages(SmsSettings(), self._equipment.rng)  # they outlive registrations
        taken = 0
        while self._result.exit_status == 0 and not self._stopping and taken != plan.calls:
            vigil = self._stand_by()
            left = plan.calls and plan.calls - taken
            taken += self._take(vigil, plan._replace(calls=left), reporter, texts)
            if self._result.exit_status and not self._comes_back(vigil, outage):
                return

    def _take(
        self, vigil: Vigil, plan: ListenPlan, reporter: Reporter, texts: ShortMessages
    ) -> int:
        """Until the registration is lost, the user ends it, or there were enough calls; how many
        there were."""
        from sipua.agent.attendance import Attendance
        from sipua.agent.calls.telephone import Telephone
        from sipua.agent.texts.log import TextLog
        from sipua.agent.texts.texting import Texting
        from sipua.agent.texts.ussd_reception import UssdReception

        equipment, settings, standing = self._equipment, self.settings, vigil.standing
        telephone = Telephone(equipment, settings, standing, reporter, plan)
        texting = Texting(equipment, settings, standing, texts, TextLog(reporter).tell)
        ussd = UssdReception(equipment, settings, standing, reporter, plan.ussd_answers)
        attendance = Attendance(equipment, standing, reporter, telephone, texting, ussd)
        reporter.registered(standing)
        result = self._result
        try:
            while result.exit_status == 0 and telephone.taken != plan.calls and not self._stopping:
                vigil.tick(attendance.turn(vigil.deadline()))
            vigil.end()
            now = time.monotonic()
            telephone.hang_up(now)
            ussd.hang_up(now)
            patience = now + HANGING_UP
            while time.monotonic() < patience:
                in_talks = telephone.goes_on or ussd.goes_on
                if not in_talks and (result.exit_status or texting.is_idle):
                    break
                attendance.turn(patience)
            return telephone.taken
        finally:
            attendance.close()


def _told(response: Response) -> dict[str, list[str]]:
    headers = response.headers
    told = {name.lower(): headers.legible(name) for name in TOLD if name in headers}
    if ASSERTED in told:
        from sipua.agent.parties import asserted_parties

        told[ASSERTED], _ = asserted_parties(told[ASSERTED])
    return told
