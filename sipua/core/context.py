"""The response context: a request, its branches, and the one answer they come to.

RFC 3261 §16.2 to §16.7. Provisional responses and each 2xx go back at once; of
the others the best one, when nothing more is to come.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.core.best import Candidate, best
from sipua.core.branch import (
    SILENCE,
    UNANSWERED,
    UNREACHABLE,
    WITHDRAWAL,
    Branch,
    stimulus_of,
)
from sipua.core.invite_branch import InviteBranch
from sipua.core.reply import Reply, written
from sipua.core.rewriting import onward_response
from sipua.errors import LocalError, NetworkError
from sipua.sip.endpoint import ResponseReceived, TransactionTimeout
from sipua.sip.transaction.client import ClientTransaction
from sipua.sip.transaction.machine import START, TERMINATED, TRANSPORT_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.routing import Way
    from sipua.sip.endpoint import Endpoint, ServerTransaction, TransportFailed
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response

    Compose = Callable[[Way, tuple[str, int]], Request]
    Lines = tuple[tuple[str, str], ...]


class Contexts:
    """All requests that are on their way."""

    def __init__(self, endpoint: Endpoint, local_address: Callable[[Hop], tuple[str, int]]) -> None:
        """``local_address`` gives our own address and port towards a hop."""
        self.endpoint = endpoint
        self.local_address = local_address
        self.by_server: dict[ServerTransaction, Context] = {}
        self.by_client: dict[ClientTransaction, Branch] = {}

    def add(self, transaction: ServerTransaction, request: Request, lines: Lines) -> Context:
        """A context for this request; ``lines`` are added to its final response."""
        context = self.by_server[transaction] = Context(self, transaction, request, lines)
        return context

    def take(
        self, event: ResponseReceived | TransactionTimeout | TransportFailed, now: float
    ) -> None:
        """Have the branch that an event is about do what follows from it.

        A response of ours that could not be delivered changes nothing (§16.9).
        """
        if not isinstance(event.transaction, ClientTransaction):
            return
        branch = self.by_client.get(event.transaction)
        if branch is None:
            return
        if isinstance(event, ResponseReceived):
            branch.feed(stimulus_of(event.response.status), now, event.response)
        elif isinstance(event, TransactionTimeout):
            branch.feed(SILENCE, now)
        else:
            branch.feed(TRANSPORT_ERROR, now)

    def cancel(self, transaction: ServerTransaction, cancel: Request, now: float) -> None:
        """Cancel what is still pending of this INVITE (§16.10)."""
        context = self.by_server.get(transaction)
        if context is not None:
            context.is_cancelled = True
            context.cancel(cancel.headers.all("Reason"), now)


class Context:
    """One request on its way to all its targets.

    ``is_cancelled`` tells that its sender does not want it any more, ``reasons``
    what Reason says in each CANCEL of ours.
    """

    __slots__ = (
        "_answered",
        "_branches",
        "_candidates",
        "_contexts",
        "_lines",
        "_request",
        "_transaction",
        "endpoint",
        "is_cancelled",
        "reasons",
    )

    def __init__(
        self, contexts: Contexts, transaction: ServerTransaction, request: Request, lines: Lines
    ) -> None:
        self.endpoint = contexts.endpoint
        self.is_cancelled = False
        self.reasons: list[str] = []
        self._contexts = contexts
        self._transaction = transaction
        self._request = request
        self._lines = lines
        self._answered = False
        self._branches: list[Branch] = []
        self._candidates: list[Candidate] = []

    def send(self, ways: list[Way], compose: Compose, now: float) -> None:
        """Send the request all ways at a time, as ``compose`` writes it for each."""
        kind = InviteBranch if self._request.method == "INVITE" else Branch
        for way in ways:
            try:
                sent_by = self._contexts.local_address(way.hop)
                onward = compose(way, sent_by)
                client = self.endpoint.send_request(onward, way.hop, sent_by, now)
            except NetworkError:  # the connection by which this contact registered is gone
                self._candidates.append(self._own(UNREACHABLE))
                continue
            branch = kind(self.endpoint, self, client, way)
            self._branches.append(branch)
            self._contexts.by_client[client] = branch
            branch.feed(START, now)
        if not self._branches:
            self._contexts.by_server.pop(self._transaction)
            self._answer(best(self._candidates), now)

    def cancel(self, reasons: list[str], now: float) -> None:
        """Cancel every branch that is pending; those which are not pass it over."""
        self.reasons = reasons
        for branch in self._branches:
            branch.feed(WITHDRAWAL, now)

    def forward(self, response: Response, branch: Branch, now: float) -> None:
        """Pass on a provisional response or a 2xx."""
        is_final = response.status >= 200
        if self._answered and not (is_final and self._request.method == "INVITE"):
            return
        self._answered = self._answered or is_final
        self._respond(onward_response(response, branch.way.callee), now)

    def keep(self, response: Response, branch: Branch, now: float) -> None:
        """Take a final response into account."""
        self._consider(Candidate(onward_response(response, branch.way.callee)), now)

    def keep_own(self, status: int, now: float) -> None:
        """Take into account that a branch has ended without a final response."""
        if self.is_cancelled and status == UNANSWERED:
            status = 487  # as the caller wished, whatever became of our CANCEL
        self._consider(self._own(status), now)

    def forget(self, branch: Branch) -> None:
        """Let go of a branch that has ended, and of everything with the last one."""
        self._contexts.by_client.pop(branch.client, None)
        if self._is_over:
            self._contexts.by_server.pop(self._transaction, None)

    @property
    def _is_over(self) -> bool:
        return all(branch.state is TERMINATED for branch in self._branches)

    def _own(self, status: int) -> Candidate:
        return Candidate(written(self.endpoint, self._request, Reply(status)), is_own=True)

    def _consider(self, candidate: Candidate, now: float) -> None:
        self._candidates.append(candidate)
        if not self._answered and self._is_over:
            self._answered = True
            self._answer(best(self._candidates), now)

    def _answer(self, response: Response, now: float) -> None:
        if response.status == UNANSWERED and self._request.method != "INVITE":
            self.endpoint.abandon(self._transaction)  # too late for anybody (RFC 4320 §4.2)
            return
        if response.status == 503:  # of the callee's, and not of ours (§16.7 step 6)
            response = written(self.endpoint, self._request, Reply(500))
        self._respond(response, now)

    def _respond(self, response: Response, now: float) -> None:
        if response.status >= 200:
            for name, value in self._lines:
                response.headers.add(name, value)
        with suppress(LocalError):  # answered already, or not to be written
            self.endpoint.respond(self._transaction, response, now)
