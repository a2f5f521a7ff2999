"""Puts challenges to the card, one after the other, without stalling SIP timers.

A card that waits for its reader is asked from a thread. Registrations and calls
share the card, and so they share the worker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from card.aka.result import MacFailure, SynchronisationFailure
from card.errors import CardError

if TYPE_CHECKING:
    from sipua.agent.identity_module import IdentityModule
    from sipua.auth.scheme import Outcome
    from sipua.ims.events import AuthenticationRequired
    from sipua.net.driver import Driver

    Done = Callable[[Outcome | CardError], None]


class CardWorker:
    """Asks ``module``; answers come back in the thread that turns ``driver``."""

    def __init__(self, module: IdentityModule, driver: Driver) -> None:
        self.application = module.application
        self._module = module
        self._driver = driver
        self._jobs: deque[tuple[AuthenticationRequired, Done]] = deque()
        self._thread: Thread | None = None

    def ask(self, asked: AuthenticationRequired, done: Done) -> None:
        """Have ``done`` called with the card's answer: before this returns if it does not wait."""
        if not self._module.waits:
            done(self._authenticate(asked))
            return
        self._jobs.append((asked, done))
        if len(self._jobs) == 1:
            self._start()

    def close(self) -> None:
        """Wait a moment for a card that is still at work."""
        if self._thread is not None:
            self._thread.join(1.0)

    def _start(self) -> None:
        asked, _ = self._jobs[0]
        self._thread = Thread(target=self._work, args=(asked,), name="card", daemon=True)
        self._thread.start()

    def _work(self, asked: AuthenticationRequired) -> None:
        """In the thread: the answer, or whatever went wrong, goes back to the loop's thread."""
        driver = self._driver
        try:
            outcome = self._authenticate(asked)
        except Exception as error:  # noqa: BLE001  raised again where it can be seen
            fault = error
            driver.submit(lambda: _raise(fault))
        else:
            driver.submit(lambda: self._came_back(outcome))

    def _came_back(self, outcome: Outcome | CardError) -> None:
        _, done = self._jobs.popleft()
        if self._jobs:
            self._start()
        done(outcome)

    def _authenticate(self, asked: AuthenticationRequired) -> Outcome | CardError:
        try:
            return self._module.authenticate(asked.rand, asked.autn)
        except (MacFailure, SynchronisationFailure, CardError) as failure:
            return failure


def _raise(error: Exception) -> None:
    raise error
