"""Where a registrar can be reached: names as typed, from the ISIM or from DNS, to hops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import DnsFailure
from sipua.net.dns import resolve
from sipua.net.locate import Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.net.locate import Chance
    from sipua.net.network import Network
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop
    from sipua.sip.uri import SipUri


def locate(
    names: Iterable[str], settings: AgentSettings, chance: Chance, network: Network
) -> list[Hop]:
    """The hops of all names, in the order to try them; never none.

    Each name is ``[udp:|tcp:|tls:]HOST[:PORT]``; one without a transport takes
    that of the settings. TLS will expect a certificate for the name. Raises
    TargetError for a text that is none, DnsFailure when no name leads anywhere.
    """
    hops: list[Hop] = []
    failures: list[DnsFailure] = []
    for name in names:
        target = parse_target(name)
        if target.transport is None and settings.transport != "auto":
            target = target._replace(transport=settings.transport.upper())
        try:
            hops += _resolved(target, settings, chance, network)
        except DnsFailure as failure:
            failures.append(failure)
    if not hops:
        raise failures[0]
    return hops


def locate_uri(uri: SipUri, settings: AgentSettings, chance: Chance, network: Network) -> Hop:
    """Where a registrar that redirects to ``uri`` wants us. Raises DnsFailure."""
    transport = uri.parameter("transport")
    target = Target(
        uri.host.strip("[]"),
        uri.port,
        transport.upper() if transport else None,
        uri.scheme.lower() == "sips",
    )
    return _resolved(target, settings, chance, network)[0]


def _resolved(
    target: Target, settings: AgentSettings, chance: Chance, network: Network
) -> list[Hop]:
    hops = resolve(target, chance, nameserver=settings.nameserver)
    for hop in hops:
        network.expect_name(hop, target.host)
    return hops
