"""What each answer of a network leads to as advice: a network that says it, and the first hint.

Together with ``test_hints`` these provoke every hint there is: see the guard at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from declared_hints import collected
from scripted_network import ScriptedNetwork, challenge, has_answered, registers, says
from test_verdicts import Sipua, sipua

from card.profile import Profile
from sipua.ipsec.association import AssociationSet
from sipua.ipsec.choice import Choice, NoEngine
from sipua.ipsec.engine import Engine
from sipua.ipsec.suite import Suite
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

__all__ = ["collected", "sipua"]  # fixtures

BOB = "sip:bob@ims.mnc001.mcc001.3gppnetwork.org"
PASSWORD = 'Digest realm="network", nonce="x", algorithm=MD5, qop="auth"'
FALSE = 'rspauth="00000000000000000000000000000000", qop=auth, nc=00000001, cnonce="x"'
REQUIRE = ("--ipsec", "require")
SEC_AGREE = ("Require", "sec-agree")

Headers = tuple[tuple[str, str], ...]


class Said(NamedTuple):
    """An answer with these header fields: the verdict, and what is advised, first things first."""

    status: int
    verdict: Verdict
    hints: tuple[str, ...]
    headers: Headers = ()
    options: tuple[str, ...] = ()


# REGISTER --------------------------------------------------------------------------------------

REGISTRATIONS = [
    Said(400, Verdict.REJECTED, ("does not like the request itself: look at its Unsupported",)),
    Said(380, Verdict.REJECTED, ("names another way in: give its address as --pcscf",)),
    Said(408, Verdict.TIMEOUT, ("The registrar is there, but something behind it was silent",)),
    Said(410, Verdict.REJECTED, ("Compare IMPI", "that the registrar serves this domain")),
    Said(423, Verdict.REJECTED, ("Ask for a longer registration with --expires",)),
    Said(
        421,
        Verdict.REJECTED,
        ("insists on an extension that is not offered here", "can be told to do without"),
        (("Require", "gin"),),
    ),
    Said(606, Verdict.REJECTED, ("Compare IMPI",)),
    Said(406, Verdict.REJECTED, ("say so by 406, and --ipsec require insists",), (), REQUIRE),
    Said(
        420,
        Verdict.SECURITY_AGREEMENT,
        ("does not know security agreements, and --ipsec require", "whether there is another"),
        (("Unsupported", "sec-agree"),),
        REQUIRE,
    ),
    Said(
        421,
        Verdict.SECURITY_AGREEMENT,
        ("The network misses sec-agree", "takes the first REGISTER at this port"),
        (SEC_AGREE,),
        REQUIRE,
    ),
    Said(
        494,
        Verdict.SECURITY_AGREEMENT,
        ("took none that was offered: compare Security-Client", "takes the first REGISTER at"),
        (("Security-Server", "ipsec-3gpp;alg=hmac-md5-96"),),
        REQUIRE,
    ),
]


class PaperEngine(Engine):
    """IPsec without any, for machines that may not: nothing gets as far as to need it here."""

    name = "paper"

    def install(self, associations: AssociationSet) -> None:
        pass

    def remove(self, associations: AssociationSet) -> None:
        pass

    def counters(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that may do IPsec."""

    def choose(_address: str, suites: tuple[Suite, ...]) -> Choice:
        return Choice(PaperEngine(), tuple(suites), ())

    monkeypatch.setattr("sipua.agent.protection.choose_engine", choose)


@pytest.fixture
def ask(sipua: Sipua, sipua_card_profile: Profile) -> Callable[..., dict[str, object]]:
    """Runs a command as the subscriber, at a network."""

    def command(network: ScriptedNetwork, *argv: str) -> dict[str, object]:
        card = f"emulated:{sipua_card_profile.path}"
        return sipua(*argv, "--card", card, "--pcscf", network.place)[1]

    return command


Ask = Callable[..., dict[str, object]]


def check(result: dict[str, object], verdict: Verdict, hints: tuple[str, ...]) -> None:
    assert result["verdict"] == verdict.value, result["reason"]
    found = result["hints"]
    assert isinstance(found, list)
    assert len(found) >= len(hints), found
    for hint, text in zip(found, hints, strict=False):
        assert text in hint


@pytest.mark.usefixtures("able")
@pytest.mark.parametrize("said", REGISTRATIONS, ids=lambda said: f"{said.status} {said.hints[0]}")
def test_of_a_refused_registration(ask: Ask, said: Said) -> None:
    def script(request: Request) -> Response:
        return says(request, said.status, said.headers)

    with ScriptedNetwork(script) as network:
        check(ask(network, "register", *said.options), said.verdict, said.hints)


@pytest.mark.usefixtures("able")
def test_of_a_challenge_without_an_agreement(ask: Ask, sipua_card_profile: Profile) -> None:
    def script(request: Request) -> Response:
        return says(request, 401, [("WWW-Authenticate", challenge(sipua_card_profile, 1 << 30))])

    with ScriptedNetwork(script) as network:
        result = ask(network, "register", *REQUIRE)
    hints = ("whether the 401 has a Security-Server with a mechanism of ours", "--ipsec auto")
    check(result, Verdict.SECURITY_AGREEMENT, hints)


