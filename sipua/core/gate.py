"""Who may send a request through the proxy: registered, and challenged where that is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.auth.scheme import CHALLENGE_HEADERS, CREDENTIALS_HEADERS
from sipua.core.challenger import ACCEPTED, Challenger
from sipua.core.reply import Reply, refusal
from sipua.errors import LocalError, ParseError, PeerError
from sipua.sip.grammar import is_token
from sipua.sip.headers import split_challenges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        self._challengers: dict[Demand, Challenger] = {}
        for method, demand in demands.items():
            if method in (*NEVER_CHALLENGED, "REGISTER"):
                raise LocalError(f"the proxy does not challenge {method}")
            if demand.status not in CHALLENGE_HEADERS:
                raise LocalError(f"{method} is challenged by 401 or 407, not by {demand.status}")
            if demand not in self._challengers:
                header = CHALLENGE_HEADERS[demand.status]
                self._challengers[demand] = make(header, demand.scheme)

    def challenges(self, request: Request) -> bool:
        """Whether requests of this method are challenged."""
        return request.method not in NEVER_CHALLENGED and (
            request.method in self._demands or EVERY_METHOD in self._demands
        )

    def pass_on(self, request: Request, source: Hop, now: float) -> Passed | Reply:
        """Let the request through, or say what to answer.

        Raises PeerError for a sender who is none of ours (403), and what
        ``Challenger.judge`` raises; StateError (card.errors) when the AuC's
        counter cannot be kept.
        """
        caller = self._directory.user_of(request)
        if caller is None:
            raise PeerError(f"{request.from_.uri} is not a subscriber", 403, "Not A Subscriber")
        faults = self._faults.of(caller.identities)
        refused = refusal(faults, source) if faults else None
        if refused is not None:
            return refused
        bindings = self._registrar.bindings(caller.impi, now)
        if not any(each.source.address == source.address for each in bindings):
            raise PeerError(f"{request.from_.uri} is not registered from there", 403)
        if not self.challenges(request):
            return Passed(caller)
        demand = self._demands.get(request.method) or self._demands[EVERY_METHOD]
        challenger = self._challengers[demand]
        judgement = challenger.judge(caller, request, now)
        if judgement.word != ACCEPTED or "challenge-loop" in faults:
            return Reply(
                demand.status, [challenger.challenge(caller, request, judgement, now, faults)]
            )
        _remove_credentials(request, demand.status, caller.domain)
        info = judgement.info
        return Passed(caller, ((PROOF_HEADERS[demand.status], info),) if info else ())


def _remove_credentials(request: Request, status: int, realm: str) -> None:
    """Take out what was for us; credentials for another realm are another's (RFC 3261 §22.3)."""
    header = CREDENTIALS_HEADERS[CHALLENGE_HEADERS[status]]
    others = [value for value in request.headers.all(header) if _realm(value) not in (realm, None)]
    request.headers.remove(header)
    for value in others:
        request.headers.add(header, value)


def _realm(credentials: str) -> str | None:
    try:
        return split_challenges(credentials)[0].get("realm")
    except ParseError:
        return None
