"""Calls between two user agents through the core's proxy, on real sockets."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from phones.answering import Answering

from agent.two_subscribers import OUTCOMES, WAYS, agent_of, card, uri_of
from card.profile import Profile
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import EVENTS, CallReport
from sipua.agent.calls.telephone import Telephone
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.server import CoreServer
from sipua.errors import LocalError
from sipua.pytest_plugin import CoreFactory
from sipua.result import CallResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

AT_ONCE = CallPlan(duration=0)


@pytest.fixture
def carol(tmp_path: Path) -> Profile:
    return card(tmp_path / "carol.toml", 6)


@pytest.fixture
def core(
    sipua_core_factory: CoreFactory, cards: tuple[Profile, Profile], carol: Profile
) -> CoreServer:
    return sipua_core_factory(profiles=[*cards, carol])


def statuses(result: CallResult, method: str = "INVITE") -> list[int]:
    return [step.status for step in result.exchange if step.method == method]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("status", [407, 401])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize(("scheme", "algorithm"), WAYS)
def test_invite_challenged(
    sipua_core_factory: CoreFactory,
    alice: Profile,
    bob: Profile,
    scheme: str,
    algorithm: str | None,
    transport: str,
    status: int,
    outcome: str,
) -> None:
    """Figure 2 of the patent: INVITE, challenge, ACK, INVITE with the card's answer."""
    core = sipua_core_factory(
        profiles=[alice, bob], scheme=scheme, algorithm=algorithm, challenge={"INVITE": status}
    )
    hop = core.hop(transport)
    faults, verdict, seen, resynchronised = OUTCOMES[outcome]
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        assert agent.register().verdict is Verdict.REGISTERED
        for fault in faults:
            core.faults.add(f"{fault}@{alice.imsi}")
        result = agent.call(uri_of(bob), AT_ONCE)
        assert (result.verdict, result.resynchronised) == (verdict, resynchronised), result.reason
        assert statuses(result) == [each or status for each in seen]
        assert {step.transport for step in result.exchange} == {transport}
        assert result.scheme == scheme
        if verdict is Verdict.OK:
            assert called.wait("ended")["cause"] == "peer-hung-up"
            assert (result.cause, result.status) == ("hung-up", 200)
        else:
            assert called.of("invited") == []


