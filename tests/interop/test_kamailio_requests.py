"""MESSAGE between two of our user agents by way of Kamailio, which challenges it by 407 AKA."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from interop.kamailio_scscf import Kamailio
from interop.program import wait_until
from interop.subscription import Subscription
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RequestResult
from sipua.settings import AgentSettings
from sipua.sip.message import Request
from sipua.verdict import Verdict

NewSubscriber = Callable[..., Subscription]


@pytest.fixture
def new_subscriber(
    kamailio: Kamailio, new_subscription: Callable[..., Subscription]
) -> NewSubscriber:
    def make() -> Subscription:
        subscription = new_subscription()
        kamailio.hss.put(subscription.in_hss())
        return subscription

    return make


def agent_at(
    scscf: Kamailio,
    subscription: Subscription,
    transport: str,
    taken: list[Request] | None = None,
) -> UserAgent:
    """A user agent which is registered there; ``taken`` is what it will be sent."""
    settings = AgentSettings(pcscf=f"{transport}:127.0.0.1:{scscf.port}", timeout=10)
    observer = Observer(on_request=taken.append if taken is not None else None)
    agent = UserAgent(CardChoice(subscription.card), settings, observer)
    assert agent.register().verdict is Verdict.REGISTERED
    return agent


@contextmanager
def listening(
    scscf: Kamailio, subscription: Subscription, transport: str
) -> Iterator[list[Request]]:
    """Somebody who takes messages in a thread of his own."""
    taken: list[Request] = []
    with agent_at(scscf, subscription, transport, taken) as agent:
        thread = threading.Thread(target=agent.stay)
        thread.start()
        try:
            yield taken
        finally:
            agent.interrupt()
            thread.join(20)


def statuses(result: RequestResult) -> list[int]:
    return [step.status for step in result.exchange if step.method == result.method]


@pytest.mark.parametrize("here", ["udp", "tcp"])
@pytest.mark.parametrize("there", ["udp", "tcp"])
def test_a_message_is_challenged_and_delivered(
    kamailio: Kamailio, new_subscriber: NewSubscriber, here: str, there: str
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with listening(kamailio, bob, there) as taken, agent_at(kamailio, alice, here) as agent:
        result = agent.message(bob.impu, f"by {here} to {there}")
        assert result.verdict is Verdict.OK, result.reason
        assert statuses(result) == [407, 200]
        wait_until(lambda: bool(taken), 5, "the message arrives")
    assert taken[0].body.decode() == f"by {here} to {there}"
    assert "Proxy-Authorization" not in taken[0].headers
    assert len(kamailio.hss.requests("MAR", alice.impi)) == 2  # registration and message


def test_an_hss_that_fell_back_is_resynchronised_by_a_message(
    kamailio: Kamailio, new_subscriber: NewSubscriber
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with listening(kamailio, bob, "udp") as taken, agent_at(kamailio, alice, "udp") as agent:
        kamailio.hss.put(alice.in_hss(sqn=0))
        result = agent.message(bob.impu, "after AUTS")
        assert (result.verdict, result.resynchronised) == (Verdict.OK, True), result.reason
        assert statuses(result) == [407, 407, 200]
        wait_until(lambda: bool(taken), 5, "the message arrives")


def test_a_wrong_mac_ends_it(kamailio: Kamailio, new_subscriber: NewSubscriber) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with listening(kamailio, bob, "udp") as taken, agent_at(kamailio, alice, "udp") as agent:
        kamailio.hss.put(alice.in_hss(k=bytes(16), sqn=1 << 20))
        result = agent.message(bob.impu, "never")
        assert result.verdict is Verdict.MAC_FAILURE, result.reason
        assert taken == []


def test_options_is_answered_by_the_other_user_agent(
    kamailio: Kamailio, new_subscriber: NewSubscriber
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with listening(kamailio, bob, "udp"), agent_at(kamailio, alice, "tcp") as agent:
        result = agent.options(bob.impu)
        assert result.verdict is Verdict.OK, result.reason
        assert result.answer["allow"] == ["MESSAGE", "OPTIONS"]


def test_nobody_is_there(kamailio: Kamailio, new_subscriber: NewSubscriber) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with agent_at(kamailio, alice, "udp") as agent:
        result = agent.message(bob.impu, "never")
        assert (result.verdict, result.status) == (Verdict.REJECTED, 480)
