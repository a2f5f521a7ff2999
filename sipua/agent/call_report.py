"""What is told of a call while it goes on: one report for each thing that happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class CallReport(NamedTuple):
    """One thing that happened, ``at`` seconds after the start.

    ``call`` numbers the calls from 1 on; 0 stands for what belongs to none.
    ``event`` is one of EVENTS, which names what ``details`` holds besides.
    """

    event: str
    at: float
    call: int
    details: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """One document of ``--json``."""
        return {
            "event": self.event,
            "elapsed_ms": round(self.at * 1000, 1),
            "call": self.call,
            **self.details,
        }


OnReport = Callable[[CallReport], None]

EVENTS = {
    "registered": ("impu", "registrar", "expires"),
    "calling": ("target",),
    "redirected": ("target",),
    "invited": ("from", "from_name", "asserted", "asserted_name", "target"),
    "progress": ("status", "reason", "branch"),
    "media": ("early", "codec", "direction", "remote", "unprotected"),
    "established": ("peer", "peer_name", "asserted", "asserted_name"),
    "digit": ("digit", "ms", "by"),
    "digits-sent": ("digits", "by"),
    "info": ("content_type", "body"),
    "refer": ("target", "referred_by", "referred_by_name", "accepted"),
    "change-refused": ("status", "reason"),
    "digits-refused": ("status", "reason"),
    "message": ("from", "from_name", "text"),
    "sms": ("from", "text", "sent", "parts", "missing", "flash"),
    "reported": ("part", "parts", "outcome", "why", "recipient", "discharged"),
    "discarded": ("reason",),
    "ussd-question": ("text", "language"),
    "ussd-answer": ("text",),
    "ussd-declined": ("reason",),
    "ussd-news": ("text", "language"),
    "ussd-result": ("text", "language"),
    "ussd-unreadable": ("reason",),
    "ussd-over": ("cause",),
    "hanging-up": (),
    "ended": ("cause", "status", "reason", "ring_ms", "talk_ms", "media"),
}