def test_a_call_as_both_sides_see_it(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    told: list[CallReport] = []
    plan = ListenPlan(ring=0.1, media="echo")
    with Answering(agent_of(bob, hop), plan) as called, agent_of(alice, hop) as agent:
        result = agent.call(uri_of(bob), CallPlan(duration=0.3, digits="1*D"), told.append)
        assert result.verdict is Verdict.OK
        ended = called.wait("ended")
        digits = [each["digit"] for each in called.of("digit")]
    assert [each.event for each in told] == [
        "registered",
        "calling",
        "progress",
        "media",
        "established",
        "digits-sent",
        "hanging-up",
        "ended",
    ]
    assert [each.event for each in called.reports] == [
        "registered",
        "invited",
        "media",
        "established",
        *["digit"] * 3,
        "ended",
    ]
    for each in [*told, *called.reports]:
        assert tuple(each.details) == EVENTS[each.event]
    assert told[2].details["status"] == 180
    assert digits == ["1", "*", "D"]
    assert called.of("invited")[0]["asserted"] == [uri_of(alice)]
    assert result.asserted == [uri_of(bob)]
    assert ended["media"]["codec"] == result.media["codec"] == "EVS"  # type: ignore[index]
    assert ended["media"]["packets_received"] == result.media["packets_sent"] > 0  # type: ignore[index]
    assert (ended["media"]["packets_lost"], ended["cause"]) == (0, "peer-hung-up")
    assert result.ring_ms is not None
    assert result.talk_ms is not None
    assert result.ring_ms >= 100
    assert result.talk_ms >= 300


@pytest.mark.parametrize("status", [401, 407])
def test_every_request_of_a_call_is_challenged(
    sipua_core_factory: CoreFactory, alice: Profile, bob: Profile, status: int
) -> None:
    """INVITE, PRACK, INFO and BYE of ours, and BYE of the called one's."""
    core = sipua_core_factory(profiles=[alice, bob], challenge={"*": status})
    hop = core.hop("UDP")
    with (
        Answering(agent_of(bob, hop), ListenPlan(ring=0.1, duration=0.5)) as called,
        agent_of(alice, hop) as agent,
    ):
        plan = CallPlan(digits="1", digits_by="info", duration=0)
        result = agent.call(uri_of(bob), plan)
        assert (result.verdict, result.cause) == (Verdict.OK, "hung-up"), result.reason
        for method in ("INVITE", "PRACK", "INFO", "BYE"):
            assert statuses(result, method)[-1] == 200, method
        challenged = [step.method for step in result.exchange if step.status == status]
        assert challenged.count("INVITE") == 1
        assert {"PRACK", "INFO", "BYE"} & set(challenged)
        result = agent.call(uri_of(bob), CallPlan())
        assert (result.verdict, result.cause) == (Verdict.OK, "peer-hung-up"), result.reason
        assert called.wait("ended", 2)["cause"] == "hung-up"


def test_a_display_name_stays_one(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        name = 'Älice" <sip:bob@example.com>;tag="\\'
        plan = CallPlan(duration=0, display_name=name)
        assert agent.call(uri_of(bob), plan).verdict is Verdict.OK
        invited = called.wait("invited")
    assert (invited["from_name"], invited["from"]) == (name, uri_of(alice))


def test_digits_by_info(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    told: list[CallReport] = []
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        plan = CallPlan(duration=0, digits="90#", digits_by="info", media="none")
        result = agent.call(uri_of(bob), plan, told.append)
        assert result.verdict is Verdict.OK
        assert statuses(result, "INFO") == [200] * 3
        called.wait("ended")
        assert [(each["digit"], each["by"]) for each in called.of("digit")] == [
            ("9", "info"),
            ("0", "info"),
            ("#", "info"),
        ]
    sent = next(each for each in told if each.event == "digits-sent")
    assert sent.details == {"digits": "90#", "by": "info"}


def test_media_none_offers_an_inactive_stream(
    core: CoreServer, alice: Profile, bob: Profile
) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        result = agent.call(uri_of(bob), CallPlan(duration=0, media="none"))
        assert result.verdict is Verdict.OK
        assert called.wait("media")["direction"] == "inactive"


@pytest.mark.parametrize(
    ("answer", "verdict", "status", "cause"),
    [
        (ListenPlan(what="busy"), Verdict.BUSY, 486, "busy"),
        (ListenPlan(what="decline"), Verdict.DECLINED, 603, "declined"),
        (ListenPlan(ring=0.1, what="busy"), Verdict.BUSY, 486, "busy"),
    ],
)
def test_refused(
    core: CoreServer,
    alice: Profile,
    bob: Profile,
    answer: ListenPlan,
    verdict: Verdict,
    status: int,
    cause: str,
) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop), answer) as called, agent_of(alice, hop) as agent:
        result = agent.call(uri_of(bob))
        assert (result.verdict, result.status, result.cause) == (verdict, status, cause)
        assert result.media is None
        assert called.wait("ended")["status"] == status
        expecting = agent.call(uri_of(bob), CallPlan(expect=status))
        assert expecting.verdict is Verdict.OK


def test_what_was_not_expected(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        result = agent.call(uri_of(bob), CallPlan(expect=486))
        assert (result.verdict, result.status) == (Verdict.UNEXPECTED, 200)
        assert result.reason == "486 was expected, and 200 came."
        assert called.wait("ended")["cause"] == "peer-hung-up"


@pytest.mark.parametrize(
    ("plan", "verdict"),
    [
        (CallPlan(cancel_after=0.3), Verdict.CANCELLED),
        (CallPlan(cancel_after=0.3, expect=487), Verdict.OK),
        (CallPlan(ring_timeout=0.3), Verdict.NO_ANSWER),
    ],
)
def test_given_up_while_it_rings(
    core: CoreServer, alice: Profile, bob: Profile, plan: CallPlan, verdict: Verdict
) -> None:
    hop = core.hop("UDP")
    with (
        Answering(agent_of(bob, hop), ListenPlan(what="ring")) as called,
        agent_of(alice, hop) as agent,
    ):
        result = agent.call(uri_of(bob), plan)
        assert (result.verdict, result.status) == (verdict, 487), result.reason
        assert called.wait("ended")["cause"] == "cancelled"


def test_the_called_one_hangs_up(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop), ListenPlan(duration=0.1)), agent_of(alice, hop) as agent:
        result = agent.call(uri_of(bob))
        assert (result.verdict, result.cause) == (Verdict.OK, "peer-hung-up")


def interrupted(agent: UserAgent, event: str) -> Any:
    """Ends what the agent does as soon as it reports this."""

    def told(report: CallReport) -> None:
        if report.event == event:
            threading.Thread(target=agent.interrupt).start()

    return told


@pytest.mark.parametrize(
    ("what", "event", "verdict", "cause"),
    [
        ("ring", "progress", Verdict.INTERRUPTED, "cancelled"),
        ("answer", "established", Verdict.OK, "peer-hung-up"),
    ],
)
def test_the_user_interrupts(
    core: CoreServer,
    alice: Profile,
    bob: Profile,
    what: str,
    event: str,
    verdict: Verdict,
    cause: str,
) -> None:
    hop = core.hop("UDP")
    with (
        Answering(agent_of(bob, hop), ListenPlan(what=what)) as called,
        agent_of(alice, hop) as agent,
    ):
        result = agent.call(uri_of(bob), None, interrupted(agent, event))
        assert result.verdict is verdict
        assert called.wait("ended")["cause"] == cause


def test_listening_ends_in_order(core: CoreServer, alice: Profile, bob: Profile) -> None:
    """Interrupted in a call it hangs up, and is registered no more."""
    hop = core.hop("UDP")
    assert bob.isim is not None
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        results: list[CallResult] = []
        calling = threading.Thread(target=lambda: results.append(agent.call(uri_of(bob))))
        calling.start()
        called.wait("established")
        assert called.finish().verdict is Verdict.DEREGISTERED
        calling.join(10)
        assert (results[0].verdict, results[0].cause) == (Verdict.OK, "peer-hung-up")
    assert core.bindings(bob.isim.impi) == []


def test_listening_for_so_many_calls(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    with (
        Answering(agent_of(bob, hop), ListenPlan(calls=2)) as called,
        agent_of(alice, hop) as agent,
    ):
        for _ in range(2):
            assert agent.call(uri_of(bob), AT_ONCE).verdict is Verdict.OK
        called._thread.join(20)
        assert called.ended[0].verdict is Verdict.DEREGISTERED


def test_several_calls_at_a_time(
    core: CoreServer, alice: Profile, bob: Profile, carol: Profile
) -> None:
    """Two callers, one called; each call has a port and a number of its own."""
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        first: list[CallResult] = []
        thread = threading.Thread(target=lambda: first.append(agent.call(uri_of(bob))))
        thread.start()
        called.wait("established")
        with agent_of(carol, hop) as other:
            assert other.call(uri_of(bob), CallPlan(expect=200, duration=0)).status == 200
        called.wait("established", 2)
        assert {each.call for each in called.reports if each.event == "invited"} == {1, 2}
        agent.interrupt()
        thread.join(10)
        assert first[0].verdict is Verdict.OK


def _nothing(*_: object) -> None:
    """Whatever is said to it."""


def refer(agent: UserAgent, target: str) -> None:
    """Have the first call of a listening agent transferred, which our agents do not do."""
    switchboard = agent._equipment.switchboard()

    def send() -> None:
        (telephone,) = [each for each in switchboard._takers if isinstance(each, Telephone)]
        call = telephone.calls[0]
        assert call.machine.session is not None
        now = switchboard.driver.clock()
        heard: list[object] = []
        headers = [("Refer-To", f"<{target}>"), ("Referred-By", "<sip:boss@example.com>")]
        call.machine.session.send(
            "REFER",
            lambda *each: heard.append(each),
            lambda *each: heard.append(each),
            now,
            headers,
        )
        call.line.carry_on(now)

    switchboard.driver.submit(send)


@pytest.mark.parametrize("follow", [False, True])
def test_refer(
    core: CoreServer, alice: Profile, bob: Profile, carol: Profile, follow: bool
) -> None:
    """It is declined unless the user wants it followed; then both calls go on."""
    hop = core.hop("UDP")
    told: list[CallReport] = []
    with (
        Answering(agent_of(bob, hop)) as called,
        Answering(agent_of(carol, hop), ListenPlan(duration=0)) as other,
        agent_of(alice, hop) as agent,
    ):

        def note(report: CallReport) -> None:
            told.append(report)
            if report.event == "established" and report.call == 1:
                refer(called.agent, uri_of(carol))
            elif report.event == ("ended" if follow else "refer"):
                agent.interrupt()

        result = agent.call(uri_of(bob), CallPlan(follow_refer=follow), note)
        assert result.verdict is Verdict.OK, result.reason
        if follow:
            assert other.wait("ended")["cause"] == "hung-up"
        else:
            assert other.of("invited") == []
    referred = next(each.details for each in told if each.event == "refer")
    assert (referred["target"], referred["accepted"]) == (uri_of(carol), follow)
    assert (referred["referred_by"], referred["referred_by_name"]) == ("sip:boss@example.com", None)
    assert {each.call for each in told if each.event == "established"} == (
        {1, 2} if follow else {1}
    )
    assert bool(statuses(result, "NOTIFY")) is follow


def test_nobody_there(core: CoreServer, alice: Profile, bob: Profile) -> None:
    with agent_of(alice, core.hop("UDP")) as agent:
        result = agent.call(uri_of(bob))
        assert (result.verdict, result.status) == (Verdict.NO_ANSWER, 480)
        result = agent.call("sip:nobody@" + uri_of(bob).partition("@")[2])
        assert (result.verdict, result.status) == (Verdict.REJECTED, 404)


def test_who_does_not_listen_is_busy(
    core: CoreServer, alice: Profile, bob: Profile, carol: Profile
) -> None:
    """A user agent in a call of its own takes no other."""
    hop = core.hop("UDP")
    told = threading.Event()
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:

        def note(report: CallReport) -> None:
            if report.event == "established":
                told.set()

        thread = threading.Thread(target=lambda: agent.call(uri_of(bob), None, note))
        thread.start()
        assert told.wait(10)
        called.wait("established")
        with agent_of(carol, hop) as other:
            assert other.call(uri_of(alice)).verdict is Verdict.BUSY
        agent.interrupt()
        thread.join(10)


def test_text_during_a_call(core: CoreServer, alice: Profile, bob: Profile) -> None:
    hop = core.hop("UDP")
    with Answering(agent_of(bob, hop)) as called, agent_of(alice, hop) as agent:
        assert agent.message(uri_of(bob), "Grüße").verdict is Verdict.OK
        assert called.wait("message")["text"] == "Grüße"


def test_a_registration_that_fails_is_the_result(
    sipua_core_factory: CoreFactory, alice: Profile, bob: Profile
) -> None:
    core = sipua_core_factory(profiles=[alice, bob], faults=["wrong-mac"])
    with agent_of(alice, core.hop("UDP")) as agent:
        result = agent.call(uri_of(bob))
        assert (result.verdict, statuses(result)) == (Verdict.MAC_FAILURE, [])
        assert agent.listen().verdict is Verdict.MAC_FAILURE


@pytest.mark.parametrize(
    "plan",
    [
        CallPlan(digits="12x"),
        CallPlan(media="video"),
        CallPlan(digits="1", media="none"),
        CallPlan(digits="1", digits_by="voice"),
        CallPlan(expect=180),
        CallPlan(headers=(("Subject", "a\r\nVia: b"),)),
        CallPlan(display_name='Alice"\r\nVia: b'),
        CallPlan(headers=(("Call-ID", "mine"),)),
    ],
)
def test_what_cannot_be_meant(alice: Profile, bob: Profile, plan: CallPlan) -> None:
    """Nothing is opened for it: there is no network here at all."""
    sent: list[object] = []
    observer = Observer(on_message=lambda *each: sent.append(each))
    with UserAgent(*_unplugged(alice), observer) as agent, pytest.raises(LocalError):
        agent.call(uri_of(bob), plan)
    assert sent == []


@pytest.mark.parametrize(
    "uri", ["sip:bob@example.com\r\nVia: x", "bob", "mailto:bob", "sip:b@h?x=y"]
)
def test_targets_that_cannot_be_meant(alice: Profile, uri: str) -> None:
    with UserAgent(*_unplugged(alice)) as agent, pytest.raises(LocalError):
        agent.call(uri)


def _unplugged(profile: Profile) -> tuple[CardChoice, AgentSettings]:
    return CardChoice(f"emulated:{profile.path}"), AgentSettings(pcscf="udp:127.0.0.1:9")
