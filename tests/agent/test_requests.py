"""MESSAGE and OPTIONS of a user agent through the core's proxy, with every answer of the card."""

from __future__ import annotations

import time

import pytest

from agent.two_subscribers import OUTCOMES, WAYS, Listener, agent_of, uri_of
from card.profile import Profile
from sipua.agent.machine_settings import Content
from sipua.core.bindings import ExpiryPolicy
from sipua.core.gate import Demand
from sipua.core.server import CoreServer
from sipua.errors import LocalError
from sipua.pytest_plugin import CoreFactory
from sipua.result import RequestResult
from sipua.verdict import Verdict


@pytest.fixture
def core(sipua_core_factory: CoreFactory, cards: tuple[Profile, Profile]) -> CoreServer:
    """A network whose proxy challenges MESSAGE by 407."""
    return sipua_core_factory(profiles=cards, challenge={"MESSAGE": 407})


def statuses(result: RequestResult, method: str = "MESSAGE") -> list[int]:
    return [step.status for step in result.exchange if step.method == method]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("status", [407, 401])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize(("scheme", "algorithm"), WAYS)
def test_message(
    sipua_core_factory: CoreFactory,
    alice: Profile,
    bob: Profile,
    scheme: str,
    algorithm: str | None,
    transport: str,
    status: int,
    outcome: str,
) -> None:
    core = sipua_core_factory(
        profiles=[alice, bob], scheme=scheme, algorithm=algorithm, challenge={"MESSAGE": status}
    )
    hop = core.hop(transport)
    faults, verdict, seen, resynchronised = OUTCOMES[outcome]
    with Listener(bob, hop) as listener, agent_of(alice, hop) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        for fault in faults:
            core.faults.add(f"{fault}@{alice.imsi}")
        result = agent.message(uri_of(bob), "Grüße\r\nVia: none")
        assert (result.verdict, result.resynchronised) == (verdict, resynchronised)
        assert statuses(result) == [each or status for each in seen]
        assert {step.transport for step in result.exchange} == {transport}
        assert result.scheme == scheme
        if verdict is Verdict.OK:
            listener.wait(1)
            assert listener.texts == ["Grüße\r\nVia: none"]
        else:
            assert listener.requests == []


