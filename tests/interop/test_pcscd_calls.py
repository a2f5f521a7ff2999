"""INVITE and MESSAGE challenged by 407, the card in the real pcscd."""

from __future__ import annotations

from pathlib import Path

import pytest
from phones.answering import Answering

from card.profile import Profile, load
from interop.pcscd import Pcscd
from interop.watched_card import inserted
from sipua.agent.call_plan import CallPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

AUTHENTICATE = 0x88

OUTCOMES = {
    "RES": ([], Verdict.OK, 2),
    "AUTS then success": (["sqn-behind"], Verdict.OK, 3),
    "MAC failure": (["wrong-mac"], Verdict.MAC_FAILURE, 2),
}


@pytest.fixture
def callee(sipua_card_profile: Profile, tmp_path: Path) -> Profile:
    """The same card with another subscriber on it."""
    text = Path(sipua_card_profile.path).read_text()
    path = tmp_path / "callee.toml"
    path.write_text(
        text.replace(sipua_card_profile.imsi, "001010000000077").replace('000001"', '000077"')
    )
    return load(str(path))


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_challenged_by_407(
    pcscd: Pcscd,
    sipua_card_profile: Profile,
    callee: Profile,
    sipua_core_factory: CoreFactory,
    method: str,
    outcome: str,
) -> None:
    faults, verdict, authentications = OUTCOMES[outcome]
    core = sipua_core_factory(profiles=[sipua_card_profile, callee], challenge={method: 407})
    settings = AgentSettings(pcscf=str(core.hop("UDP")))
    assert callee.isim is not None
    target = callee.isim.impu[0]
    with (
        inserted(pcscd, sipua_card_profile) as card,
        Answering(UserAgent(CardChoice(f"emulated:{callee.path}"), settings)),
        UserAgent(CardChoice("pcsc"), settings) as agent,
    ):
        assert agent.register().verdict is Verdict.REGISTERED
        for fault in faults:
            core.faults.add(f"{fault}@{sipua_card_profile.imsi}")
        if method == "INVITE":
            result = agent.call(target, CallPlan(duration=0))
        else:
            result = agent.message(target, "by PC/SC")  # type: ignore[assignment]
        assert (result.verdict, result.resynchronised) == (verdict, "AUTS" in outcome)
        assert len(card.commands(AUTHENTICATE)) == authentications
