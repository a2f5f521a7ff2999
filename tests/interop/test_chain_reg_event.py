"""The reg event at Kamailio's S-CSCF, through the chain: what we understand of its NOTIFYs.

Some of it by a subscription of the test's own, to see what is sent and told; the rest by
a user agent that stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from interop.kamailio_chain import Chain
from interop.kamailio_watcher import EXPIRES, PATIENCE, Watcher, hops
from interop.program import wait_until
from interop.subscription import Subscription
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.ims.events import Ended
from sipua.ims.reg_event import Action
from sipua.ims.reginfo import ACTIVE, TERMINATED
from sipua.ims.subscription import TIMER_N, Notified
from sipua.result import RegistrationResult
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
    settings = AgentSettings(
        pcscf=f"{request.param}:127.0.0.1:{chain.pcscf.port}", timeout=PATIENCE
    )
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


@contextmanager
def staying(
    chain: Chain, subscriber: Subscription, transport: str
) -> Iterator[tuple[list[str], list[RegistrationResult]]]:
    """Somebody who stays and watches his registration: what he was told, and how it ended."""
    chain.hss.put(subscriber.in_hss())
    pcscf = f"{transport}:127.0.0.1:{chain.pcscf.port}"
    settings = AgentSettings(pcscf=pcscf, timeout=PATIENCE, reg_event=True)
    news: list[str] = []
    ended: list[RegistrationResult] = []
    with UserAgent(CardChoice(subscriber.card), settings, Observer(on_news=news.append)) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        thread = threading.Thread(target=lambda: ended.append(agent.stay()))
        thread.start()
        try:
            wait_until(lambda: bool(news), PATIENCE, "what the first NOTIFY tells")
            yield news, ended
        finally:
            agent.interrupt()
            thread.join(2 * PATIENCE)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_stays_is_told_and_leaves(
    chain: Chain, new_subscription: Callable[..., Subscription], transport: str
) -> None:
    subscriber = new_subscription()
    with staying(chain, subscriber, transport) as (news, ended):
        assert news[0].startswith(f"{subscriber.impu}: ")
        assert news[0].endswith("is active, registered.")
    assert ended[0].verdict is Verdict.DEREGISTERED, ended[0].reason
    assert chain.hss.serving(subscriber.impi) == ""


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_network_ends_the_registration_of_who_stays(
    chain: Chain, new_subscription: Callable[..., Subscription], transport: str
) -> None:
    """By a document which says that the registration is terminated and names no contact."""
    subscriber = new_subscription()
    with staying(chain, subscriber, transport) as (_news, ended):
        chain.terminate(subscriber.impi)
        wait_until(lambda: bool(ended), PATIENCE, "the end of the registration")
    assert ended[0].verdict is Verdict.REJECTED, ended[0].reason
    assert "The network has ended the registration" in ended[0].reason