def test_what_arrives_names_the_sender_and_holds_no_credentials(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    with Listener(bob, core.hop("UDP")) as listener, agent_of(alice, core.hop("UDP")) as agent:
        agent.message(uri_of(bob), "hello")
        listener.wait(1)
    headers = listener.requests[0].headers
    assert headers.get("P-Asserted-Identity") == f"<{uri_of(alice)}>"
    assert headers.get("Max-Forwards") == "69"
    for name in ("Proxy-Authorization", "Authorization", "P-Preferred-Identity", "Route"):
        assert name not in headers


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_identity_is_reached(
    core: CoreServer, alice: Profile, bob: Profile, index: int
) -> None:
    """The third one is a tel: URI."""
    with Listener(bob, core.hop("UDP")) as listener, agent_of(alice, core.hop("UDP")) as agent:
        assert agent.message(uri_of(bob, index), "hello").verdict is Verdict.OK
        listener.wait(1)


def test_udp_and_tcp_reach_each_other(core: CoreServer, alice: Profile, bob: Profile) -> None:
    for here, there in (("UDP", "TCP"), ("TCP", "UDP")):
        with Listener(bob, core.hop(there)) as listener, agent_of(alice, core.hop(here)) as agent:
            assert agent.message(uri_of(bob), f"by {here} to {there}").verdict is Verdict.OK
            listener.wait(1)


def test_one_registration_serves_many_requests(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    with Listener(bob, core.hop("UDP")) as listener, agent_of(alice, core.hop("UDP")) as agent:
        first = agent.message(uri_of(bob), "0")
        assert [step.method for step in first.exchange] == ["REGISTER"] * 2 + ["MESSAGE"] * 2
        for number in range(1, 5):
            result = agent.message(uri_of(bob), str(number))
            assert [step.method for step in result.exchange] == ["MESSAGE"] * 2
            assert result.service_route
            assert result.contact == first.contact
        listener.wait(5)
        assert listener.texts == ["0", "1", "2", "3", "4"]
        assert agent.deregister().verdict is Verdict.DEREGISTERED
        assert statuses(agent.message(uri_of(bob), "5"), "REGISTER") == [401, 200]


def test_a_registration_that_has_run_out_is_made_anew(
    sipua_core_factory: CoreFactory, alice: Profile, bob: Profile
) -> None:
    core = sipua_core_factory(profiles=[alice, bob], expiry=ExpiryPolicy(least=0, most=1))
    with agent_of(alice, core.hop("UDP")) as agent:
        assert statuses(agent.options(f"sip:{domain(bob)}"), "OPTIONS") == [200]
        time.sleep(1.1)
        result = agent.options(f"sip:{domain(bob)}")
        assert statuses(result, "REGISTER")[-1] == 200


def domain(profile: Profile) -> str:
    assert profile.isim is not None
    return profile.isim.domain


def test_long_texts_go_by_tcp(cards: tuple[Profile, Profile]) -> None:
    """RFC 3261 §18.1.1: what is too large for a datagram; both transports share the port."""
    alice, bob = cards
    with CoreServer(cards, [("UDP", "127.0.0.1", 0)]) as first:
        port = first.hops[0].port
    both = [("UDP", "127.0.0.1", port), ("TCP", "127.0.0.1", port)]
    with (
        CoreServer(cards, both, challenge={"MESSAGE": 407}) as core,
        Listener(bob, core.hop("TCP")) as listener,
        agent_of(alice, core.hop("UDP")) as agent,
    ):
        result = agent.message(uri_of(bob), "long " * 1000)
        assert result.verdict is Verdict.OK
        assert {step.transport for step in result.exchange if step.method == "MESSAGE"} == {"TCP"}
        listener.wait(1)
        assert listener.texts == ["long " * 1000]


def test_options_tells_what_the_far_end_can_do(
    sipua_core_factory: CoreFactory, alice: Profile, bob: Profile
) -> None:
    core = sipua_core_factory(profiles=[alice, bob], challenge={"*": 407})
    with Listener(bob, core.hop("UDP")), agent_of(alice, core.hop("UDP")) as agent:
        result = agent.options(uri_of(bob))
        assert statuses(result, "OPTIONS") == [407, 200]
        assert result.answer["allow"] == ["MESSAGE", "OPTIONS"]
        assert result.answer["accept"] == ["text/plain"]
        assert result.answer["p-asserted-identity"] == [uri_of(bob)]
        network = agent.options(f"sip:{domain(bob)}")
        assert statuses(network, "OPTIONS") == [407, 200]
        assert network.answer["server"] == ["sipua"]


def test_each_method_has_its_own_demand(
    sipua_core_factory: CoreFactory, alice: Profile, bob: Profile
) -> None:
    core = sipua_core_factory(
        profiles=[alice, bob],
        challenge={"MESSAGE": Demand(401, "digest-umts"), "OPTIONS": Demand(407, "umts")},
    )
    with Listener(bob, core.hop("TCP")), agent_of(alice, core.hop("TCP")) as agent:
        message, options = agent.message(uri_of(bob), "x"), agent.options(uri_of(bob))
    assert (message.scheme, statuses(message)) == ("digest-umts", [401, 200])
    assert (options.scheme, statuses(options, "OPTIONS")) == ("umts", [407, 200])


def test_any_other_method_is_carried_too(core: CoreServer, alice: Profile, bob: Profile) -> None:
    with Listener(bob, core.hop("UDP")), agent_of(alice, core.hop("UDP")) as agent:
        result = agent.request(uri_of(bob), Content("PUBLISH", (("Event", "presence"),)))
    assert (result.verdict, result.status) == (Verdict.REJECTED, 405)
    assert "sipua options" in result.hints[0]


@pytest.mark.parametrize(
    ("method", "content_type", "status"),
    [("MESSAGE", "application/x-strange", 415), ("MESSAGE", "text/plain", 200)],
)
def test_only_texts_are_taken(
    core: CoreServer, alice: Profile, bob: Profile, method: str, content_type: str, status: int
) -> None:
    with Listener(bob, core.hop("UDP")) as listener, agent_of(alice, core.hop("UDP")) as agent:
        result = agent.request(uri_of(bob), Content(method, (), b"x", content_type))
        assert result.status == status
        assert len(listener.requests) == (status == 200)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_who_is_not_there(core: CoreServer, alice: Profile, bob: Profile, transport: str) -> None:
    with agent_of(alice, core.hop(transport)) as agent:
        absent = agent.message(uri_of(bob), "x")
        assert (absent.verdict, absent.status) == (Verdict.REJECTED, 480)
        unknown = agent.message(f"sip:nobody@{domain(bob)}", "x")
        assert (unknown.verdict, unknown.status) == (Verdict.REJECTED, 404)
        with agent_of(bob, core.hop(transport)) as gone:
            gone.register()
        vanished = agent.message(uri_of(bob), "x")
        assert (vanished.verdict, vanished.status) == (Verdict.REJECTED, 480)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("md5", Verdict.NO_AKA_OFFERED),
        ("bad-nonce", Verdict.BAD_CHALLENGE),
        ("sqn-always-behind", Verdict.SYNC_FAILURE),
        ("challenge-loop", Verdict.CHALLENGE_LOOP),
        ("403", Verdict.REJECTED),
        ("302", Verdict.REJECTED),
        ("421", Verdict.SECURITY_AGREEMENT),
        ("494", Verdict.SECURITY_AGREEMENT),
        ("500", Verdict.SERVER_ERROR),
        ("503=9", Verdict.SERVER_ERROR),
        ("silence", Verdict.TIMEOUT),
    ],
)
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_faults_hold_for_requests_too(
    core: CoreServer, alice: Profile, bob: Profile, fault: str, verdict: Verdict, transport: str
) -> None:
    with agent_of(alice, core.hop(transport), timeout=1.0) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        core.faults.add(f"{fault}@{alice.imsi}")
        result = agent.message(uri_of(bob), "x")
        assert result.verdict is verdict, result.reason
        assert result.hints


