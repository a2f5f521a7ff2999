"""USSD that the network begins (TS 24.390 §4.5.5, §A.3), taken by a user agent that listens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from phones.answering import PATIENCE, Answering

from agent.ussd_server import UssdServer
from sipua.agent.call_plan import ListenPlan
from sipua.agent.call_report import EVENTS
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.ims.ussd_data import NOTIFY, REQUEST, UssdData
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

QUESTION = UssdData("1 Credit\n2 Data", "en", REQUEST).to_bytes()
MONTH = UssdData("Which month?", "de", REQUEST).to_bytes()
NEWS = UssdData("Welcome abroad", "en", NOTIFY).to_bytes()
LAST = UssdData("3 GB are left", "en").to_bytes()


@pytest.fixture
def listen(tmp_path: Path) -> Callable[..., Answering]:
    """A user agent that takes USSD of this network with these answers."""
    text = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    (tmp_path / "card.toml").write_text(text)

    def listening(network: UssdServer, *answers: str) -> Answering:
        card = CardChoice(f"emulated:{tmp_path / 'card.toml'}")
        agent = UserAgent(card, AgentSettings(pcscf=network.place))
        return Answering(agent, ListenPlan(ussd_answers=answers))

    return listening


Listen = Callable[..., Answering]


def told(listening: Answering) -> list[str]:
    """The events of USSD; each has its fields, and belongs to no call."""
    ussd = [each for each in listening.reports if each.event.startswith("ussd-")]
    for each in ussd:
        assert (tuple(each.details), each.call) == (EVENTS[each.event], 0)
    return [each.event for each in ussd]


def test_a_question_is_answered(listen: Listen) -> None:
    with UssdServer(QUESTION, MONTH, last=LAST) as network:
        with listen(network, "2", "11") as listening:
            network.begin()
            listening.wait("ussd-over")
        assert told(listening) == [
            *("ussd-question", "ussd-answer", "ussd-question", "ussd-answer"),
            *("ussd-result", "ussd-over"),
        ]
        assert listening.of("ussd-question")[0] == {"text": "1 Credit\n2 Data", "language": "en"}
        assert listening.of("ussd-result") == [{"text": "3 GB are left", "language": "en"}]
        assert network.heard == [UssdData("2", "en", REQUEST), UssdData("11", "de", REQUEST)]
        (taken,) = network.taken
        assert taken.status == 200
        assert taken.headers.get("Recv-Info") == "g.3gpp.ussd"
        assert b"m=audio 0 " in taken.body
        assert "+g.3gpp.nw-init-ussi" in network.contact
        assert network.byes_from_him == 0


def test_news_are_confirmed(listen: Listen) -> None:
    with UssdServer(NEWS) as network:
        with listen(network) as listening:
            network.begin()
            listening.wait("ussd-over")
        assert told(listening) == ["ussd-news", "ussd-over"]
        assert network.heard == [UssdData(operation=NOTIFY)]


def test_a_question_that_nobody_answers_is_declined(listen: Listen) -> None:
    """The network hears why, and only then BYE."""
    with UssdServer(QUESTION) as network:
        with listen(network) as listening:
            network.begin()
            assert listening.wait("ussd-over") == {"cause": "hung-up"}
        assert told(listening) == ["ussd-question", "ussd-declined", "ussd-over"]
        assert network.heard == [UssdData(error=1)]
        assert network.byes_from_him == 1


def test_an_answer_too_long_is_none(listen: Listen) -> None:
    with UssdServer(QUESTION) as network:
        with listen(network, "x" * 183) as listening:
            network.begin()
            listening.wait("ussd-over")
        assert "183 characters" in listening.of("ussd-declined")[0]["reason"]
        assert network.heard == [UssdData(error=1)]


@pytest.mark.parametrize(
    "first",
    [
        b"<ussd-data><ussd-string>",
        b'<!DOCTYPE x [<!ENTITY e "e">]><ussd-data/>',
        UssdData(operation=REQUEST).to_bytes(),
        b"",
    ],
)
def test_what_cannot_be_understood_is_told_to_both(listen: Listen, first: bytes) -> None:
    with UssdServer(first, last=LAST) as network:
        with listen(network) as listening:
            network.begin()
            listening.wait("ussd-over")
        assert told(listening) == ["ussd-unreadable", "ussd-result", "ussd-over"]
        assert network.heard == [UssdData(error=1)]


def test_a_network_that_describes_no_session(listen: Listen) -> None:
    """Against the specification, as networks were seen to answer ours."""
    with UssdServer(NEWS, offer=b"") as network:
        with listen(network) as listening:
            network.begin()
            assert listening.wait("ussd-over") == {"cause": "peer-hung-up"}
            listening.finish()
        assert told(listening) == ["ussd-news", "ussd-over"]
        assert network.byes_from_him == 0


def test_one_at_a_time(listen: Listen) -> None:
    """The second dialogue hears USSD-busy (TS 24.090 §5.1.1)."""
    with UssdServer(QUESTION, twice=True) as network:
        with listen(network, "2") as listening:
            network.begin()
            listening.wait("ussd-over", 2)
        assert told(listening).count("ussd-question") == 1
        assert sorted(each.error for each in network.heard) == [-1, 4]
        assert network.ended.wait(PATIENCE)


def test_more_than_are_remembered_are_refused(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipua.agent.texts.ussd_reception.MAX_DIALOGUES", 1)
    with UssdServer(NEWS, twice=True) as network:
        with listen(network) as listening:
            network.begin()
            listening.wait("ussd-over")
            assert network.refused.wait(PATIENCE)
        assert [each.status for each in network.taken] == [200]
        assert told(listening) == ["ussd-news", "ussd-over"]


def test_listening_ends_in_the_middle(listen: Listen) -> None:
    """The network waits for nothing: it gets BYE, and only then the registration is removed."""
    with UssdServer(QUESTION, silent=True) as network:
        with listen(network, "2") as listening:
            network.begin()
            listening.wait("ussd-answer")
            assert listening.finish().verdict is Verdict.DEREGISTERED
        assert told(listening)[-1] == "ussd-over"
        assert network.methods[-2:] == ["BYE", "REGISTER"]
