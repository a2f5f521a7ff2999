"""Where to send a request: RFC 3263 §4 as a generator that asks for records and never does I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError
from sipua.net.address import is_numeric
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from typing import Protocol, TypeAlias

    Answer: TypeAlias = "Sequence[Naptr] | Sequence[Srv] | Sequence[str]"

    class Chance(Protocol):
        """What of random.Random is needed to spread load by SRV weights."""

        def randint(self, a: int, b: int, /) -> int:
            """Return a whole number N with a <= N <= b."""
            ...


TRANSPORTS = ("UDP", "TCP", "TLS")  # what this program speaks, as it prefers them
DEFAULT_PORT = {"UDP": 5060, "TCP": 5060, "TLS": 5061}
SRV_PREFIX = {"UDP": "_sip._udp.", "TCP": "_sip._tcp.", "TLS": "_sips._tcp."}
NAPTR_SERVICE = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}

MAX_HOPS = 32  # a hostile zone may list thousands
MAX_SRV_LOOKUPS = 4
MAX_SRV_RECORDS = 16  # of one name
MAX_NAME = 253  # RFC 1035 §2.3.4, as text


class TargetError(LocalError):
    """The text is not ``[udp:|tcp:|tls:]HOST[:PORT]``: a fault of the command line."""


class Target(NamedTuple):
    """What somebody asks to be found; ``host`` is also the name its certificate must carry."""

    host: str
    port: int | None = None
    transport: str | None = None
    sips: bool = False

    @property
    def needs_dns(self) -> bool:
        """Whether NAPTR or SRV records have a say: a domain name without a port.

        A single label, such as localhost or a container's name, is a name of
        this network and not a SIP domain.
        """
        return self.port is None and not is_numeric(self.host) and "." in self.host.rstrip(".")


class Naptr(NamedTuple):
    """One NAPTR record (RFC 3403 §4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Query(NamedTuple):
    """A question for DNS: NAPTR, SRV, or ADDRESS, which is A and AAAA together."""

    kind: str
    name: str


def parse_target(text: str) -> Target:
    """Read ``[udp:|tcp:|tls:]HOST[:PORT]``; IPv6 in brackets, or bare without a port.

    Raises TargetError.
    """
    prefix, colon, rest = text.partition(":")
    transport = prefix.upper() if colon and prefix.upper() in TRANSPORTS else None
    host, port = _host_port(text, rest if transport else text)
    return Target(host, port, transport)


def _host_port(text: str, rest: str) -> tuple[str, int | None]:
    if is_numeric(rest):
        return rest, None
    if rest.startswith("["):
        host, closed, after = rest[1:].partition("]")
        if not closed or ":" not in host or not is_numeric(host) or after[:1] not in {"", ":"}:
            raise TargetError(f"{text!r}: write IPv6 as [2001:db8::1] or [2001:db8::1]:5060")
        colon, digits = after[:1], after[1:]
    else:
        host, colon, digits = rest.partition(":")
        if not _is_name(host) and not is_numeric(host):
            raise TargetError(
                f"{text!r}: {host!r} is neither a host name nor a numeric address; "
                "write [udp:|tcp:|tls:]HOST[:PORT]"
            )
    if not colon:
        return host, None
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:6]) < 65536:
        raise TargetError(f"{text!r}: {digits!r} is not a port; ports are 1 to 65535")
    return host, int(digits)


def _is_name(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    return (
        len(host) <= MAX_NAME
        and all(0 < len(label) <= 63 and not label.startswith("-") for label in labels)
        and not labels[-1].isdigit()  # 1.2.3 and 256.1.1.1 are mistyped addresses
        and all(each.isascii() and (each.isalnum() or each in "-_.") for each in host)
    )


def locate(
    target: Target, chance: Chance, supported: Iterable[str] = TRANSPORTS
) -> Generator[Query, Answer, list[Hop]]:
    """Find the hops to try, in order; yields each Query and is sent its records.

    An empty answer means that there are no such records; an empty result that
    nothing was found. A target for SIPS gets TLS only (§4.1).
    """
    allowed = ["TLS"] if target.sips else [each for each in TRANSPORTS if each in set(supported)]
    chosen = target.transport
    if target.sips and chosen in {None, "TCP"}:
        chosen = "TLS"  # sips over "tcp" is TLS over TCP (RFC 3261 §26.2.2)
    if chosen is not None:
        allowed = [each for each in allowed if each == chosen]
    if not allowed:
        return []
    if is_numeric(target.host):
        return [Hop(allowed[0], target.host, target.port or DEFAULT_PORT[allowed[0]])]

    if target.needs_dns:
        found = yield from _by_services(target.host, allowed, chance, naptr=chosen is None)
        if found is not None:
            return found
    addresses = yield Query("ADDRESS", target.host)
    port = target.port or DEFAULT_PORT[allowed[0]]
    return [Hop(allowed[0], str(each), port) for each in addresses][:MAX_HOPS]


def _by_services(
    domain: str, allowed: list[str], chance: Chance, *, naptr: bool
) -> Generator[Query, Answer, list[Hop] | None]:
    """Follow NAPTR and SRV (§4.1, §4.2); None if the domain has neither."""
    ways: list[tuple[str, str]] = []
    if naptr:
        ways = _ordered((yield Query("NAPTR", domain)), allowed)
    ways = ways or [(each, SRV_PREFIX[each] + domain) for each in allowed]
    hops: list[Hop] = []
    exists = False
    for transport, name in ways[:MAX_SRV_LOOKUPS]:
        records = [each for each in (yield Query("SRV", name)) if isinstance(each, Srv)]
        exists = exists or bool(records)
        for record in by_weight(records, chance):
            if len(hops) >= MAX_HOPS or record.target in {"", "."}:
                continue  # "." says that the service is decidedly not offered (RFC 2782)
            addresses = yield Query("ADDRESS", record.target)
            hops += [Hop(transport, str(each), record.port) for each in addresses]
    return hops[:MAX_HOPS] if exists else None


def _ordered(records: Answer, allowed: list[str]) -> list[tuple[str, str]]:
    """Return (transport, SRV name) of the NAPTR records that can be used, best first."""
    usable = [
        (each.order, each.preference, NAPTR_SERVICE[each.service.upper()], each.replacement)
        for each in records
        if isinstance(each, Naptr)
        and each.flags.lower() == "s"
        and NAPTR_SERVICE.get(each.service.upper()) in allowed
    ]
    usable.sort(key=lambda each: each[:2])
    return [(transport, name) for _, _, transport, name in usable]


def by_weight(records: Iterable[Srv], chance: Chance) -> list[Srv]:
    """Return the records in the order to try them (RFC 2782, "Usage rules")."""
    # Weight 0 stands first within its priority, so that it has a small chance too.
    left = sorted(records, key=lambda each: (each.priority, each.weight > 0))[:MAX_SRV_RECORDS]
    ordered: list[Srv] = []
    while left:
        same = [each for each in left if each.priority == left[0].priority]
        point = chance.randint(0, sum(each.weight for each in same))
        for each in same:
            point -= each.weight
            if point <= 0:
                ordered.append(each)
                left.remove(each)
                break
    return ordered
