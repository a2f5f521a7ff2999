"""What is told of short messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.sms.events import Discarded, TextReceived, TextReported, TextSubmitted

if TYPE_CHECKING:
    from sipua.agent.reporter import Reporter
    from sipua.ims.events import Event


class TextLog:
    """Tells ``reporter`` the news of the machine's; ``received`` counts texts."""

    def __init__(self, reporter: Reporter) -> None:
        self.received = 0
        self._reporter = reporter

    def tell(self, event: Event) -> None:
        """Report one of call_report.EVENTS."""
        tell = self._reporter.tell
        if isinstance(event, TextReceived):
            self.received += 1
            details = {
                "from": event.originator,
                "text": event.text,
                "sent": event.sent,
                "parts": event.parts,
                "missing": event.missing,
                "flash": event.message_class == 0,
            }
            tell("sms", details)
        elif isinstance(event, TextSubmitted):
            tell("submitted", {"parts": event.parts})
        elif isinstance(event, TextReported):
            details = {
                "part": event.part,
                "parts": event.parts,
                "outcome": event.outcome,
                "why": event.why,
                "recipient": event.recipient,
                "discharged": event.discharged,
            }
            tell("reported", details)
        elif isinstance(event, Discarded):
            tell("discarded", {"reason": event.reason})
