"""A user agent that asks the network by USSD (TS 24.390), as `*100#` is dialled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sipua.agent.call_report import CallReport
from sipua.agent.calls.line import CallLine
from sipua.agent.calls.verdict import reason_of_call, verdict_of_call
from sipua.agent.conversation import earliest
from sipua.agent.machine_settings import call_settings
from sipua.agent.registrant import Registrant
from sipua.agent.switchboard import Taker
from sipua.errors import LocalError
from sipua.ims import multipart, ussd_data
from sipua.ims.call_events import CallEnded
from sipua.ims.call_settings import EXTENSIONS
from sipua.ims.ussd import Ussd, dial_string
from sipua.ims.ussd_dialogue import (
    UssdNews,
    UssdQuestion,
    UssdResult,
    UssdUnreadable,
)
from sipua.result import RequestResult
from sipua.sip import sdp
from sipua.sip.inspection import Abilities
from sipua.sip.offer_answer import LocalMedia
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.agent.call_report import OnReport
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.ims.events import Event
    from sipua.ims.registration import Registration
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived
    from sipua.sip.message import Request

ABILITIES = Abilities(
    methods=frozenset({"ACK", "BYE", "CANCEL", "INFO", "INVITE", "PRACK", "UPDATE"}),
    extensions=EXTENSIONS,
    content_types=frozenset({sdp.CONTENT_TYPE, ussd_data.CONTENT_TYPE, multipart.MIXED}),
)

EVENTS = {
    "question": ("text", "language"),
    "answer": ("text",),
    "news": ("text", "language"),
    "result": ("text", "language"),
    "unreadable": ("reason",),
    "not-sent": ("reason",),
}
"""What is reported, and what is told of it."""

LEAVING = 5.0
"""Seconds that the network has to take our BYE."""


class UssdOutcome(RequestResult):
    """What the network said to a USSD code. ``text`` is its last word, ``error`` its
    error-code (TS 24.390 §5.1.3)."""

    __slots__ = ("error", "language", "text")

    def __init__(self, code: str) -> None:
        super().__init__("INVITE", code)
        self.text: str | None = None
        self.language: str | None = None
        self.error: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The document of a request, and what the network said."""
        return {
            **super().to_json(),
            "text": self.text,
            "language": self.language,
            "error": self.error,
        }


class UssdAgent(Registrant):
    """What a registered subscriber can ask the network for."""

    def ussd(
        self,
        code: str,
        ask: Callable[[str], str] | None = None,
        *,
        language: str = "en",
        patience: float = 60.0,
        on_report: OnReport | None = None,
    ) -> UssdOutcome:
        """Dial a code, and come back when the network has had its last word.

        ``ask`` is given each question of the network's, in a thread of its own, and
        gives the answer, or "" to give up; without it the first question ends it.
        The network has ``patience`` seconds for each word of its. Raises LocalError
        for what is no code, and what ``register`` raises.
        """
        dial_string(code, "")  # a slip of the pen shall not cost the card anything
        result = UssdOutcome(code)

        def dial(standing: Conversation[Registration]) -> None:
            dialogue = _Dialogue(self._equipment, self.settings, standing, result, language)
            dialogue.ask, dialogue.patience = ask, patience
            dialogue.on_report = on_report
            dialogue.run(lambda: self._stopping)

        return self._attempt(lambda: self._stand_and(result, dial), result)


