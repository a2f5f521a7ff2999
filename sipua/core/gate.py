"""Who may send a request through the proxy: registered, and challenged where that is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.auth.scheme import CHALLENGE_HEADERS
from sipua.core.call_faults import (
    BOTH,
    CHALLENGING,
    IN_FINAL,
    LONG,
    OTHER_REALM,
    STORM,
    TWO_REALMS,
    faults_of_method,
    invite_refusal,
    lengthened,
)
from sipua.core.challenger import ABSENT, ACCEPTED, Judgement
from sipua.core.identity import is_anonymous, preferred_uris
from sipua.core.reply import Reply, refusal
from sipua.core.restoration import Losses
from sipua.errors import LocalError, PeerError
from sipua.sip.grammar import is_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sipua.core.challenger import Challenger
    from sipua.core.faults import Faults
    from sipua.core.registrar import Registrar
    from sipua.core.subscriber import Directory, Subscriber
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

NEVER_CHALLENGED = ("ACK", "CANCEL")
"""Nobody could answer (RFC 3261 §22.1)."""

EVERY_METHOD = "*"

PROOF_HEADERS = {401: "Authentication-Info", 407: "Proxy-Authentication-Info"}


class Demand(NamedTuple):
    """How a request is challenged: 401 or 407, and the scheme; "" for the registrar's."""

    status: int
    scheme: str = ""


BY_407 = Demand(407)


class Passed(NamedTuple):
    """A request that may go on: whose it is, and the header lines that its final answer gets,
    such as what proves us to the sender."""

    caller: Subscriber
    lines: tuple[tuple[str, str], ...] = ()


def parse_demand(text: str) -> tuple[str, Demand]:
    """``METHOD=407`` or ``METHOD=401:SCHEME``; the method may be ``*``. Raises LocalError."""
    method, _, value = text.partition("=")
    status, _, scheme = value.partition(":")
    if status not in ("401", "407") or not is_token(method):
        raise LocalError(f'"{text}": expected METHOD=401, METHOD=407 or METHOD=407:SCHEME')
    return method.upper(), Demand(int(status), scheme)


class Gate:
    """Lets requests of registered subscribers through.

    ``demands`` says which methods are challenged, ``make`` gives the challenger
    for a header and a scheme.
    """

    def __init__(
        self,
        directory: Directory,
        registrar: Registrar,
        faults: Faults,
        demands: Mapping[str, Demand],
        make: Callable[[str, str], Challenger],
    ) -> None:
        """Raises LocalError for a method that cannot be challenged, or an unknown scheme."""
        self._directory = directory
        self._registrar = registrar
        self._faults = faults
        self._demands = dict(demands)
        self._make = make
        self._challengers: dict[Demand, Challenger] = {}
        self._losses = Losses(registrar)
        for method, demand in demands.items():
            if method in (*NEVER_CHALLENGED, "REGISTER"):
                raise LocalError(f"the proxy does not challenge {method}")
            if demand.status not in CHALLENGE_HEADERS:
                raise LocalError(f"{method} is challenged by 401 or 407, not by {demand.status}")
            self._challenger(demand)

    @property
    def realms(self) -> set[str]:
        """The realms whose credentials are for us, in lower case."""
        return self._directory.domains

    def challenges(self, request: Request) -> bool:
        """Whether requests of this method are challenged."""
        return self._demand_on(request.method) is not None

    def sender(self, request: Request, source: Hop, now: float) -> Subscriber:
        """The registered subscriber who sends a request, as From tells.

        Where From is anonymous (RFC 3323 §4.1.1.3) it is who is preferred in
        P-Preferred-Identity, or the one who registered from that very hop.
        Raises PeerError (403) for everybody else.
        """
        sender = self._directory.user_of(request)
        if sender is None and is_anonymous(request.from_):
            sender = self._unnamed(request, source, now)
        if sender is None:
            raise PeerError(f"{request.from_.uri} is not a subscriber", 403, "Not A Subscriber")
        bindings = self._registrar.bindings(sender.impi, now)
        if not any(each.source.address == source.address for each in bindings):
            raise PeerError(f"{request.from_.uri} is not registered from there", 403)
        return sender

    def _unnamed(self, request: Request, source: Hop, now: float) -> Subscriber | None:
        for uri in preferred_uris(request):
            known = self._directory.by_impu(uri)
            if known is not None:
                return known
        there = self._registrar.registered_from(source, now)
        return self._directory.by_impi(there[0]) if len(there) == 1 else None

    def pass_on(self, request: Request, source: Hop, now: float) -> Passed | Reply:
        """Let the request through, or say what to answer.

        Raises PeerError for a sender who is none of ours (403), and what
        ``Challenger.judge`` raises; StateError (card.errors) when the AuC's
        counter cannot be kept.
        """
        caller = self.sender(request, source, now)
        faults = self._faults.of(caller.identities)
        if faults:
            faults = faults_of_method(request.method, faults)
            refused = (
                refusal(faults, source)
                or self._losses.strike(caller, faults, source)
                or invite_refusal(faults, request, source)
            )
            if refused is not None:
                return refused
        lines: list[tuple[str, str]] = []
        demands = self._demands_on(request.method, faults)
        for demand in demands:
            challenger = self._challenger(demand)
            judgement = challenger.judge(caller, request, now, keep=demand is not demands[-1])
            if judgement.word != ACCEPTED or "challenge-loop" in faults or STORM in faults:
                return self._challenge(demand, caller, request, judgement, now, faults)
            if judgement.info:
                lines.append((PROOF_HEADERS[demand.status], judgement.info))
        if IN_FINAL in faults:
            nothing = Judgement(ABSENT)
            lines.append(self._challenger(BY_407).challenge(caller, request, nothing, now))
        return Passed(caller, tuple(lines))

    def _demand_on(self, method: str) -> Demand | None:
        if method in NEVER_CHALLENGED:
            return None
        return self._demands.get(method) or self._demands.get(EVERY_METHOD)

    def _demands_on(self, method: str, faults: Mapping[str, float]) -> list[Demand]:
        demand = self._demand_on(method)
        if BOTH in faults:
            scheme = demand.scheme if demand else ""
            return [Demand(407, scheme), Demand(401, scheme)]
        if demand is None and any(name in faults for name in CHALLENGING):
            return [BY_407]
        return [demand] if demand else []

    def _challenge(
        self,
        demand: Demand,
        caller: Subscriber,
        request: Request,
        judgement: Judgement,
        now: float,
        faults: Mapping[str, float],
    ) -> Reply:
        challenger = self._challenger(demand)
        lines = []
        if TWO_REALMS in faults:
            stranger = caller._replace(domain=OTHER_REALM)
            lines.append(challenger.challenge(stranger, request, judgement, now, faults))
        name, value = challenger.challenge(caller, request, judgement, now, faults)
        if LONG in faults:
            value = lengthened(value, faults[LONG])
        return Reply(demand.status, [*lines, (name, value)])

    def _challenger(self, demand: Demand) -> Challenger:
        if demand not in self._challengers:
            header = CHALLENGE_HEADERS[demand.status]
            self._challengers[demand] = self._make(header, demand.scheme)
        return self._challengers[demand]
