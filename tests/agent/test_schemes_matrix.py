"""Every way to carry AKA, with every answer of the card, over UDP and TCP: card in process,
user agent and network on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

import pytest

from card.profile import Profile
from cli.app import run
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.auth.schemes import aka
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.verdict import Verdict

WAYS = {
    "aka v1": ("aka", "AKAv1-MD5", "AKAv1-MD5"),
    "aka v2": ("aka", "AKAv2-SHA-256", "AKAv2-SHA-256"),
    "umts": ("umts", None, None),
    "digest-umts": ("digest-umts", None, "UMTS-AKA"),
    "pgp-umts": ("pgp-umts", None, "UMTS-AKA"),
}
OUTCOMES: dict[str, tuple[list[str], Verdict, list[int], bool]] = {
    "RES": ([], Verdict.REGISTERED, [401, 200], False),
    "AUTS then success": (["sqn-behind"], Verdict.REGISTERED, [401, 401, 200], True),
    "MAC failure": (["wrong-mac"], Verdict.MAC_FAILURE, [401, 403], False),
}
IN_CLEAR = ["umts", "digest-umts", "pgp-umts"]


class Wire:
    """The octets that the user agent has sent and received, as the hook shows them."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def note(self, direction: Literal["sent", "received"], data: bytes, _hop: Hop) -> None:
        self.messages.append((direction, data.decode()))

    def authorizations(self) -> list[str]:
        return [
            line.partition(": ")[2]
            for direction, text in self.messages
            if direction == "sent"
            for line in text.split("\r\n")
            if line.startswith("Authorization: ")
        ]


def agent_at(
    core: CoreServer,
    transport: str,
    profile: Profile,
    wire: Wire | None = None,
    scheme: tuple[str, ...] = (),
) -> UserAgent:
    return UserAgent(
        CardChoice(f"emulated:{profile.path}"),
        AgentSettings(pcscf=str(core.hop(transport)), scheme=scheme),
        Observer(on_message=wire.note if wire else None),
    )


def attempt(
    core: CoreServer, transport: str, profile: Profile, wire: Wire | None = None
) -> RegistrationResult:
    with agent_at(core, transport, profile, wire) as agent:
        return agent.register()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("way", WAYS)
def test_register(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    way: str,
    outcome: str,
    transport: str,
) -> None:
    scheme, asked, algorithm = WAYS[way]
    faults, verdict, statuses, resynchronised = OUTCOMES[outcome]
    core = sipua_core_factory(scheme=scheme, algorithm=asked, faults=faults)
    result = attempt(core, transport, sipua_card_profile)
    assert result.verdict is verdict, result.reason
    assert [step.status for step in result.exchange] == statuses
    assert {step.transport for step in result.exchange} == {transport}
    assert (result.scheme, result.algorithm) == (scheme, algorithm)
    assert result.resynchronised is resynchronised
    assert result.impi is not None
    assert bool(core.bindings(result.impi)) is (verdict is Verdict.REGISTERED)


@pytest.mark.parametrize("algorithm", aka.PREFERENCE)
def test_every_algorithm_of_digest_aka_end_to_end(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, algorithm: str
) -> None:
    core = sipua_core_factory(algorithm=algorithm, faults=["sqn-behind"])
    result = attempt(core, "UDP", sipua_card_profile)
    assert result.verdict is Verdict.REGISTERED
    assert (result.scheme, result.algorithm) == ("aka", algorithm)
    assert result.resynchronised
    assert not [hint for hint in result.hints if "prove itself" in hint]


@pytest.mark.parametrize("scheme", IN_CLEAR)
def test_renewal_and_removal_are_challenged_each_time(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, scheme: str
) -> None:
    """RES in clear serves once; no later request repeats it."""
    core = sipua_core_factory(scheme=scheme)
    wire = Wire()
    with agent_at(core, "UDP", sipua_card_profile, wire) as agent:
        results = [agent.register(), agent.register(), agent.deregister()]
    assert [each.exit_status for each in results] == [0, 0, 0]
    assert [[step.status for step in each.exchange] for each in results] == [[401, 200]] * 3
    assert len(wire.authorizations()) == 6
    assert results[2].verdict is Verdict.DEREGISTERED
    assert not core.bindings(results[0].impi or "")


FORMS: dict[str, Callable[[str], str]] = {
    "umts": lambda kind: f"UMTS {kind}=",
    "digest-umts": lambda kind: (
        'algorithm=UMTS-AKA, response="'
        + {"RES": '<hidden>"', "AUTS": "S", "AUTH-REJECT": "E14"}[kind]
    ),
    "pgp-umts": lambda kind: (
        ' ;signature="' + {"RES": '<hidden>"', "AUTS": "02", "AUTH-REJECT": "0314"}[kind]
    ),
}


@pytest.mark.parametrize(("fault", "kind"), [("sqn-behind", "AUTS"), ("wrong-mac", "AUTH-REJECT")])
@pytest.mark.parametrize("scheme", IN_CLEAR)
def test_what_stands_on_the_wire(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    scheme: str,
    fault: str,
    kind: str,
) -> None:
    core = sipua_core_factory(scheme=scheme, faults=[fault])
    wire = Wire()
    attempt(core, "UDP", sipua_card_profile, wire)
    assert FORMS[scheme](kind) in wire.authorizations()[1]
    if kind == "AUTS":
        assert FORMS[scheme]("RES") in wire.authorizations()[2]


