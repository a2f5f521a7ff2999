"""Attends to all that goes on over one registration: calls and texts side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.agent.conversation import earliest
from sipua.agent.switchboard import ABILITIES, Taker
from sipua.sip.inspection import Refused

if TYPE_CHECKING:
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.agent.reporter import Reporter
    from sipua.ims.registration import Registration
    from sipua.sip.endpoint import RequestReceived
    from sipua.sip.message import Request


class Attendant(Taker):
    """Who takes some of what comes, and has things to do at times."""

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Let time pass."""
        raise NotImplementedError

    def close(self) -> None:
        """Give everything back."""
        raise NotImplementedError


class Attendance(Taker):
    """Turns the loop for the registration ``standing`` and the ``attendants`` on it.

    Texts by SIP alone are none of theirs: ``reporter`` is told of them here.
    """

    abilities = ABILITIES

    def __init__(
        self,
        equipment: Equipment,
        standing: Conversation[Registration],
        reporter: Reporter,
        *attendants: Attendant,
    ) -> None:
        self._standing = standing
        self._reporter = reporter
        self._attendants = attendants
        self._switchboard = equipment.switchboard()
        for each in (self, *attendants):
            self._switchboard.add(each)

    def turn(self, until: float | None = None) -> float:
        """One turn of all of it, no longer than ``until``; returns the time it ended."""
        standing, attendants = self._standing, self._attendants
        due = [each.deadline() for each in attendants]
        now = self._switchboard.turn(earliest(until, standing.deadline(), *due))
        standing.tick(now)
        for each in attendants:
            each.tick(now)
        return now

    def take(self, event: RequestReceived, _now: float) -> bool:
        """Texts are plain (RFC 3428 §8): what others take in their requests is none."""
        request = event.request
        if request.method == "MESSAGE" and request.body:
            content_type = request.headers.get("Content-Type") or ""
            if content_type.partition(";")[0].strip().lower() not in ABILITIES.content_types:
                accept = ("Accept", ", ".join(sorted(ABILITIES.content_types)))
                raise Refused(f"a text of type {content_type[:60]}", 415, accept)
        return False

    def message(self, request: Request) -> None:
        """A text by SIP alone was taken."""
        self._reporter.message(request)

    def close(self) -> None:
        """What comes in is for none of them any more."""
        for each in self._attendants:
            each.close()
        for taker in (self, *self._attendants):
            self._switchboard.remove(taker)
        self._switchboard.driver.flush()
