"""Two subscribers of one network: one is called, in a thread of his own, by the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from card.profile import Profile, load
from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import CallReport, OnReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.gate import Demand
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 40.0


class Pair(NamedTuple):
    """Alice and Bob, and the network that both belong to."""

    core: CoreServer
    alice: Profile
    bob: Profile

    @property
    def bobs_uri(self) -> str:
        assert self.bob.isim is not None
        return self.bob.isim.impu[0]

    def options(self, profile: Profile) -> list[str]:
        """Options of a command which speaks as this subscriber."""
        return ["--card", f"emulated:{profile.path}", "--pcscf", str(self.core.hop("UDP"))]

    def call(self, *more: str) -> list[str]:
        """The command line by which Alice calls Bob."""
        return ["call", self.bobs_uri, *self.options(self.alice), *more]

    def is_registered(self, profile: Profile) -> bool:
        assert profile.isim is not None
        return bool(self.core.bindings(profile.isim.impi))


def pair(folder: Path, make_core: CoreFactory, status: int = 407, scheme: str = "aka") -> Pair:
    """Their cards in ``folder``; each INVITE is challenged by that status and scheme."""
    profiles = []
    for name in ("alice.toml", "bob.toml"):
        path = folder / name
        path.write_text((EXAMPLES / name).read_text())
        profiles.append(load(str(path)))
    challenge = {"INVITE": Demand(status, scheme)}
    return Pair(make_core(profiles=profiles, challenge=challenge), *profiles)


class CalledParty:
    """Bob, registered and listening as ``plan`` says, as long as the block lasts.

    ``on_report`` is called in his thread.
    """

    def __init__(
        self, pair: Pair, plan: ListenPlan | None = None, on_report: OnReport | None = None
    ) -> None:
        self.reports: list[CallReport] = []
        self.results: list[RegistrationResult] = []
        self._on_report = on_report
        settings = AgentSettings(pcscf=str(pair.core.hop("UDP")))
        self._agent = UserAgent(CardChoice(f"emulated:{pair.bob.path}"), settings)
        self._thread = threading.Thread(target=self._listen, args=(plan or ListenPlan(),))

    def __enter__(self) -> CalledParty:
        self._thread.start()
        self.wait_for("registered")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._agent.interrupt()
        self._thread.join(60)
        self._agent.close()
        assert not self._thread.is_alive()

    @property
    def events(self) -> list[str]:
        return [each.event for each in self.reports]

    def wait_for(self, event: str, count: int = 1) -> CallReport:
        """The report of that event, the last of ``count``; fails when it does not come."""
        end = time.monotonic() + PATIENCE
        while self.events.count(event) < count:
            assert time.monotonic() < end, f"no {event} among {self.events}"
            time.sleep(0.01)
        return [each for each in self.reports if each.event == event][count - 1]

    def _listen(self, plan: ListenPlan) -> None:
        self.results.append(self._agent.listen(plan, self._heard))

    def _heard(self, report: CallReport) -> None:
        self.reports.append(report)
        if self._on_report is not None:
            self._on_report(report)