@pytest.mark.parametrize("scheme", IN_CLEAR)
def test_res_in_clear_reaches_no_trace(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, scheme: str
) -> None:
    at_core, at_agent = Wire(), Wire()
    core = sipua_core_factory(scheme=scheme, on_message=at_core.note)
    assert attempt(core, "UDP", sipua_card_profile, at_agent).exit_status == 0
    for wire in (at_core, at_agent):
        answers = [text for _, text in wire.messages if "<hidden>" in text]
        assert len(answers) == 1
        assert "AUTN=" in str(wire.messages) or "UMTS-AKA" in str(wire.messages)


@pytest.mark.parametrize("way", WAYS)
def test_a_challenge_that_cannot_be_read(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, way: str
) -> None:
    scheme, asked, _ = WAYS[way]
    core = sipua_core_factory(scheme=scheme, algorithm=asked, faults=["bad-nonce"])
    assert attempt(core, "UDP", sipua_card_profile).verdict is Verdict.BAD_CHALLENGE


@pytest.mark.parametrize("way", WAYS)
def test_never_in_step(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, way: str
) -> None:
    scheme, asked, _ = WAYS[way]
    core = sipua_core_factory(scheme=scheme, algorithm=asked, faults=["sqn-always-behind"])
    assert attempt(core, "UDP", sipua_card_profile).verdict is Verdict.SYNC_FAILURE


@pytest.mark.parametrize("way", WAYS)
def test_a_loop_of_challenges_ends(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, way: str
) -> None:
    scheme, asked, _ = WAYS[way]
    core = sipua_core_factory(scheme=scheme, algorithm=asked, faults=["challenge-loop"])
    assert attempt(core, "UDP", sipua_card_profile).verdict is Verdict.CHALLENGE_LOOP


@pytest.mark.parametrize(
    ("allowed", "verdict"),
    [
        (("umts",), Verdict.REGISTERED),
        (("pgp-umts", "UMTS"), Verdict.REGISTERED),
        (("aka",), Verdict.NO_AKA_OFFERED),
        (("AKAv1-MD5",), Verdict.NO_AKA_OFFERED),
    ],
)
def test_scheme_restricts_what_is_answered(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    allowed: tuple[str, ...],
    verdict: Verdict,
) -> None:
    core = sipua_core_factory(scheme="umts")
    with agent_at(core, "UDP", sipua_card_profile, scheme=allowed) as agent:
        assert agent.register().verdict is verdict


# The command line ---------------------------------------------------------------------


@pytest.mark.parametrize("scheme", IN_CLEAR)
def test_by_command_line(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
) -> None:
    core = sipua_core_factory(scheme=scheme)
    argv = ["register", "--card", f"emulated:{sipua_card_profile.path}", "--scheme", scheme]
    argv += ["--pcscf", str(core.hop("TCP"))]
    assert run([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scheme"] == scheme
    assert document["algorithm"] == (None if scheme == "umts" else "UMTS-AKA")
    assert run([*argv, "-v"]) == 0
    shown = capsys.readouterr()
    assert f"scheme      {scheme}" in shown.out
    assert "RES, in clear" in shown.err


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("way", WAYS)
def test_each_answer_by_command_line(
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
    way: str,
    outcome: str,
) -> None:
    scheme, asked, _ = WAYS[way]
    faults, verdict, statuses, _ = OUTCOMES[outcome]
    core = sipua_core_factory(scheme=scheme, algorithm=asked, faults=faults)
    argv = ["register", "--card", f"emulated:{sipua_card_profile.path}", "--json", "-vv"]
    assert run([*argv, "--pcscf", str(core.hop("UDP"))]) == verdict.exit_status
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["verdict"] == verdict.value
    assert [step["status"] for step in document["exchange"]] == statuses
    assert shown.err.count("    WWW-Authenticate: ") == statuses.count(401)
    assert shown.err.count("    Authorization: ") == len(statuses)


def test_an_unknown_scheme_is_a_usage_error_that_lists_what_there_is(
    sipua_core: CoreServer, sipua_card_profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["register", "--card", f"emulated:{sipua_card_profile.path}"]
    argv += ["--pcscf", str(sipua_core.hop("UDP"))]
    assert run([*argv, "--scheme", "aka, carrier-pigeon"]) == 2
    shown = capsys.readouterr().err
    for name in ("carrier-pigeon", "umts", "digest-umts", "pgp-umts", "AKAv2-SHA-256"):
        assert name in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scheme", "carrier-pigeon"], "aka, umts, digest-umts, pgp-umts"),
        (["--algorithm", "AKAv3-MD5"], "AKAv2-SHA-256"),
        (["--scheme", "umts", "--algorithm", "AKAv1-MD5"], "scheme umts has no algorithm"),
    ],
)
def test_a_network_of_no_such_scheme(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["core", "--listen", "udp:127.0.0.1:0", *options]) == 2
    assert said in capsys.readouterr().err
