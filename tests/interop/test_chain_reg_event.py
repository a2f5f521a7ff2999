"""The reg event at Kamailio's S-CSCF, through the chain: what we understand of its NOTIFYs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from interop.kamailio_chain import Chain
from interop.kamailio_watcher import EXPIRES, Watcher, hops
from interop.subscription import Subscription
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.ims.events import Ended
from sipua.ims.reg_event import Action
from sipua.ims.reginfo import ACTIVE, TERMINATED
from sipua.ims.subscription import TIMER_N, Notified
from sipua.settings import AgentSettings
from sipua.verdict import Verdict


@pytest.fixture(params=["udp", "tcp"])
def agent(
    request: pytest.FixtureRequest,
    chain: Chain,
    new_subscription: Callable[..., Subscription],
) -> Iterator[UserAgent]:
    """Somebody who is registered."""
    subscriber = new_subscription()
    chain.hss.put(subscriber.in_hss())
    settings = AgentSettings(pcscf=f"{request.param}:127.0.0.1:{chain.pcscf.port}", timeout=20)
    with UserAgent(CardChoice(subscriber.card), settings) as agent:
        result = agent.register()
        assert result.verdict is Verdict.REGISTERED, result.reason
        yield agent


def test_the_registration_is_told_and_its_end(agent: UserAgent, chain: Chain) -> None:
    """Kamailio tells the end before it answers the REGISTER, and names it "expired"."""
    watcher = Watcher(agent)
    watcher.until(lambda: bool(watcher.changes() and watcher.statuses), "a NOTIFY")
    assert watcher.statuses == [200]
    assert watcher.changes() == [(ACTIVE, "registered", Action.NOTHING)]
    assert hops(watcher.notified[0]) == [chain.pcscf.port]
    expires = next(each.expires for each in watcher.events if isinstance(each, Notified))
    assert 0 < expires <= EXPIRES

    assert agent.deregister().verdict is Verdict.DEREGISTERED
    watcher.until(lambda: len(watcher.changes()) > 1, "another NOTIFY")
    assert watcher.changes()[1:] == [(TERMINATED, "expired", Action.GONE)]
    assert [each.headers.get("CSeq") for each in watcher.notified] == ["4 NOTIFY", "5 NOTIFY"]


def test_unsubscribing_in_the_dialog(agent: UserAgent) -> None:
    """By the Record-Route of the 2xx: a P-CSCF like this one, as Kamailio's example, records
    none in the NOTIFY. Kamailio owes the last NOTIFY and never sends it.
    """
    watcher = Watcher(agent)
    watcher.until(lambda: bool(watcher.changes() and watcher.statuses), "a NOTIFY")
    watcher.stop()
    watcher.until(lambda: len(watcher.statuses) > 1, "an answer to the second SUBSCRIBE")
    assert watcher.statuses == [200, 200]

    watcher.wait_for_nothing(TIMER_N)
    ended = watcher.events[-1]
    assert isinstance(ended, Ended)
    assert agent.deregister().verdict is Verdict.DEREGISTERED
    assert len(watcher.notified) == 1  # it is told nothing more
