"""The user agent: a registration, and the requests and calls that stand on it."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

from sipua.agent.conversation import Conversation
from sipua.agent.equipment import Observer
from sipua.agent.machine_settings import (
    CAPABILITIES,
    Content,
    request_settings,
    text_message,
)
from sipua.agent.registrant import Registrant
from sipua.errors import LocalError
from sipua.ims.outage import Outage
from sipua.ims.registration import Registration
from sipua.result import CallResult, RegistrationResult, RequestResult
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.agent.call_plan import CallPlan, ListenPlan
    from sipua.agent.call_report import OnReport
    from sipua.agent.vigil import Vigil
    from sipua.sip.hop import Hop
    from sipua.sip.message import Response

__all__ = ["Observer", "UserAgent"]

TOLD = ("Allow", "Accept", "Supported", "Server", "User-Agent", "P-Asserted-Identity")
"""Header fields of the answer to a request that a result passes on."""

HANGING_UP = 5.0
"""Seconds that calls are given to end when listening does."""


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
        from sipua.ims.request import check_headers
        from sipua.ims.target import read_target

        plan = plan or CallPlan()
        plan.check()
        read_target(uri, "")  # a slip of the pen shall not cost the card anything
        check_headers((*self.settings.headers, *plan.headers))
        result = CallResult(uri)

        numbers = count(1)

        def place(standing: Conversation[Registration]) -> None:
            self._call(uri, plan, result, on_report, standing, numbers)

        return self._attempt(lambda: self._stand_and(result, place), result)

    def listen(
        self, plan: ListenPlan | None = None, on_report: OnReport | None = None
    ) -> RegistrationResult:
        """Register, and take the calls that come as ``plan`` says, until ``interrupt`` or Ctrl-C,
        or until there were as many as it says; then de-register.

        ``on_report`` is told what happens meanwhile. Raises as ``register`` does.
        """
        from sipua.agent.call_plan import ListenPlan

        plan = plan or ListenPlan()
        plan.check()
        ended = self._attempt(lambda: self._listen(plan, on_report), RegistrationResult())
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
        on_report: OnReport | None,
        standing: Conversation[Registration],
        numbers: Iterator[int],
    ) -> None:
        from sipua.agent.calls.telephone import Telephone

        target = self._target(uri, standing.hop)
        telephone = Telephone(self._equipment, self.settings, standing, on_report, numbers=numbers)
        try:
            telephone.place(target, plan, result)
            while telephone.goes_on:  # that call, and those it was transferred to
                now = telephone.turn()
                if self._stopping:
                    telephone.hang_up(now)
            if self._stopping and result.verdict is Verdict.CANCELLED:
                result.end(Verdict.INTERRUPTED)
        finally:
            telephone.close()

    def _listen(self, plan: ListenPlan, on_report: OnReport | None) -> None:
        self._try_hops(Registration.start)
        outage = Outage(self._equipment.rng)
        taken, numbers = 0, count(1)
        while self._result.exit_status == 0 and not self._stopping and taken != plan.calls:
            vigil = self._stand_by()
            left = plan.calls and plan.calls - taken
            taken += self._take_calls(vigil, plan._replace(calls=left), on_report, numbers)
            if self._result.exit_status and not self._comes_back(vigil, outage):
                return

    def _take_calls(
        self, vigil: Vigil, plan: ListenPlan, on_report: OnReport | None, numbers: Iterator[int]
    ) -> int:
        """Until the registration is lost, the user ends it, or there were enough; how many came."""
        from sipua.agent.calls.telephone import Telephone

        standing = vigil.standing
        telephone = Telephone(
            self._equipment, self.settings, standing, on_report, plan, numbers=numbers
        )
        result = self._result
        try:
            while result.exit_status == 0 and telephone.taken != plan.calls and not self._stopping:
                vigil.tick(telephone.turn(vigil.deadline()))
            vigil.end()
            telephone.hang_up(time.monotonic())
            patience = time.monotonic() + HANGING_UP
            while telephone.goes_on and time.monotonic() < patience:
                telephone.turn(patience)
            return telephone.taken
        finally:
            telephone.close()


def _told(response: Response) -> dict[str, list[str]]:
    headers = response.headers
    return {name.lower(): headers.legible(name) for name in TOLD if name in headers}
