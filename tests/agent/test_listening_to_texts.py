"""A user agent that listens takes short messages beside its calls (TS 24.341 §5.3.2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from phones.answering import Answering

from card.profile import Profile, load
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import EVENTS
from sipua.agent.identity_module import CardChoice
from sipua.agent.machine_settings import Content
from sipua.agent.texts.texter import Texter
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.sip.message import Request, parse
from sipua.verdict import Verdict

ALICE, BOB = "+15550100001", "+15550100002"
TEMPLATE = Path(__file__).parents[2] / "card/emulator/default.toml"


def card(folder: Path, digit: str, number: str) -> Profile:
    """The card that ships, with a number of its own."""
    text = TEMPLATE.read_text()
    text = text.replace("001010123456789", f"00101012345670{digit}")
    text = text.replace("8900101000000000001", f"890010100000000010{digit}")
    text = text.replace("# [usim]", f'[usim]\nmsisdn = "{number}"\nsmsc = "+15550100099"\n')
    path = folder / f"{digit}.toml"
    path.write_text(text)
    return load(str(path))


@pytest.fixture
def alice(tmp_path: Path) -> Profile:
    return card(tmp_path, "1", ALICE)


@pytest.fixture
def bob(tmp_path: Path) -> Profile:
    return card(tmp_path, "2", BOB)


@pytest.fixture
def core(sipua_core_factory: CoreFactory, alice: Profile, bob: Profile) -> CoreServer:
    return sipua_core_factory(profiles=[alice, bob])


def user_agent(profile: Profile, core: CoreServer, transport: str = "UDP") -> UserAgent:
    settings = AgentSettings(pcscf=str(core.hop(transport)))
    return UserAgent(CardChoice(f"emulated:{profile.path}"), settings)


def texter(profile: Profile, core: CoreServer) -> Texter:
    settings = AgentSettings(pcscf=str(core.hop("UDP")))
    return Texter(CardChoice(f"emulated:{profile.path}"), settings)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_short_message_is_acknowledged_and_told(
    core: CoreServer, alice: Profile, bob: Profile, transport: str
) -> None:
    """The report of delivery tells that our RP-ACK was taken."""
    with (
        Answering(user_agent(bob, core, transport)) as listening,
        texter(alice, core) as sender,
    ):
        result = sender.send(BOB, "Grüße €" * 30, report_wait=30.0)
        assert result.verdict is Verdict.OK, result.reason
        assert (result.parts, result.delivered) == (2, 2)
        told = listening.wait("sms")
        assert tuple(told) == EVENTS["sms"]
        assert (told["from"], told["text"], told["parts"]) == (ALICE, "Grüße €" * 30, 2)
        assert listening.finish().verdict is Verdict.DEREGISTERED
    assert {each.call for each in listening.reports} == {0}
    assert len(listening.of("registered")) == 1


def test_calls_and_both_kinds_of_texts(core: CoreServer, alice: Profile, bob: Profile) -> None:
    """One after the other; texts do not count as calls."""
    uri = f"sip:{bob.imsi}@ims.mnc001.mcc001.3gppnetwork.org"
    with Answering(user_agent(bob, core), ListenPlan(duration=0.2, calls=2)) as listening:
        with user_agent(alice, core) as agent:
            assert agent.message(uri, "plain").verdict is Verdict.OK
            assert agent.call(uri, CallPlan()).verdict is Verdict.OK
        with texter(alice, core) as sender:
            assert sender.send(BOB, "short", report_wait=30.0).verdict is Verdict.OK
        with user_agent(alice, core) as agent:
            assert agent.call(uri, CallPlan()).verdict is Verdict.OK
        assert listening.finish().verdict is Verdict.DEREGISTERED
    assert [each["text"] for each in listening.of("message")] == ["plain"]
    assert [each["text"] for each in listening.of("sms")] == ["short"]
    assert [each.call for each in listening.reports if each.event == "invited"] == [1, 2]


def test_the_contact_asks_for_short_messages_while_they_are_taken(
    core: CoreServer, bob: Profile
) -> None:
    """Its feature tag (TS 24.341 §5.3.2.2) is in every REGISTER of a listener, the one that
    removes it too, and in none of who only registers afterwards."""
    sent: list[Request] = []

    def note(direction: str, data: bytes, _hop: Hop) -> None:
        message = parse(data)
        if direction == "sent" and isinstance(message, Request):
            sent.append(message)

    settings = AgentSettings(pcscf=str(core.hop("UDP")))
    card = CardChoice(f"emulated:{bob.path}")
    with UserAgent(card, settings, Observer(on_message=note)) as agent:
        agent.interrupt()
        agent.listen()
        tagged = ["+g.3gpp.smsip" in (each.headers.get("Contact") or "") for each in sent]
        assert tagged == [True] * len(sent)
        assert len(tagged) >= 2
        sent.clear()
        agent.register()
        assert not any("smsip" in (each.headers.get("Contact") or "") for each in sent)
        assert sent


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain;charset=UTF-8", 200),
        ("TEXT/Plain", 200),
        ("application/sdp", 415),
        ("multipart/mixed;boundary=b", 415),
        ("application/vnd.3gpp.ussd+xml", 415),
        ("application/pidf+xml", 415),
    ],
)
def test_what_is_no_text_is_not_told_as_one(
    core: CoreServer, alice: Profile, bob: Profile, content_type: str, status: int
) -> None:
    """What calls and USSD carry in their requests is nothing for a MESSAGE."""
    uri = f"sip:{bob.imsi}@ims.mnc001.mcc001.3gppnetwork.org"
    with Answering(user_agent(bob, core)) as listening, user_agent(alice, core) as agent:
        result = agent.request(uri, Content("MESSAGE", (), b"v=0", content_type))
        assert result.status == status
        listening.finish()
    assert len(listening.of("message")) == (status == 200)
