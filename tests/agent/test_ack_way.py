"""An ACK goes where everything else goes: a P-CSCF may have moved since its route was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from phones.answering import Answering

from agent.two_subscribers import agent_of, two_cards, uri_of
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.protection import Protection
from sipua.pytest_plugin import CoreFactory
from sipua.sip.hop import Hop
from sipua.sip.message import Request
from sipua.verdict import Verdict


class Moved(Protection):
    """Leads everything to another port of the network, as new associations may; seals nothing."""

    def __init__(self, hop: Hop) -> None:
        self._hop = hop

    @property
    def told(self) -> str | None:
        return None

    def dress(
        self, request: Request, hop: Hop, sent_by: tuple[str, int]
    ) -> tuple[Hop, tuple[str, int]]:
        return self._hop, sent_by

    def way(self, hop: Hop) -> Hop:
        return self._hop

    def earlier(self, deadline: float | None) -> float | None:
        return deadline

    def tick(self, now: float) -> None:
        pass


@pytest.mark.parametrize("moves", [False, True])
def test_the_ack_of_a_call_goes_where_the_pcscf_is_now(
    sipua_core_factory: CoreFactory, tmp_path: Path, moves: bool
) -> None:
    came: list[tuple[str, int]] = []

    def note(way: Literal["sent", "received"], data: bytes, hop: Hop) -> None:
        if way == "received" and hop.local is not None:
            came.append((data.partition(b" ")[0].decode(), hop.local[1]))

    alice, bob = two_cards(tmp_path)
    core = sipua_core_factory(profiles=(alice, bob), listen=("UDP", "UDP"), on_message=note)
    before, after = core.hops
    settings = {"udp_limit": 65000}
    with (
        Answering(agent_of(bob, before), ListenPlan(ring=0.2)),
        agent_of(alice, before, None, **settings) as agent,
    ):

        def told(report: CallReport) -> None:
            if report.event == "progress" and moves:
                agent._equipment.switchboard().protection = Moved(after)

        result = agent.call(uri_of(bob), CallPlan(duration=0.0), told)
    assert result.verdict is Verdict.OK
    assert {port for method, port in came if method == "INVITE"} == {before.port}
    now = after if moves else before
    for method in ("ACK", "BYE"):
        assert {port for each, port in came if each == method} == {now.port}
