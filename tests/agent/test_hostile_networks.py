"""Challenges that a network should not send, on real sockets: each ends in its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from agent.hostile_proxy import HostileProxy
from card.aka.milenage import Milenage
from card.aka.vector import make_vector
from card.profile import Profile
from sipua.agent.call_plan import CallPlan
from sipua.agent.user_agent import UserAgent
from sipua.auth.schemes import aka
from sipua.pytest_plugin import UserAgentFactory
from sipua.result import RequestResult
from sipua.sip.message import Request
from sipua.verdict import Verdict

BOB = "sip:bob@ims.example"

Ask = Callable[[UserAgent], RequestResult]
ASKED: dict[str, Ask] = {
    "MESSAGE": lambda agent: agent.message(BOB, "x"),
    "INVITE": lambda agent: agent.call(BOB, CallPlan(duration=0)),
}


@pytest.fixture(params=ASKED)
def method(request: pytest.FixtureRequest) -> str:
    """What is asked of the network."""
    text: str = request.param
    return text


@pytest.fixture
def challenges(sipua_card_profile: Profile) -> Iterator[str]:
    """Ever new challenges which the card accepts."""

    def fresh() -> Iterator[str]:
        secret = sipua_card_profile.authentication
        functions = Milenage(secret.k, secret.opc)
        for number in range(1, 100):
            vector = make_vector(functions, bytes([number]) * 16, number << 5, bytes(2))
            made = aka.make_challenge("a realm", vector.rand, vector.autn)
            yield aka.write_challenge(made)

    return fresh()


def test_a_storm_of_407_costs_the_card_two_vectors(
    sipua_user_agent: UserAgentFactory, challenges: Iterator[str], method: str
) -> None:
    def answer(_request: Request, _number: int) -> tuple[int, list[tuple[str, str]]]:
        return 407, [("Proxy-Authenticate", next(challenges))]

    with HostileProxy(answer) as proxy:
        result = ASKED[method](sipua_user_agent(pcscf=proxy.place))
    assert result.verdict is Verdict.CHALLENGE_LOOP
    assert proxy.methods().count(method) == 3


def test_ever_new_realms_are_no_way_around(
    sipua_user_agent: UserAgentFactory, challenges: Iterator[str], method: str
) -> None:
    def answer(_request: Request, number: int) -> tuple[int, list[tuple[str, str]]]:
        asked = next(challenges).replace("a realm", f"realm {number}")
        return 407, [("Proxy-Authenticate", asked)]

    with HostileProxy(answer) as proxy:
        result = ASKED[method](sipua_user_agent(pcscf=proxy.place))
    assert result.verdict is Verdict.CHALLENGE_LOOP
    assert proxy.methods().count(method) == 3
    last = [each for each in proxy.requests if each.method == method][-1]
    assert len(last.headers.all("Proxy-Authorization")) == 2


def test_a_challenge_in_a_200_asks_the_card_nothing(
    sipua_user_agent: UserAgentFactory, challenges: Iterator[str], method: str
) -> None:
    def answer(_request: Request, _number: int) -> tuple[int, list[tuple[str, str]]]:
        return 200, [("Proxy-Authenticate", next(challenges))]

    with HostileProxy(answer) as proxy:
        result = ASKED[method](sipua_user_agent(pcscf=proxy.place))
    said_nothing = Verdict.OK if method == "MESSAGE" else Verdict.REJECTED  # no answer to our SDP
    assert (result.verdict, result.scheme) == (said_nothing, None)
    assert proxy.methods() == ([method] if method == "MESSAGE" else [method, "BYE"])
    assert len(proxy.acks) == (method == "INVITE")


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
def test_thousands_of_parameters(
    sipua_user_agent: UserAgentFactory, challenges: Iterator[str], count: int, method: str
) -> None:
    """Answered, or cut with its verdict where the head is beyond the limits; at once, both."""
    many = ", ".join(f"p{number}=1" for number in range(count))

    def answer(request: Request, number: int) -> tuple[int, list[tuple[str, str]]]:
        if number > 1:
            return 486 if method == "INVITE" else 200, []
        return 407, [("Proxy-Authenticate", f"{next(challenges)}, {many}")]

    started = time.monotonic()
    with HostileProxy(answer) as proxy:
        result = ASKED[method](sipua_user_agent(pcscf=proxy.place, timeout=3.0))
    assert time.monotonic() - started < 10.0
    answered = Verdict.OK if method == "MESSAGE" else Verdict.BUSY
    assert result.verdict is (answered if count == 1_000 else Verdict.UNREACHABLE), result.reason
    assert all(len(each.to_bytes()) < 4000 for each in proxy.requests)
