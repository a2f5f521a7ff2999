"""What a user agent tells of what happens while it stays registered, whatever it is about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sipua.agent.call_report import CallReport
from sipua.agent.parties import read_party

if TYPE_CHECKING:
    from sipua.agent.call_report import OnReport
    from sipua.agent.conversation import Conversation
    from sipua.ims.registration import Registration
    from sipua.sip.message import Request


class Reporter:
    """Tells ``on_report``, with the seconds since the first registration stood, or since this was
    made where none is told of; later registrations begin nothing anew. It numbers the calls."""

    def __init__(self, on_report: OnReport | None) -> None:
        self._on_report = on_report
        self._started = time.monotonic()
        self._is_registered = False
        self._calls = 0

    def next_call(self) -> int:
        """The number of another call, from 1 on."""
        self._calls += 1
        return self._calls

    def tell(self, event: str, details: dict[str, Any], call: int = 0) -> None:
        """Report one thing; ``call`` is 0 for what belongs to none."""
        if self._on_report is not None:
            at = time.monotonic() - self._started
            self._on_report(CallReport(event, at, call, details))

    def registered(self, standing: Conversation[Registration]) -> None:
        """The registration stands."""
        if not self._is_registered:
            self._is_registered, self._started = True, time.monotonic()
        binding = standing.machine.binding
        details = {
            "impu": standing.machine.settings.impu,
            "registrar": str(standing.hop),
            "expires": binding.expires if binding is not None else None,
        }
        self.tell("registered", details)

    def message(self, request: Request) -> None:
        """A text came by SIP alone (RFC 3428)."""
        sender = read_party(request.headers.get("From") or "")
        text = request.body.decode("utf-8", "replace")
        self.tell("message", {"from": sender.uri, "from_name": sender.name, "text": text})