class _Dialogue(Taker):
    """One request of the user's, from INVITE to BYE."""

    abilities = ABILITIES

    def __init__(
        self,
        equipment: Equipment,
        agent_settings: AgentSettings,
        standing: Conversation[Registration],
        result: UssdOutcome,
        language: str,
    ) -> None:
        self.ask: Callable[[str], str] | None = None
        self.patience = 60.0
        self.on_report: OnReport | None = None
        self._standing = standing
        self._result = result
        self._ended: CallEnded | None = None
        self._stopped_by: Verdict | None = None
        binding, hop = standing.machine.binding, standing.hop
        assert binding is not None
        _, identity = equipment.card()
        address, _ = equipment.local_address(hop)
        contact = standing.machine.settings.contact
        settings = call_settings(
            agent_settings, identity, binding, hop, contact, LocalMedia(address, 0)
        )
        self._machine = Ussd(settings, result.target, identity.domain, equipment.rng, language)
        self._line = CallLine(self._machine, hop, equipment, self._heed, result.exchange)
        self._switchboard = equipment.switchboard()
        self._driver = self._switchboard.driver
        self._started = self._driver.clock()
        self._deadline: float | None = None

    def run(self, is_interrupted: Callable[[], bool]) -> None:
        """Until it is over."""
        self._switchboard.add(self)
        now = self._driver.clock()
        self._deadline = now + self.patience
        try:
            self._machine.start(now)
            self._line.carry_on(now)
            while self._ended is None:
                self._turn(is_interrupted())
        finally:
            self._switchboard.remove(self)
            self._line.close()
            self._driver.flush()
        self._conclude(self._ended)

    def _turn(self, interrupted: bool) -> None:
        times = (self._machine.deadline(), self._standing.deadline(), self._deadline)
        now = self._switchboard.turn(earliest(*times))
        self._standing.tick(now)
        self._line.tick(now)
        if interrupted:
            self._stop(Verdict.INTERRUPTED, now)
        if self._deadline is not None and now >= self._deadline and self._ended is None:
            if self._stopped_by is not None:  # and nobody answers our BYE either
                self._ended = CallEnded("lost")
                return
            self._stop(Verdict.TIMEOUT, now)

    def _stop(self, why: Verdict, now: float) -> None:
        if self._stopped_by is None:
            self._stopped_by = why
            self._deadline = now + LEAVING
            self._machine.hang_up(now)
            self._line.carry_on(now)

    def _conclude(self, ended: CallEnded) -> None:
        result = self._result
        if self._stopped_by is not None:
            reason = "The network said nothing more in time."
            result.end(self._stopped_by, reason if self._stopped_by is Verdict.TIMEOUT else "")
            return
        verdict = verdict_of_call(ended, challenged=self._line.asked is not None)
        if verdict is Verdict.OK and result.error is not None:
            result.end(Verdict.REJECTED, f"The network reports error {result.error}.")
        elif verdict is Verdict.OK:
            result.end(Verdict.OK)
        else:
            result.end(verdict, reason_of_call(ended, verdict))

    # What the machine tells ----------------------------------------------------------------

    def _heed(self, event: Event, now: float) -> None:
        result = self._result
        if isinstance(event, CallEnded):
            self._ended = event
        elif isinstance(event, UssdQuestion):
            self._report("question", text=event.text, language=event.language)
            self._deadline = None
            self._put(event.text, now)
        elif isinstance(event, UssdNews):
            self._report("news", text=event.text, language=event.language)
            self._deadline = now + self.patience
        elif isinstance(event, UssdResult):
            result.text, result.language = event.text, event.language
            result.error = event.error if event.error >= 0 else None
            self._report("result", text=event.text, language=event.language)
        elif isinstance(event, UssdUnreadable):
            self._report("unreadable", reason=event.reason)

    def _put(self, question: str, now: float) -> None:
        """Have the user asked, in a thread of his own: timers go on meanwhile."""
        self._result.text = question
        if self.ask is None:
            self._stop(Verdict.OK, now)
            return
        ask = self.ask

        def work() -> None:
            answer = ask(question)
            self._driver.submit(lambda: self._answer(answer))

        threading.Thread(target=work, name="ussd", daemon=True).start()

    def _answer(self, answer: str) -> None:
        now = self._driver.clock()
        if self._ended is not None:
            return
        try:
            if not answer:
                self._stop(Verdict.OK, now)
                return
            self._machine.answer_question(answer, now)
        except LocalError as error:  # too long, or the network has gone on meanwhile
            self._report("not-sent", reason=str(error))
            self._stop(Verdict.CANCELLED, now)
            return
        self._report("answer", text=answer)
        self._deadline = now + self.patience
        self._line.carry_on(now)

    def _report(self, event: str, **details: object) -> None:
        if self.on_report is not None:
            self.on_report(CallReport(event, self._driver.clock() - self._started, 1, details))

    # What the switchboard brings -----------------------------------------------------------

    def take(self, event: RequestReceived, now: float) -> bool:
        """What belongs to this dialogue."""
        if not self._machine.owns(event.request):
            return False
        self._line.take(event.transaction, event.request, now)
        return True

    def acknowledged(self, ack: Request, now: float) -> None:
        """An ACK for a 2xx of ours."""
        if self._machine.owns(ack):
            self._line.acknowledged(ack, now)
