"""Our user agents at a whole IMS core which is not ours: Kamailio as P-, I- and S-CSCF.

The P-CSCF lets in nobody who is not registered or who leaves the Service-Route, and
the S-CSCF reaches terminals by the Path alone; what arrives shows every hop in its Via.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from phones.answering import Answering

from interop.kamailio_chain import Chain
from interop.kamailio_watcher import hops
from interop.program import free_port, wait_until
from interop.subscription import Subscription
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RequestResult
from sipua.settings import AgentSettings
from sipua.sip.message import Request
from sipua.verdict import Verdict

# Server-Assignment-Type, TS 29.229 §6.3.15
REGISTRATION, USER_DEREGISTRATION = "1", "5"

PATIENCE = 20.0

MESSAGE = """\
MESSAGE sip:somebody@{domain} SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-call-1\r
Max-Forwards: 70\r
From: <{impu}>;tag=1\r
To: <sip:somebody@{domain}>\r
Call-ID: call-1-{port}\r
CSeq: 1 MESSAGE\r
Content-Length: 0\r
\r
"""

NewSubscriber = Callable[..., Subscription]


@pytest.fixture
def new_subscriber(chain: Chain, new_subscription: Callable[..., Subscription]) -> NewSubscriber:
    def make(**settings: Any) -> Subscription:
        subscription = new_subscription(**settings)
        chain.hss.put(subscription.in_hss())
        return subscription

    return make


def agent_at(
    chain: Chain,
    subscriber: Subscription,
    transport: str,
    taken: list[Request] | None = None,
    **more: Any,
) -> UserAgent:
    """A user agent behind the P-CSCF; ``taken`` is what it will be sent."""
    settings = AgentSettings(
        pcscf=f"{transport}:127.0.0.1:{chain.pcscf.port}", timeout=PATIENCE, **more
    )
    observer = Observer(on_request=taken.append if taken is not None else None)
    return UserAgent(CardChoice(subscriber.card), settings, observer)


@contextmanager
def listening(chain: Chain, subscriber: Subscription, transport: str) -> Iterator[list[Request]]:
    """Somebody who takes messages in a thread of his own."""
    taken: list[Request] = []
    with agent_at(chain, subscriber, transport, taken) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        thread = threading.Thread(target=agent.stay)
        thread.start()
        try:
            yield taken
        finally:
            agent.interrupt()
            thread.join(PATIENCE)


def statuses(result: RequestResult) -> list[int]:
    return [step.status for step in result.exchange if step.method == result.method]


def answer_of(chain: Chain, port: int, request: str) -> str:
    """The first line of what the P-CSCF answers to a datagram from this port of ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", port))
        ours.settimeout(PATIENCE)
        ours.sendto(request.encode(), ("127.0.0.1", chain.pcscf.port))
        return ours.recv(65536).decode().partition("\r\n")[0]


def asked(chain: Chain, subscriber: Subscription) -> list[tuple[str, str]]:
    """What I-CSCF and S-CSCF asked the HSS about one subscriber."""
    return [(seen.command, seen.detail) for seen in chain.hss.seen if seen.impi == subscriber.impi]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registers_through_the_chain_and_leaves_it(
    chain: Chain, new_subscriber: NewSubscriber, transport: str
) -> None:
    subscriber = new_subscriber()
    with agent_at(chain, subscriber, transport, expires=3600) as agent:
        result = agent.register()
        assert result.verdict is Verdict.REGISTERED, result.reason
        assert {step.transport.lower() for step in result.exchange} == {transport}
        assert result.service_route == [f"<sip:orig@127.0.0.1:{chain.scscf.port};lr>"]
        assert result.associated_uris == [subscriber.impu]
        assert chain.hss.serving(subscriber.impi) == chain.scscf.uri

        assert agent.deregister().verdict is Verdict.DEREGISTERED
        assert chain.hss.serving(subscriber.impi) == ""
    commands = asked(chain, subscriber)
    assert commands[:2] == [("UAR", chain.domain), ("MAR", "Digest-AKAv1-MD5")]
    assert [detail for command, detail in commands if command == "SAR"] == [
        REGISTRATION,
        USER_DEREGISTRATION,
    ]


def test_a_card_ahead_is_resynchronised_through_the_chain(
    chain: Chain, new_subscriber: NewSubscriber
) -> None:
    subscriber = new_subscriber(sqn=1000 << 5)
    with agent_at(chain, subscriber, "udp") as agent:
        result = agent.register()
        assert (result.verdict, result.resynchronised) == (Verdict.REGISTERED, True), result.reason
    assert ("resync", "MAC-S right") in asked(chain, subscriber)


