"""The whole examination, from the bottom up; it ends where a further step would cost something."""

from __future__ import annotations

from collections.abc import Iterator
from random import SystemRandom
from typing import TYPE_CHECKING

from sipua.doctor import card, names, readers, software, way
from sipua.doctor.finding import FAILED, NOT_TRIED, OK, WARNING, Finding
from sipua.net.locate import parse_target
from sipua.net.network import Network
from sipua.net.tls_settings import TlsSettings

if TYPE_CHECKING:
    from sipua.agent.identity_module import CardChoice
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop


def examine(
    choice: CardChoice, settings: AgentSettings, *, register: bool = False
) -> Iterator[Finding]:
    """Everything that can go wrong below a registration, in the order in which it matters.

    What was found to be broken is not tried again above. With ``register`` the
    registration itself is made too, which costs the card one AUTHENTICATE.
    Raises ProfileError and LocalError for what cannot be meant.
    """
    if settings.pcscf:
        parse_target(settings.pcscf)
    yield from software.examine()
    facts = card.CardFacts()
    is_reachable = True
    if isinstance(choice.card, str) and choice.card.partition(":")[0] == "pcsc":
        for finding in readers.examine():
            is_reachable = is_reachable and finding.state != FAILED
            yield finding
    if is_reachable:
        yield from card.examine(choice, facts)
    yield from _network(facts, settings)
    yield _ipsec()
    if register and facts.is_usable:
        yield _registration(choice, settings)
    else:
        why = "asks the card for one AUTHENTICATE" if facts.is_usable else "there is no identity"
        yield Finding(
            "registration",
            "REGISTER",
            NOT_TRIED,
            why,
            "sipua doctor --register makes it." if facts.is_usable else "",
        )


def _network(facts: card.CardFacts, settings: AgentSettings) -> Iterator[Finding]:
    bind = parse_target(settings.bind) if settings.bind else None
    tls = TlsSettings(settings.ca_file)
    hops: list[Hop] = []
    rng = SystemRandom()
    with Network(tls, (bind.host, bind.port or 0) if bind else None, settings.interface) as network:
        yield from names.examine(facts, settings, network, rng, hops)
        yield from way.examine(hops, network, rng)


def _ipsec() -> Finding:
    from sipua.ipsec.choice import NoEngine, choose_engine

    try:
        choice = choose_engine("127.0.0.1")
    except NoEngine as error:
        return Finding(
            "ipsec",
            "engine",
            WARNING,
            "; ".join(error.reasons),
            "Networks that demand a security agreement will refuse us here.",
        )
    choice.engine.close()
    return Finding("ipsec", "engine", OK, choice.sentence)


def _registration(choice: CardChoice, settings: AgentSettings) -> Finding:
    from sipua.agent.user_agent import UserAgent

    with UserAgent(choice, settings) as agent:
        result = agent.register()
    state = OK if result.exit_status == 0 else FAILED
    remedy = result.hints[0] if result.hints else ""
    return Finding(
        "registration", "REGISTER", state, f"{result.verdict.value}: {result.reason}", remedy
    )