@pytest.mark.parametrize(
    ("mode", "verdict", "hints"),
    [
        (
            "require",
            Verdict.SECURITY_AGREEMENT,
            ("IPsec needs root, or CAP_NET_ADMIN", "--ipsec au"),
        ),
        ("auto", Verdict.REGISTERED, ("asked nothing of the card", "Not protected: IPsec cannot")),
    ],
)
def test_of_a_machine_without_ipsec(
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    verdict: Verdict,
    hints: tuple[str, ...],
) -> None:
    def choose(_address: str, _suites: tuple[Suite, ...]) -> Choice:
        raise NoEngine(("user space: CAP_NET_RAW is missing",))

    monkeypatch.setattr("sipua.agent.protection.choose_engine", choose)
    with ScriptedNetwork(registers) as network:
        check(ask(network, "register", "--ipsec", mode), verdict, hints)


def test_of_a_registration_that_nobody_asked_the_card_for(ask: Ask) -> None:
    with ScriptedNetwork(lambda request: registers(request, listed=False)) as network:
        result = ask(network, "register")
    hints = ("asked nothing of the card", "did not list our Contact, so calls may go elsewhere")
    check(result, Verdict.REGISTERED, hints)


def test_of_a_registrar_that_does_not_prove_itself(ask: Ask, sipua_card_profile: Profile) -> None:
    def script(request: Request) -> Response:
        if not has_answered(request):
            value = challenge(sipua_card_profile, 1 << 30)
            return says(request, 401, [("WWW-Authenticate", value)])
        response = registers(request)
        response.headers.add("Authentication-Info", FALSE)
        return response

    with ScriptedNetwork(script) as network:
        result = ask(network, "register")
    check(result, Verdict.REGISTERED, ("did not prove itself by Authentication-Info",))


# Other requests --------------------------------------------------------------------------------

REQUESTS = [
    Said(302, Verdict.REJECTED, (f"{BOB} is elsewhere now: see the Contact of the answer",)),
    Said(403, Verdict.REJECTED, ("is registered, and allowed to do OPTIONS",)),
    Said(404, Verdict.REJECTED, (f"See that {BOB} is spelled as the network knows it",)),
    Said(405, Verdict.REJECTED, ("Not everybody can do OPTIONS: ask with",)),
    Said(407, Verdict.NO_AKA_OFFERED, ("for OPTIONS: it can be AKA for REGISTER and a password",)),
    Said(408, Verdict.TIMEOUT, (f"Nobody answered for {BOB}: it may be registered and gone",)),
    Said(480, Verdict.REJECTED, (f"{BOB} is known there, but not registered",)),
    Said(483, Verdict.REJECTED, ("goes round in circles: see how the network routes",)),
    Said(488, Verdict.REJECTED, ("whether it is the network that says so or sip:bob",)),
    Said(501, Verdict.SERVER_ERROR, ("Not everybody can do OPTIONS: ask with",)),
    Said(503, Verdict.SERVER_ERROR, ("Try again later; if it stays, see with -vv",)),
    Said(513, Verdict.SERVER_ERROR, ("too large for somebody on its way: send less",)),
]


@pytest.mark.parametrize("said", REQUESTS, ids=lambda said: said.status)
def test_of_a_refused_request(ask: Ask, said: Said) -> None:
    def script(request: Request) -> Response:
        if request.method == "REGISTER":
            return registers(request)
        asked = [("Proxy-Authenticate", PASSWORD)] if said.status == 407 else []
        return says(request, said.status, asked)

    with ScriptedNetwork(script) as network:
        check(ask(network, "options", BOB), said.verdict, said.hints)


@pytest.mark.parametrize(
    ("algorithm", "options", "first"),
    [
        ("AKAv1-MD5", (), "The card accepted AUTN, so both sides hold the same key"),
        ("AKAv2-MD5", (), "try it with --plain-res"),
        ("AKAv2-MD5", ("--plain-res",), "try it without --plain-res"),
    ],
)
def test_of_a_request_whose_right_answer_is_refused(
    ask: Ask, sipua_card_profile: Profile, algorithm: str, options: tuple[str, ...], first: str
) -> None:
    def script(request: Request) -> Response:
        if request.method == "REGISTER":
            return registers(request)
        if has_answered(request):
            return says(request, 403)
        value = challenge(sipua_card_profile, 1 << 30, algorithm)
        return says(request, 407, [("Proxy-Authenticate", value)])

    with ScriptedNetwork(script) as network:
        result = ask(network, "options", BOB, *options)
    check(result, Verdict.WRONG_RESPONSE, (first,))
    assert any(f"It may also be {BOB} that forbids it" in str(each) for each in [result["hints"]])


def test_of_a_proxy_that_does_not_prove_itself(ask: Ask, sipua_card_profile: Profile) -> None:
    def script(request: Request) -> Response:
        if request.method == "REGISTER":
            return registers(request)
        if has_answered(request):
            return says(request, 200, [("Proxy-Authentication-Info", FALSE)])
        value = challenge(sipua_card_profile, 1 << 30)
        return says(request, 407, [("Proxy-Authenticate", value)])

    with ScriptedNetwork(script) as network:
        result = ask(network, "options", BOB)
    check(result, Verdict.OK, ("did not prove itself by Proxy-Authentication-Info",))


# Calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "verdict", "first"),
    [
        (420, Verdict.REJECTED, "insists on an extension that the other has not: see Require"),
        (480, Verdict.NO_ANSWER, f"{BOB} is known, but not there"),
        (484, Verdict.REJECTED, f"{BOB} is too short for the network: write tel:+"),
        (488, Verdict.REJECTED, "compare both session descriptions with -vv"),
    ],
)
def test_of_a_refused_call(ask: Ask, status: int, verdict: Verdict, first: str) -> None:
    def script(request: Request) -> Response:
        return registers(request) if request.method == "REGISTER" else says(request, status)

    with ScriptedNetwork(script) as network:
        options = ("--udp-limit", "9000")  # the network has no TCP
        check(ask(network, "call", BOB, *options), verdict, (first,))
