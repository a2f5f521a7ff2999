"""Asks DNS what locate() wants to know (RFC 3263); dnspython is loaded when it is needed."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from sipua.errors import DnsFailure
from sipua.net.address import is_numeric, numeric_host
from sipua.net.locate import TRANSPORTS, Naptr, Srv, Target, locate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name
    from dns.resolver import Resolver

    from sipua.net.locate import Answer, Chance, Query
    from sipua.sip.hop import Hop

QUERY_TIME = 5.0  # seconds for one record, all nameservers and repetitions together
TOTAL_TIME = 12.0  # seconds for one target, after which nothing more is asked
MAX_NOTES = 8  # questions that the sentence of a failure recounts

SYSTEM_CAUSES = {
    int(socket.EAI_NONAME): "no-such-name",
    int(socket.EAI_AGAIN): "nameserver-silent",
}
"""By what getaddrinfo failed with."""


def resolve(
    target: Target,
    chance: Chance,
    supported: Iterable[str] = TRANSPORTS,
    nameserver: tuple[str, int] | None = None,
) -> list[Hop]:
    """Return the hops for ``target`` in the order to try them, never none.

    Blocks. Numeric addresses ask nobody; a name with a port, or a name of one
    label, asks the system (and /etc/hosts); the rest asks DNS, at ``nameserver``
    (numeric address, port) if given. Raises DnsFailure.
    """
    lookups = _Lookups(nameserver)
    search = locate(target, chance, supported)
    try:
        query = next(search)
        while True:
            query = search.send(lookups.ask(query))
    except StopIteration as done:
        hops: list[Hop] = done.value
    if not hops:
        raise DnsFailure(lookups.failure(target), lookups.cause)
    return hops


class _Lookups:
    """The questions asked for one target, and what came of them."""

    def __init__(self, nameserver: tuple[str, int] | None) -> None:
        self._nameserver = nameserver
        self._resolver: Resolver | None = None
        self._left = TOTAL_TIME
        self._notes: list[str] = []
        self._without_dns = False
        self.cause = ""

    def ask(self, query: Query) -> Answer:
        """Return the records, or nothing; raises DnsFailure when it makes no sense to go on."""
        if self._left <= 0:
            self._notes.append(f"{query.kind} of {query.name}: no time left")
            return []
        started = time.monotonic()
        try:
            return self._ask(query)
        finally:
            self._left -= time.monotonic() - started

    def _ask(self, query: Query) -> Answer:
        if query.kind == "ADDRESS":
            return self._addresses(query.name)
        found = self._records(query.name, query.kind)
        if query.kind == "NAPTR":
            return [
                Naptr(
                    each.order,
                    each.preference,
                    each.flags.decode("ascii", "replace"),
                    each.service.decode("ascii", "replace"),
                    _name(each.replacement),
                )
                for each in found
            ]
        return [Srv(each.priority, each.weight, each.port, _name(each.target)) for each in found]

    def failure(self, target: Target) -> str:
        """Make the sentence for a target with no hops."""
        asked = "; ".join(self._notes[:MAX_NOTES]) or "no transport that both sides have"
        return f"{target.host} has no usable address ({asked}); check the name, or give --pcscf"

    def _addresses(self, name: str) -> list[str]:
        if is_numeric(name):
            return [name]
        if self._nameserver is None or name.rstrip(".").rpartition(".")[2].lower() == "localhost":
            return self._from_system(name)
        answers = [*self._records(name, "AAAA"), *self._records(name, "A")]  # as RFC 6724 prefers
        return [str(each.address) for each in answers]

    def _from_system(self, name: str) -> list[str]:
        try:
            # As octets, or Python loads its IDNA tables.
            found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            fault = getattr(error, "strerror", None) or "not a host name"
            code = getattr(error, "errno", None)
            self.cause = self.cause or SYSTEM_CAUSES.get(code or 0, "")
            self._notes.append(f"A and AAAA of {name}: {fault.lower()}")
            return []
        return [numeric_host(each[4]) for each in found]  # type: ignore[arg-type]

    def _records(self, name: str, kind: str) -> list[Any]:
        """Ask one nameserver question; an answer without records is none."""
        import dns.exception
        import dns.resolver

        resolver = self._resolver or self._configure()
        if resolver is None:
            return []
        try:
            answer = resolver.resolve(name, kind, lifetime=min(QUERY_TIME, self._left))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            no_name = isinstance(error, dns.resolver.NXDOMAIN)
            self._notes.append(f"{kind} of {name}: {'no such name' if no_name else 'none'}")
            if no_name and not name.startswith("_"):  # most domains have no SRV records
                self.cause = self.cause or "no-such-name"
            return []
        except dns.resolver.LifetimeTimeout:
            self.cause = "nameserver-silent"
            return self._give_up(f"{kind} of {name}: no answer from {self._servers(resolver)}")
        except dns.resolver.NoNameservers:
            # SERVFAIL, REFUSED, NOTIMP: some resolvers know no NAPTR; what follows may do.
            self._notes.append(f"{kind} of {name}: refused by {self._servers(resolver)}")
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return self._give_up(f"{kind} of {name}: {str(error).lower()}")
        return list(answer)

    def _configure(self) -> Resolver | None:
        import dns.resolver

        if self._nameserver is not None:
            made = dns.resolver.Resolver(configure=False)
            made.nameservers = [self._nameserver[0]]
            made.port = self._nameserver[1]
        elif self._without_dns:
            return None
        else:
            try:
                made = dns.resolver.Resolver()
            except dns.resolver.NoResolverConfiguration:
                self._give_up("no nameserver is configured in /etc/resolv.conf")
                return None
        self._resolver = made
        return made

    def _give_up(self, note: str) -> list[Any]:
        """Ask DNS no more; /etc/hosts may still know the name, as in many a laboratory."""
        self._notes.append(note)
        self._resolver = None
        self._without_dns = True
        if self._nameserver is not None:
            raise DnsFailure(f"{note}; check the nameserver", self.cause)
        return []

    @staticmethod
    def _servers(resolver: Resolver) -> str:
        return ", ".join(f"{each} port {resolver.port}" for each in resolver.nameservers)


def _name(found: Name) -> str:
    return found.to_text(omit_final_dot=True)
