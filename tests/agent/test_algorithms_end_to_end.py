"""Subscribers of every algorithm register: card, user agent, network, and by command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from card.aka.algorithm import ALGORITHMS
from card.profile import Profile, load
from cli.app import run
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

K = "465b5ce8b199b49faa5f0a2ee238a6bc"
OP = "cdc202d5123e20f62b6d676ac72cb318"
SECRETS = {
    "milenage": f'algorithm = "milenage"\nk = "{K}"\nop = "{OP}"',
    "milenage, own constants": (
        f'algorithm = "milenage"\nk = "{K}"\nop = "{OP}"\nr = [64, 3, 33, 63, 97]\n'
        f"c = {json.dumps([f'{number:032x}' for number in (0, 7, 11, 13, 14)])}"
    ),
    "tuak": f'algorithm = "tuak"\nk = "{K}"\ntop = "{OP}{OP}"',
    "tuak, all large": (
        f'algorithm = "tuak"\nk = "{K}{K}"\ntopc = "{OP}{OP}"\n'
        "iterations = 3\nck_length = 32\nik_length = 32"
    ),
    "xor": f'algorithm = "xor"\nk = "{K}"',
}
AKA = ("AKAv1-MD5", "AKAv2-SHA-256")


def profile(path: Path, secret: str, res_length: int = 8, sqn: int = 0) -> Profile:
    path.write_text(
        f"""
        iccid = "8900101000000000001"
        imsi = "001010123456789"
        mnc_length = 2
        [authentication]
        {SECRETS[secret]}
        res_length = {res_length}
        sqn = {sqn}
        """
    )
    return load(str(path))


def register(core: CoreServer, card: Profile) -> RegistrationResult:
    settings = AgentSettings(pcscf=str(core.hop("UDP")))
    with UserAgent(CardChoice(f"emulated:{card.path}"), settings) as agent:
        return agent.register()


def test_every_algorithm_is_tried() -> None:
    assert {secret.partition(",")[0] for secret in SECRETS} == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm", AKA)
@pytest.mark.parametrize("res_length", [4, 8, 16])
@pytest.mark.parametrize("secret", SECRETS)
def test_registers(
    sipua_core_factory: CoreFactory, tmp_path: Path, secret: str, res_length: int, algorithm: str
) -> None:
    card = profile(tmp_path / "card.toml", secret, res_length)
    core = sipua_core_factory(profiles=[card], algorithm=algorithm, listen=["UDP"])
    result = register(core, card)
    assert (result.verdict, result.resynchronised) == (Verdict.REGISTERED, False)
    assert result.impi is not None
    assert core.bindings(result.impi)


@pytest.mark.parametrize("secret", SECRETS)
def test_registers_by_command_line(
    sipua_core_factory: CoreFactory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    secret: str,
) -> None:
    card = profile(tmp_path / "card.toml", secret, 16)
    core = sipua_core_factory(profiles=[card])
    argv = ["register", "--card", f"emulated:{card.path}", "--pcscf", str(core.hop("UDP"))]
    assert run([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "registered"
    assert [step["status"] for step in document["exchange"]] == [401, 200]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_card_ahead_of_the_network_resynchronises(
    sipua_core_factory: CoreFactory, tmp_path: Path, secret: str
) -> None:
    card = profile(tmp_path / "card.toml", secret, sqn=1 << 20)
    core = sipua_core_factory(profiles=[profile(tmp_path / "network.toml", secret)])
    result = register(core, card)
    assert (result.verdict, result.resynchronised) == (Verdict.REGISTERED, True)


@pytest.mark.parametrize("of_network", SECRETS)
def test_two_algorithms_never_understand_each_other(
    sipua_core_factory: CoreFactory, tmp_path: Path, of_network: str
) -> None:
    names = list(SECRETS)
    of_card = names[names.index(of_network) - 1]
    core = sipua_core_factory(profiles=[profile(tmp_path / "network.toml", of_network)])
    card = profile(tmp_path / "card.toml", of_card)
    assert register(core, card).verdict is Verdict.MAC_FAILURE
