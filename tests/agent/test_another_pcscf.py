"""After which answers another P-CSCF is tried (TS 24.229 §5.1.1.2.1), on real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from agent.plain_edge import Edge
from sipua.pytest_plugin import UserAgentFactory
from sipua.verdict import Verdict


@pytest.fixture
def edges(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Edge]]]:
    """Makes P-CSCFs with these answers, found in this order."""

    def make(*statuses: int) -> list[Edge]:
        made = [stack.enter_context(Edge(status)) for status in statuses]
        hops = [edge.hop for edge in made]
        monkeypatch.setattr("sipua.agent.equipment.locate", lambda *_: list(hops))
        return made

    with ExitStack() as stack:
        yield make


@pytest.mark.parametrize("status", [305, 408, 500, 503, 504, 600])
def test_the_next_one_is_tried(
    sipua_user_agent: UserAgentFactory, edges: Callable[..., list[Edge]], status: int
) -> None:
    first, second, third = edges(status, status, 200)
    result = sipua_user_agent().register()
    assert result.verdict is Verdict.REGISTERED, result.reason
    assert [step.status for step in result.exchange] == [status, status, 200]
    assert result.registrar == third.place
    assert [len(each.contacts) for each in (first, second, third)] == [1, 1, 1]


@pytest.mark.parametrize("status", [400, 403, 404, 406, 420, 480, 603])
def test_a_refusal_is_one(
    sipua_user_agent: UserAgentFactory, edges: Callable[..., list[Edge]], status: int
) -> None:
    first, second = edges(status, 200)
    result = sipua_user_agent().register()
    assert (result.verdict, result.registrar) == (Verdict.REJECTED, first.place)
    assert second.contacts == []


def test_the_last_one_has_the_last_word(
    sipua_user_agent: UserAgentFactory, edges: Callable[..., list[Edge]]
) -> None:
    _, last = edges(503, 305)
    result = sipua_user_agent().register()
    assert (result.verdict, result.registrar) == (Verdict.REJECTED, last.place)
