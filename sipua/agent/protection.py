"""IPsec of one user agent: what its requests say of it, and the way each of them goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse
from sipua.auth.algorithm import algorithm_of, session_keys
from sipua.ims.register_request import METHOD as REGISTER
from sipua.ipsec.choice import REQUIRE, check_mode, choose_engine
from sipua.ipsec.mechanisms import SERVER
from sipua.ipsec.place import close_place, open_place
from sipua.ipsec.suite import suites_named
from sipua.ipsec.terminal import TerminalSecurity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.auth.scheme import Outcome
    from sipua.net.network import Network
    from sipua.randomness import Randomness
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response


class Protection:
    """Joins the security agreement to the requests of a switchboard.

    In mode ``auto`` a network that answers an offer with a challenge and no
    Security-Server is registered with unprotected; ``require`` gives up there.
    """

    def __init__(
        self,
        network: Network,
        address: str,
        mode: str,
        rng: Randomness,
        mechanisms: Iterable[str] = (),
        old_kept: float = 32.0,
    ) -> None:
        """``old_kept`` is how many seconds old associations serve what began under them: 64*T1,
        as long as any transaction without a user lasts. Raises EngineError when this machine
        cannot do it, LocalError for an unknown mode or mechanism.
        """
        self._mode = check_mode(mode)
        choice = choose_engine(address, suites_named(mechanisms))
        self._network = network
        self._engine = choice.engine
        self._address = address
        self.security = TerminalSecurity(open_place(network, choice, address, rng))
        self.is_over = False
        self._old_kept = old_kept
        self._declined = False
        self._server_lines: list[str] = []
        self._finish_at: float | None = None

    @property
    def contact(self) -> tuple[str, int]:
        """Where requests are to reach us."""
        return self._address, self.security.server_port

    @property
    def told(self) -> str | None:
        """What protects, for people: engine and suite; None when nothing does."""
        suite = self.security.suite
        return f"{self._engine.name}, {suite}" if suite else None

    @property
    def counters(self) -> dict[str, int]:
        """Packets by what became of them."""
        return self._engine.counters()

    # What goes ------------------------------------------------------------------------

    def dress(
        self, request: Request, hop: Hop, sent_by: tuple[str, int]
    ) -> tuple[Hop, tuple[str, int]]:
        """Add what a request says of the agreement; its hop, and host and port for Via."""
        if self._declined:
            return hop, sent_by
        security = self.security
        if request.method == REGISTER:
            lines, way = security.answering(), security.answering_hop(hop)
        else:
            lines, way = security.protecting(), self.way(hop)
        for name, value in lines:
            request.headers.add(name, value)
        return way, sent_by if way == hop and hop.local is None else self.contact

    def way(self, hop: Hop) -> Hop:
        """Where everything but REGISTER goes, ACK too: to the ports in use now, whatever a route
        of before says."""
        return hop if self._declined else self.security.hop(hop)

    # What comes -----------------------------------------------------------------------

    def heard(self, response: Response) -> None:
        """Note the final response to a REGISTER."""
        if response.status == 401:
            self._server_lines = response.headers.all(SERVER)

    def challenged(self, outcome: Outcome, algorithm: str, hop: Hop, now: float) -> None:
        """The card has answered the challenge to a REGISTER.

        Raises SecurityAgreementError or LocalError when the registration is to
        be abandoned.
        """
        if self._declined:
            return
        if not isinstance(outcome, AkaResponse):
            self.security.failed(now)
        elif not self._server_lines and self._mode != REQUIRE:
            self.security.close(now)
            self._declined = True
        else:
            ck, ik = session_keys(algorithm_of(algorithm), outcome)
            self.security.challenged(self._server_lines, ck, ik, hop, now)

    def accepted(self, hop: Hop, expires: float, now: float) -> Hop:
        """Registered; the hop of everything from now on."""
        if self._declined:
            return hop
        self.security.accepted(expires, now)
        self._finish_at = now + self._old_kept
        return self.security.hop(hop)

    def unanswered(self, now: float) -> None:
        """The REGISTER came to nothing for now: what it was to confirm is no more, and the next
        one offers anew (TS 33.203 §7.3.1.4).
        """
        if not self._declined:
            self.security.refused(now)

    def ended(self, now: float) -> None:
        """The registration is over, or never was: the next one begins anew, at other ports.

        The network may remember the old ones, and who comes unprotected cannot
        prove that they are his.
        """
        self.security.close(now)
        self.is_over = True

    # Time -----------------------------------------------------------------------------

    def earlier(self, deadline: float | None) -> float | None:
        """This or the time at which ``tick`` has something to do, whichever is first."""
        times = [
            each
            for each in (deadline, self.security.deadline(), self._finish_at)
            if each is not None
        ]
        return min(times, default=None)

    def tick(self, now: float) -> None:
        """Let go of what has run out."""
        self.security.tick(now)
        if self._finish_at is not None and now >= self._finish_at:
            self._finish_at = None
            self.security.finished(now)

    def close(self, now: float) -> None:
        """Take everything down."""
        self.security.close(now)
        close_place(self._network, self._engine)
