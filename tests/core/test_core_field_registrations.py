"""User agents that stay at a running core, which ends and shortens their registrations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from card.profile import Profile
from sipua.agent.user_agent import UserAgent
from sipua.core.bindings import Binding
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory, UserAgentFactory
from sipua.result import RegistrationResult
from sipua.sip.hop import Hop
from sipua.sip.message import Request, parse
from sipua.verdict import Verdict

PATIENCE = 30.0

WAYS = ["UDP", "TCP"]


class Field:
    """A core, what it sent and received, and a user agent that stays in a thread."""

    def __init__(self, make: CoreFactory, profile: Profile, **settings: Any) -> None:
        self.requests: list[Request] = []
        self.core = make(on_message=self._note, **settings)
        assert profile.isim is not None
        self.impi = profile.isim.impi
        self.ended: list[RegistrationResult] = []
        self._thread: threading.Thread | None = None

    def _note(self, _way: str, data: bytes, _hop: Hop) -> None:
        message = parse(data)
        if isinstance(message, Request):
            self.requests.append(message)

    def stay(self, agent: UserAgent) -> None:
        """Register, and wait until the core has told the state of that."""
        assert agent.register().verdict is Verdict.REGISTERED
        self._thread = threading.Thread(target=lambda: self.ended.append(agent.stay()), daemon=True)
        self._thread.start()
        self.wait(lambda: self.told("registered"), "the first NOTIFY")

    def told(self, event: str) -> list[Request]:
        """The NOTIFYs with this event of a contact."""
        return self.of("NOTIFY", f'event="{event}"')

    def of(self, method: str, text: str = "") -> list[Request]:
        return [
            each
            for each in self.requests
            if each.method == method and text.encode() in each.to_bytes()
        ]

    @property
    def bindings(self) -> list[Binding]:
        return self.core.bindings(self.impi)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert not self.ended, f"ended: {self.ended[0].verdict.value} {self.ended[0].reason}"
            assert time.monotonic() < end, what
            time.sleep(0.01)

    def result(self) -> RegistrationResult:
        assert self._thread is not None
        self._thread.join(PATIENCE)
        (result,) = self.ended
        return result


Make = Callable[..., Field]


@pytest.fixture
def field(sipua_core_factory: CoreFactory, sipua_card_profile: Profile) -> Make:
    return lambda **settings: Field(sipua_core_factory, sipua_card_profile, **settings)


def agent_at(core: CoreServer, make: UserAgentFactory, transport: str = "UDP") -> UserAgent:
    return make(pcscf=str(core.hop(transport)), reg_event=True)


@pytest.mark.parametrize("transport", WAYS)
def test_deactivated_and_registered_anew(
    field: Make, sipua_user_agent: UserAgentFactory, transport: str
) -> None:
    scene = field()
    agent = agent_at(scene.core, sipua_user_agent, transport)
    scene.stay(agent)
    (before,) = scene.bindings
    scene.core.deregister(scene.impi)
    scene.wait(lambda: len(scene.told("registered")) == 2, "registered and subscribed anew")
    (after,) = scene.bindings
    assert after.id != before.id
    (notice,) = scene.told("deactivated")
    assert notice.headers.get("Subscription-State") == "terminated;reason=noresource"
    agent.interrupt()
    assert scene.result().verdict is Verdict.DEREGISTERED
    assert scene.bindings == []


@pytest.mark.parametrize("transport", WAYS)
def test_rejected_and_given_up(
    field: Make, sipua_user_agent: UserAgentFactory, transport: str
) -> None:
    scene = field()
    scene.stay(agent_at(scene.core, sipua_user_agent, transport))
    registers = len(scene.of("REGISTER"))
    scene.core.deregister(scene.impi, "rejected")
    result = scene.result()
    assert result.verdict is Verdict.REJECTED
    assert "rejected" in result.reason
    assert len(scene.of("REGISTER")) == registers


def test_shortened_and_renewed_at_once(field: Make, sipua_user_agent: UserAgentFactory) -> None:
    scene = field()
    agent = agent_at(scene.core, sipua_user_agent)
    scene.stay(agent)
    (before,) = scene.bindings
    scene.core.shorten(scene.impi, 600)
    scene.wait(lambda: scene.told("refreshed"), "authenticated anew")
    (after,) = scene.bindings
    assert after.id == before.id
    assert after.until - time.monotonic() > 600
    assert len(scene.told("shortened")) == 1
    agent.interrupt()
    assert scene.result().verdict is Verdict.DEREGISTERED


def test_on_probation_and_back_after_it(field: Make, sipua_user_agent: UserAgentFactory) -> None:
    scene = field()
    agent = agent_at(scene.core, sipua_user_agent)
    scene.stay(agent)
    let_go = time.monotonic()
    scene.core.deregister(scene.impi, "probation", retry_after=2)
    scene.wait(lambda: len(scene.told("registered")) == 2, "registered after a while")
    assert time.monotonic() - let_go >= 2
    assert 'retry-after="2"' in scene.told("probation")[0].body.decode()
    agent.interrupt()
    assert scene.result().verdict is Verdict.DEREGISTERED


def test_challenged_subscriptions(field: Make, sipua_user_agent: UserAgentFactory) -> None:
    scene = field(challenge={"SUBSCRIBE": 401})
    agent = agent_at(scene.core, sipua_user_agent)
    scene.stay(agent)
    assert len(scene.of("SUBSCRIBE")) == 2
    scene.core.deregister(scene.impi)
    scene.wait(lambda: len(scene.told("registered")) == 2, "registered and subscribed anew")
    agent.interrupt()
    assert scene.result().verdict is Verdict.DEREGISTERED


def test_at_set_times(field: Make, sipua_user_agent: UserAgentFactory) -> None:
    scene = field(faults=["shorten=1"])
    agent = agent_at(scene.core, sipua_user_agent)
    scene.stay(agent)
    scene.wait(lambda: len(scene.told("shortened")) >= 2, "shortened again and again")
    scene.core.faults.clear()
    scene.core.faults.add("deregister-rejected=1")
    scene.core.shorten(scene.impi, 600)  # it registers
    assert scene.result().verdict is Verdict.REJECTED
