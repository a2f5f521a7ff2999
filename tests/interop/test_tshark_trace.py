"""tshark reads what ``--trace`` writes: SIP, APDUs and our remarks, nothing of it malformed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from net.certificates import Authority
from phones.answering import Answering

from card.profile import Profile, load
from interop.subscription import Subscription
from interop.tshark import Tshark
from sipua.agent.call_plan import CallPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.capture.captured import CapturedApdu, CapturedMessage
from sipua.capture.reader import apdus, messages
from sipua.capture.recorder import Recorder
from sipua.capture.trace_file import TraceFile
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.verdict import Verdict

METHOD_OR_STATUS = ("sip.Method", "sip.Status-Code")
REGISTRATION = ["REGISTER", "401", "REGISTER", "200"]
Recorded = Callable[[], Observer]


@pytest.fixture
def alice(new_subscription: Callable[..., Subscription]) -> Subscription:
    return new_subscription()


@pytest.fixture
def bob(new_subscription: Callable[..., Subscription]) -> Subscription:
    return new_subscription()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.pcapng"


@pytest.fixture
def recorded(path: Path) -> Iterator[Recorded]:
    """Makes the observer of whoever is to be recorded; close the user agent before reading."""
    file = TraceFile(str(path), private=False)

    def observer() -> Observer:
        return Observer(recorder=Recorder(file.write, time.time_ns))

    yield observer
    file.close()
    assert not file.fault


def profile(subscription: Subscription) -> Profile:
    return load(str(subscription.path))


def agent_of(
    subscription: Subscription, hop: Hop, observer: Observer | None = None, **more: Any
) -> UserAgent:
    settings = AgentSettings(pcscf=str(hop), **more)
    return UserAgent(CardChoice(subscription.card), settings, observer)


def read(path: Path) -> Tshark:
    """The trace, in which tshark finds no fault."""
    judge = Tshark(path)
    assert judge.complaints() == ""
    return judge


def sip(judge: Tshark, only: str = "sip") -> list[str]:
    """Method or status of each SIP message."""
    return [method or status for method, status in judge.rows(only, *METHOD_OR_STATUS)]


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_registration(
    alice: Subscription,
    path: Path,
    recorded: Recorded,
    tmp_path: Path,
    transport: str,
    address: str,
) -> None:
    authority = Authority(tmp_path)
    with CoreServer(
        [profile(alice)], [(transport, address, 0)], tls=authority.issue([address])
    ) as core:
        hop = core.hop(transport)
        with agent_of(alice, hop, recorded(), ca_file=str(authority.file)) as agent:
            assert agent.register().verdict is Verdict.REGISTERED
            local = agent_local(agent.deregister().local)
    judge = read(path)
    assert sip(judge) == [*REGISTRATION, "REGISTER", "401", "REGISTER", "200"][: len(sip(judge))]
    protocol = "udp" if transport == "UDP" else "tcp"
    version = "ipv6" if ":" in address else "ip"
    ends = ("src", "dst")
    fields = [f"{version}.{end}" for end in ends]
    fields += [f"{protocol}.{end}port" for end in ends]
    first = judge.rows("sip", *fields, "frame.comment")[:2]
    assert first[0][:4] == (address, address, local, str(hop.port))
    assert first[1][:4] == (address, address, str(hop.port), local)
    assert ("TLS, here in clear" in first[0][4]) is (transport == "TLS")
    assert {each.transport for each in messages(path)} == {transport}
    assert judge.rows("gsm_sim.apdu.ins == 0x88", "gsm_sim.auth_rand")


def agent_local(hop: str | None) -> str:
    """The port of our end."""
    assert hop is not None
    return hop.rpartition(":")[2]


def test_a_resynchronisation(
    alice: Subscription, path: Path, recorded: Recorded, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile(alice)], faults=["sqn-behind"])
    with agent_of(alice, core.hop("UDP"), recorded()) as agent:
        result = agent.register()
        assert (result.verdict, result.resynchronised) == (Verdict.REGISTERED, True)
    judge = read(path)
    assert sip(judge) == ["REGISTER", "401", "REGISTER", "401", "REGISTER", "200"]
    order = [row[0] for row in judge.rows("sip || gsm_sim.apdu.ins == 0x88", "_ws.col.Protocol")]
    assert order == ["SIP", "SIP", "GSM SIM", "SIP", "SIP", "GSM SIM", "SIP", "SIP"]
    comments = [row[0] for row in judge.rows("sip || gsm_sim.apdu.ins == 0x88", "frame.comment")]
    assert "AUTS: tells the network which sequence number" in comments[3]
    assert ["round 2" in each for each in comments] == [False] * 4 + [True] * 4
    call_id = judge.rows("sip", "sip.Call-ID")[0][0]
    assert all(call_id in each for each in comments)
    answers = [each.answer for each in apdus(path) if each.answer[:2] == b"\xdc\x0e"]
    assert [len(each) for each in answers] == [18]  # AUTS goes to the network, and is no secret


def test_a_wrong_mac(
    alice: Subscription, path: Path, recorded: Recorded, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile(alice)], faults=["wrong-mac"])
    with agent_of(alice, core.hop("UDP"), recorded()) as agent:
        assert agent.register().verdict is Verdict.MAC_FAILURE
    judge = read(path)
    assert judge.rows("gsm_sim.apdu.sw == 0x9862", "frame.number")
    assert "MAC failure" in judge.rows("sip.Method == REGISTER", "frame.comment")[1][0]
    (remark,) = judge.rows("gsmtap_log", "frame.comment")
    assert remark[0].startswith("mac-failure: ")


def test_silence(
    alice: Subscription, path: Path, recorded: Recorded, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile(alice)], faults=["silence"])
    with agent_of(alice, core.hop("UDP"), recorded(), timeout=1.2) as agent:
        assert agent.register().verdict is Verdict.TIMEOUT
    judge = read(path)
    comments = [row[0] for row in judge.rows("sip", "frame.comment")]
    assert len(comments) >= 2
    assert ["a retransmission" in each for each in comments] == [False] + [True] * (
        len(comments) - 1
    )
    assert judge.rows("gsmtap_log", "frame.comment")[-1][0].startswith("timeout: ")


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_call(
    alice: Subscription,
    bob: Subscription,
    path: Path,
    recorded: Recorded,
    sipua_core_factory: CoreFactory,
    transport: str,
) -> None:
    core = sipua_core_factory(profiles=[profile(alice), profile(bob)], challenge={"INVITE": 407})
    hop = core.hop(transport)
    with Answering(agent_of(bob, hop)), agent_of(alice, hop, recorded()) as agent:
        assert agent.call(bob.impu, CallPlan(duration=0)).verdict is Verdict.OK
    judge = read(path)
    # A request too long for UDP goes by TCP first (RFC 3261 §18.1.1), where nobody listens.
    seen = sip(judge, f"sip && {transport.lower()}")
    shown = [each for each in seen if each not in ("100", "180", "PRACK")]
    assert shown[:4] == REGISTRATION
    requests = [each for each in shown[4:] if not each.isdigit()]
    assert requests == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    assert judge.rows("sip && sdp", "sdp.media.proto")[0] == ("RTP/AVP",)
    (bye,) = judge.rows("sip.Method == BYE", "frame.comment")
    assert "BYE: " in bye[0]
    attempts = {row[0].partition(",")[0] for row in judge.rows("sip", "frame.comment")}
    assert {"attempt 1", "attempt 2"} <= attempts


def test_our_reader_sees_the_same_as_tshark(
    alice: Subscription, path: Path, recorded: Recorded, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(profiles=[profile(alice)], faults=["sqn-behind"])
    with agent_of(alice, core.hop("TCP"), recorded()) as agent:
        agent.register()
    judge = read(path)
    ours = [(str(each.packet), _method_or_status(each)) for each in messages(path)]
    theirs = [(n, m or s) for n, m, s in judge.rows("sip", "frame.number", *METHOD_OR_STATUS)]
    assert ours == theirs
    cards_seen: list[CapturedApdu] = list(apdus(path))
    shown = judge.rows("gsm_sim", "frame.number", "gsm_sim.apdu.ins", "gsm_sim.apdu.sw")
    assert [
        (str(each.packet), each.command[1], int.from_bytes(each.answer[-2:], "big"))
        for each in cards_seen
    ] == [(number, int(ins, 0), int(sw, 0)) for number, ins, sw in shown]


def _method_or_status(message: CapturedMessage) -> str:
    first, second = message.data.split(b" ", 2)[:2]
    return (second if first == b"SIP/2.0" else first).decode()