@pytest.mark.parametrize("fault", ["double", "drop-first=1", "drop-every=5"])
def test_packet_faults_are_overcome(
    core: CoreServer, alice: Profile, bob: Profile, fault: str
) -> None:
    with Listener(bob, core.hop("UDP")) as listener, agent_of(alice, core.hop("UDP")) as agent:
        core.faults.add(fault)
        assert agent.message(uri_of(bob), "once").verdict is Verdict.OK
        listener.wait(1)
        core.faults.clear()
        assert listener.texts == ["once"]


def test_a_registration_that_fails_is_the_result(
    sipua_core_factory: CoreFactory, alice: Profile
) -> None:
    core = sipua_core_factory(profiles=[alice], faults=["403"])
    with agent_of(alice, core.hop("UDP")) as agent:
        result = agent.message("sip:bob@ims.example", "x")
    assert (result.verdict, result.status) == (Verdict.REJECTED, None)
    assert [step.method for step in result.exchange] == ["REGISTER"]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("sip:bob@x\r\nVia: evil", ()),
        ("tel:+1\r\nVia: evil", ()),
        ("bob", ()),
        ("sips:bob@x", ()),
        ("sip:bob@x", (("Subject", "a\r\nVia: evil"),)),
        ("sip:bob@x", (("Subject\r\nVia", "evil"),)),
        ("sip:bob@x", (("From", "<sip:mallory@evil>"),)),
    ],
)
def test_what_would_be_another_request_is_refused(
    core: CoreServer, alice: Profile, target: str, headers: tuple[tuple[str, str], ...]
) -> None:
    assert alice.isim is not None
    with agent_of(alice, core.hop("UDP"), headers=headers) as agent:
        with pytest.raises(LocalError):
            agent.message(target, "x")
        # Only for the last one has the card been asked: where the network is had to be known.
        assert bool(core.bindings(alice.isim.impi)) == target.startswith("sips:")


@pytest.mark.parametrize(
    "settings",
    [
        {"impu": "sip:alice@x\r\nVia: evil"},
        {"impi": "alice@x\r\nVia: evil"},
        {"domain": "x\r\nVia: evil"},
        {"user_agent": "a\r\nVia: evil"},
        {"algorithm": "AKAv1-MD5\r\nVia: evil"},
        {"headers": (("Subject", "a\nVia: evil"),)},
    ],
)
def test_line_ends_in_settings_are_refused(
    core: CoreServer, alice: Profile, settings: dict[str, object]
) -> None:
    with agent_of(alice, core.hop("UDP"), None, **settings) as agent, pytest.raises(LocalError):
        agent.message("sip:bob@x", "x")


def test_the_text_is_body_whatever_it_holds(core: CoreServer, alice: Profile, bob: Profile) -> None:
    texts = ["", "\r\n\r\nMESSAGE sip:x SIP/2.0\r\n\r\n", "\0\x7f", "\udcff"]
    with Listener(bob, core.hop("TCP")) as listener, agent_of(alice, core.hop("TCP")) as agent:
        for text in texts:
            assert agent.message(uri_of(bob), text).verdict is Verdict.OK
        listener.wait(len(texts))
        got = [request.body for request in listener.requests]
        assert got == [text.encode("utf-8", "surrogateescape") for text in texts]
