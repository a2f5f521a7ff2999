"""DNS of the home network: how a P-CSCF is found (RFC 3263)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.agent.registrar_address import locate
from sipua.doctor.finding import FAILED, OK, Finding
from sipua.errors import DnsFailure

if TYPE_CHECKING:
    from sipua.doctor.card import CardFacts
    from sipua.net.locate import Chance
    from sipua.net.network import Network
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop

AREA = "names"


def examine(
    facts: CardFacts, settings: AgentSettings, network: Network, chance: Chance, hops: list[Hop]
) -> Iterator[Finding]:
    """``hops`` gets where the names lead."""
    domain = settings.domain or (facts.identity.domain if facts.identity else "")
    if settings.pcscf:
        names, source = [settings.pcscf], "as given"
    elif facts.pcscf:
        names, source = facts.pcscf, "from the ISIM"
    elif domain:
        names, source = [domain], "from DNS of the home domain"
    else:
        yield Finding(AREA, "P-CSCF", FAILED, "no name to begin with", "Give --pcscf, or --domain.")
        return
    for name in names:
        try:
            found = locate([name], settings, chance, network)
        except DnsFailure as error:
            told = str(error).removeprefix(f"{name} ")
            yield Finding(AREA, name, FAILED, told, _remedy(settings))
            continue
        hops += found
        yield Finding(AREA, name, OK, f"{', '.join(str(hop) for hop in found)} ({source})")


def _remedy(settings: AgentSettings) -> str:
    if settings.pcscf:
        return "Check the spelling, and this machine's resolver."
    return (
        "Operators' names are seldom in public DNS: use the network's own resolver, or give "
        "--pcscf."
    )
