"""A user agent that takes calls in a thread of its own."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.user_agent import UserAgent
from sipua.result import RegistrationResult

PATIENCE = 20.0


class Answering:
    """``agent.listen`` as a context: registered inside of it. ``reports`` is what it told."""

    def __init__(self, agent: UserAgent, plan: ListenPlan | None = None) -> None:
        self.reports: list[CallReport] = []
        self.ended: list[RegistrationResult] = []
        self.agent = agent
        self._news = threading.Condition()
        self._plan = plan
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        try:
            self.ended.append(self.agent.listen(self._plan, self._told))
        finally:
            with self._news:
                self._news.notify_all()

    def _told(self, report: CallReport) -> None:
        with self._news:
            self.reports.append(report)
            self._news.notify_all()

    def wait(self, event: str, count: int = 1) -> dict[str, Any]:
        """The details of the ``count``-th report of this event, once it is there."""
        end = time.monotonic() + PATIENCE
        with self._news:
            while len(self.of(event)) < count:
                left = end - time.monotonic()
                assert left > 0, f"no {event} among {[each.event for each in self.reports]}"
                assert not self.ended, f"ended: {self.ended[0].reason}"
                self._news.wait(left)
            return self.of(event)[count - 1]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [each.details for each in self.reports if each.event == event]

    def finish(self) -> RegistrationResult:
        """Have it end."""
        self.agent.interrupt()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.ended[0]

    def __enter__(self) -> Answering:
        self._thread.start()
        self.wait("registered")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.agent.interrupt()
        self._thread.join(PATIENCE)
        self.agent.close()