def test_whom_the_hss_does_not_know_the_icscf_refuses(
    chain: Chain, new_subscription: Callable[..., Subscription]
) -> None:
    subscriber = new_subscription()
    with agent_at(chain, subscriber, "udp") as agent:
        result = agent.register()
        assert result.exchange[-1].status == 403
        assert result.verdict is Verdict.REJECTED, result.reason
    assert asked(chain, subscriber) == [("unknown", "")]


@pytest.mark.parametrize("here", ["udp", "tcp"])
@pytest.mark.parametrize("there", ["udp", "tcp"])
def test_a_message_goes_by_service_route_and_path(
    chain: Chain, new_subscriber: NewSubscriber, here: str, there: str
) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with listening(chain, bob, there) as taken, agent_at(chain, alice, here) as agent:
        result = agent.message(bob.impu, f"by {here} to {there}")
        assert result.verdict is Verdict.OK, result.reason
        assert statuses(result) == [200]
        wait_until(lambda: bool(taken), PATIENCE, "the message arrives")
    pcscf, icscf, scscf = chain.pcscf.port, chain.icscf.port, chain.scscf.port
    assert hops(taken[0]) == [pcscf, scscf, icscf, scscf, pcscf]
    assert taken[0].body.decode() == f"by {here} to {there}"
    assert taken[0].headers.get("P-Asserted-Identity") == f"<{alice.impu}>"
    assert ("LIR", bob.impu) in asked(chain, bob)


def test_the_pcscf_lets_in_only_who_is_registered_and_keeps_to_the_service_route(
    chain: Chain, new_subscriber: NewSubscriber
) -> None:
    """Else the tests above would show nothing: the same port without Route is refused."""
    alice, port = new_subscriber(), free_port()
    request = MESSAGE.format(impu=alice.impu, domain=chain.domain, port=port)
    assert answer_of(chain, port, request) == "SIP/2.0 403 Not registered here"
    with agent_at(chain, alice, "udp", bind=f"127.0.0.1:{port}") as agent:
        assert agent.register().verdict is Verdict.REGISTERED
    again = request.replace("call-1", "call-2")
    assert answer_of(chain, port, again) == "SIP/2.0 400 Not by the Service-Route"


def test_nobody_is_there(chain: Chain, new_subscriber: NewSubscriber) -> None:
    alice, bob = new_subscriber(), new_subscriber()
    with agent_at(chain, alice, "udp") as agent:
        result = agent.message(bob.impu, "never")
        assert result.verdict is Verdict.REJECTED, result.reason
    assert asked(chain, bob) == [("LIR", bob.impu)]


@pytest.mark.parametrize(("here", "there"), [("udp", "tcp"), ("tcp", "udp")])
def test_a_call_through_the_chain(
    chain: Chain, new_subscriber: NewSubscriber, here: str, there: str
) -> None:
    """INVITE, PRACK, ACK and BYE by the Record-Route of both CSCFs on both sides."""
    alice, bob = new_subscriber(), new_subscriber()
    ringing = ListenPlan(ring=0.2, media="echo")
    with (
        Answering(agent_at(chain, bob, there), ringing) as called,
        agent_at(chain, alice, here) as agent,
    ):
        result = agent.call(bob.impu, CallPlan(duration=0.2, digits="7"))
        assert result.verdict is Verdict.OK, result.reason
        ended = called.wait("ended")
        assert (ended["cause"], result.cause) == ("peer-hung-up", "hung-up")
        assert called.wait("digit")["digit"] == "7"
        assert called.wait("invited")["asserted"] == [alice.impu]


def test_the_called_one_hangs_up_and_a_call_is_withdrawn(
    chain: Chain, new_subscriber: NewSubscriber
) -> None:
    alice, bob, carol = new_subscriber(), new_subscriber(), new_subscriber()
    with (
        Answering(agent_at(chain, bob, "udp"), ListenPlan(duration=0.1)),
        Answering(agent_at(chain, carol, "tcp"), ListenPlan(what="ring")) as ringing,
        agent_at(chain, alice, "udp") as agent,
    ):
        result = agent.call(bob.impu)
        assert (result.verdict, result.cause) == (Verdict.OK, "peer-hung-up"), result.reason
        result = agent.call(carol.impu, CallPlan(cancel_after=0.5))
        assert (result.verdict, result.status) == (Verdict.CANCELLED, 487), result.reason
        assert ringing.wait("ended")["cause"] == "cancelled"
