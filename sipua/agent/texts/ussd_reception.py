"""USSD that the network begins (TS 24.390 §4.5.5), beside the calls of a user agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.agent.calls.invitations import Invitations
from sipua.agent.calls.line import CallLine
from sipua.agent.conversation import earliest
from sipua.agent.texts.ussd_agent import ABILITIES
from sipua.errors import LocalError
from sipua.ims.call_events import CallEnded, Invited
from sipua.ims.ussd_called import FEATURE, UssdCalled, carries_ussd
from sipua.ims.ussd_dialogue import UssdNews, UssdQuestion, UssdResult, UssdUnreadable
from sipua.sip.offer_answer import LocalMedia

if TYPE_CHECKING:
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.agent.reporter import Reporter
    from sipua.ims.events import Event
    from sipua.ims.registration import Registration
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived
    from sipua.sip.message import Request

MAX_DIALOGUES = 64
"""Remembered at a time; one more hears 486."""

PATIENCE = 180.0
"""Seconds that the network may take for its next word."""

REMEMBERED = 32.0
"""Seconds that a dialogue which is over still answers what was repeated (64*T1)."""


class UssdReception(Invitations["_Dialogue"]):
    """Tells what the network asks and says, and gives it ``answers``, anew in each dialogue."""

    abilities = ABILITIES

    def __init__(
        self,
        equipment: Equipment,
        settings: AgentSettings,
        standing: Conversation[Registration],
        reporter: Reporter,
        answers: tuple[str, ...] = (),
    ) -> None:
        super().__init__(equipment, settings, standing, reporter)
        self._answers = answers

    @property
    def goes_on(self) -> bool:
        """Whether any dialogue is not over yet."""
        return any(not each.is_over for each in self.calls)

    def hang_up(self, now: float) -> None:
        """Leave every dialogue."""
        for each in self.calls:
            each.machine.hang_up(now)
            each.line.carry_on(now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [(each.machine.deadline(), each.until) for each in self.calls]
        return earliest(*[at for both in times for at in both])

    def tick(self, now: float) -> None:
        """Let time pass; what is over for long is forgotten."""
        for each in [*self.calls]:
            each.line.tick(now)
            if now < each.until:
                continue
            if each.is_over:
                each.line.close()
                self.calls.remove(each)
            else:
                each.until = now + PATIENCE
                each.machine.hang_up(now)
                each.line.carry_on(now)

    def close(self) -> None:
        """Nobody waits for answers any more."""
        for each in self.calls:
            each.line.close()

    # What the switchboard brings -----------------------------------------------------------

    def _wants(self, invite: Request) -> bool:
        return carries_ussd(invite)

    def _begin(self, event: RequestReceived, now: float) -> None:
        if len(self.calls) >= MAX_DIALOGUES:
            self._refuse(event, 486, now)
            return
        equipment = self._equipment
        settings = self._settings_of_call(LocalMedia(self._address(), 0))
        machine = UssdCalled(settings, event.request, equipment.rng, is_busy=self.goes_on)
        dialogue = _Dialogue(machine, equipment, self._standing, self._reporter, self._answers)
        self.calls.append(dialogue)
        dialogue.until = now + PATIENCE
        dialogue.line.opened_by(event.transaction, event.request)
        machine.start(now)
        dialogue.line.carry_on(now)


class _Dialogue:
    """One of them; ``until`` is when the network is given up, or when it is forgotten."""

    def __init__(
        self,
        machine: UssdCalled,
        equipment: Equipment,
        standing: Conversation[Registration],
        reporter: Reporter,
        answers: tuple[str, ...],
    ) -> None:
        self.machine = machine
        self.line = CallLine(machine, standing.hop, equipment, self._heed, [])
        self.is_over = False
        self.until = 0.0
        self._reporter = reporter
        self._answers = list(answers)

    def _heed(self, event: Event, now: float) -> None:
        tell = self._reporter.tell
        if not self.is_over:
            self.until = now + PATIENCE
        if isinstance(event, Invited):
            self.machine.answer(now)
        elif isinstance(event, UssdQuestion):
            tell("ussd-question", {"text": event.text, "language": event.language or None})
            self._reply(now)
        elif isinstance(event, UssdNews):
            tell("ussd-news", {"text": event.text, "language": event.language or None})
        elif isinstance(event, UssdResult):
            tell("ussd-result", {"text": event.text, "language": event.language or None})
        elif isinstance(event, UssdUnreadable):
            tell("ussd-unreadable", {"reason": event.reason})
        elif isinstance(event, CallEnded):
            self.is_over = True
            self.until = now + REMEMBERED
            tell("ussd-over", {"cause": event.cause})

    def _reply(self, now: float) -> None:
        """Give the next answer that there is, else say that there is none."""
        reason = "no answer was given for it"
        if self._answers:
            answer = self._answers.pop(0)
            try:
                self.machine.answer_question(answer, now)
            except LocalError as error:  # too long
                reason = str(error)
            else:
                self._reporter.tell("ussd-answer", {"text": answer})
                return
        self._reporter.tell("ussd-declined", {"reason": reason})
        self.machine.decline(now)


def with_feature(settings: AgentSettings) -> AgentSettings:
    """Settings with which the Contact tells the network that its USSD is taken."""
    if FEATURE in settings.features:
        return settings
    return settings._replace(features=(*settings.features, FEATURE))
