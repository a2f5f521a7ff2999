"""Calls by way of Kamailio, which challenges INVITE by 407 AKA: to each other, and to SIPp."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from phones.answering import Answering

from interop.kamailio_scscf import Kamailio
from interop.program import free_port
from interop.sipp_run import SippResult, run_sipp
from interop.subscription import Subscription
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.result import CallResult
from sipua.settings import AgentSettings
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


def agent_at(scscf: Kamailio, subscriber: Subscription, transport: str, **more: Any) -> UserAgent:
    settings = AgentSettings(pcscf=f"{transport}:127.0.0.1:{scscf.port}", timeout=10, **more)
    return UserAgent(CardChoice(subscriber.card), settings)


def statuses(result: CallResult) -> list[int]:
    return [step.status for step in result.exchange if step.method == "INVITE"]


@pytest.mark.parametrize("here", ["udp", "tcp"])
@pytest.mark.parametrize("there", ["udp", "tcp"])
def test_a_call_is_challenged_and_put_through(
    kamailio: Kamailio, new_subscriber: NewSubscriber, here: str, there: str
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    ringing = ListenPlan(ring=0.2, media="echo")
    with (
        Answering(agent_at(kamailio, bob, there), ringing) as called,
        agent_at(kamailio, alice, here) as agent,
    ):
        result = agent.call(bob.impu, CallPlan(duration=0.2, digits="7"))
        assert result.verdict is Verdict.OK, result.reason
        assert statuses(result) == [407, 200]
        ended = called.wait("ended")
        assert (ended["cause"], result.cause) == ("peer-hung-up", "hung-up")
        assert called.wait("digit")["digit"] == "7"
        assert called.wait("invited")["from"] == alice.impu
    assert len(kamailio.hss.requests("MAR", alice.impi)) == 2  # registration and call


def test_the_called_one_hangs_up(kamailio: Kamailio, new_subscriber: NewSubscriber) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with (
        Answering(agent_at(kamailio, bob, "udp"), ListenPlan(duration=0.1)),
        agent_at(kamailio, alice, "udp") as agent,
    ):
        result = agent.call(bob.impu)
        assert (result.verdict, result.cause) == (Verdict.OK, "peer-hung-up"), result.reason


def test_busy_and_cancelled(kamailio: Kamailio, new_subscriber: NewSubscriber) -> None:
    alice, bob, carol = new_subscriber(), new_subscriber(), new_subscriber()
    with (
        Answering(agent_at(kamailio, bob, "udp"), ListenPlan(what="busy")),
        Answering(agent_at(kamailio, carol, "tcp"), ListenPlan(what="ring")) as ringing,
        agent_at(kamailio, alice, "udp") as agent,
    ):
        assert agent.call(bob.impu).verdict is Verdict.BUSY
        result = agent.call(carol.impu, CallPlan(cancel_after=0.5))
        assert (result.verdict, result.status) == (Verdict.CANCELLED, 487), result.reason
        assert ringing.wait("ended")["cause"] == "cancelled"


def test_an_hss_that_fell_back_is_resynchronised_by_a_call(
    kamailio: Kamailio, new_subscriber: NewSubscriber
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with (
        Answering(agent_at(kamailio, bob, "udp")),
        agent_at(kamailio, alice, "udp") as agent,
    ):
        assert agent.register().verdict is Verdict.REGISTERED
        kamailio.hss.put(alice.in_hss(sqn=0))
        result = agent.call(bob.impu, CallPlan(duration=0))
        assert (result.verdict, result.resynchronised) == (Verdict.OK, True), result.reason
        assert statuses(result) == [407, 407, 200]


def test_a_wrong_mac_ends_it(kamailio: Kamailio, new_subscriber: NewSubscriber) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with agent_at(kamailio, alice, "udp") as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        kamailio.hss.put(alice.in_hss(k=bytes(16), sqn=1 << 20))
        assert agent.call(bob.impu).verdict is Verdict.MAC_FAILURE


# SIPp's own scenarios, as it brings them -----------------------------------------------


class Sipp:
    """A run of SIPp's in a thread."""

    def __init__(self, run: Callable[[], SippResult]) -> None:
        self._results: list[SippResult] = []
        self._thread = threading.Thread(target=lambda: self._results.append(run()), daemon=True)
        self._thread.start()

    def result(self) -> SippResult:
        self._thread.join(40)
        return self._results[0]


def test_we_call_sipp(kamailio: Kamailio, new_subscriber: NewSubscriber, tmp_path: Path) -> None:
    """Stock ``uas``, behind Kamailio's 407."""
    port = free_port()
    sipp = Sipp(lambda: run_sipp(tmp_path, "uas", None, port=port))
    with agent_at(kamailio, new_subscriber(), "udp") as agent:
        result = agent.call(f"sip:uas@127.0.0.1:{port}", CallPlan(duration=0.5))
        assert result.verdict is Verdict.OK, result.reason
        assert (statuses(result), result.cause) == ([407, 200], "hung-up")
        assert result.media is not None
        assert result.media["codec"] == "PCMU"
    ended = sipp.result()
    assert (ended.successful, ended.failed) == (1, 0), ended.messages


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_calls_us(
    kamailio: Kamailio, new_subscriber: NewSubscriber, tmp_path: Path, transport: str
) -> None:
    """Stock ``uac``, ten calls one after the other, straight to our port."""
    port = free_port()
    agent = agent_at(kamailio, new_subscriber(), "udp", bind=f"127.0.0.1:{port}")
    with Answering(agent) as called:
        target = ("127.0.0.1", port)
        ended = run_sipp(tmp_path, "uac", target, ["-d", "50"], transport=transport, calls=10)
        assert (ended.successful, ended.failed) == (10, 0), ended.messages
        called.wait("ended", 10)
        assert {each["cause"] for each in called.of("ended")} == {"peer-hung-up"}
        assert {each["codec"] for each in called.of("media")} == {"PCMU"}
