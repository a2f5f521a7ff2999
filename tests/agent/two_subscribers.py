"""Two subscribers of one network, the second of whom listens in a thread of his own."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

import pytest

from card.profile import Profile, load
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.sip.message import Request
from sipua.verdict import Verdict

CARD = Path(__file__).parents[2] / "fixtures" / "cards" / "isim.toml"

WAYS = [
    pytest.param("aka", "AKAv1-MD5", id="aka v1"),
    pytest.param("aka", "AKAv2-MD5", id="aka v2"),
    pytest.param("umts", None, id="umts"),
    pytest.param("digest-umts", None, id="digest-umts"),
    pytest.param("pgp-umts", None, id="pgp-umts"),
]
OUTCOMES = {
    "RES": ([], Verdict.OK, [0, 200], False),
    "AUTS then success": (["sqn-behind"], Verdict.OK, [0, 0, 200], True),
    "MAC failure": (["wrong-mac"], Verdict.MAC_FAILURE, [0, 403], False),
}
"""Faults once registered; verdict, statuses (0: the challenge's), whether resynchronised."""


def two_cards(folder: Path) -> tuple[Profile, Profile]:
    """The card of the fixtures, and another one with the next number."""
    return card(folder / "alice.toml", 4), card(folder / "bob.toml", 5)


def card(path: Path, number: int) -> Profile:
    """A card like that of the fixtures, whose number ends in this digit."""
    text = CARD.read_text()
    path.write_text(
        text.replace("00000004", f"0000000{number}").replace("0100004", f"010000{number}")
    )
    return load(str(path))


def uri_of(profile: Profile, index: int = 0) -> str:
    assert profile.isim is not None
    return profile.isim.impu[index]


def agent_of(
    profile: Profile, hop: Hop, observer: Observer | None = None, **more: object
) -> UserAgent:
    settings = AgentSettings(pcscf=str(hop), **more)  # type: ignore[arg-type]
    return UserAgent(CardChoice(f"emulated:{profile.path}"), settings, observer)


class Listener:
    """A registered user agent that takes what comes; ``requests`` is what has come."""

    def __init__(self, profile: Profile, hop: Hop) -> None:
        self.requests: list[Request] = []
        self.agent = agent_of(profile, hop, Observer(on_request=self.requests.append))
        self.ended: list[RegistrationResult] = []
        self._thread = threading.Thread(target=lambda: self.ended.append(self.agent.stay()))

    def __enter__(self) -> Listener:
        assert self.agent.register().verdict is Verdict.REGISTERED
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.agent.interrupt()
        self._thread.join(10)
        self.agent.close()

    @property
    def texts(self) -> list[str]:
        return [request.body.decode() for request in self.requests]

    def wait(self, count: int) -> None:
        """Until so many requests have come."""
        end = time.monotonic() + 5
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} of {count} came"
            time.sleep(0.005)
