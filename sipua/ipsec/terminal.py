"""The user agent's side of the security agreement (TS 33.203 §7.2, TS 24.229 §5.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ipsec.agreement import Agreement
from sipua.ipsec.errors import SecurityAgreementError
from sipua.ipsec.mechanisms import CLIENT, OPTION_TAG, VERIFY, choose, parse, write
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.ipsec.association import AssociationSet
    from sipua.ipsec.place import Place

Lines = list[tuple[str, str]]

_AGREEING = [("Require", OPTION_TAG), ("Proxy-Require", OPTION_TAG), ("Supported", OPTION_TAG)]


class TerminalSecurity:
    """Writes the header lines, and knows by which hop each request goes.

    ``server_port`` stands in Contact and Via of everything.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._agreement = Agreement(place, sends_early=True)
        self._client = ""
        self._servers: dict[AssociationSet, list[str]] = {}
        self.server_port = place.server_port

    # Header lines ---------------------------------------------------------------------

    def opening(self) -> Lines:
        """For a REGISTER that begins an attempt, or reports AUTS or a wrong MAC: a new offer.

        Raises LocalError when no port is free.
        """
        place = self._place
        self._client = write(place.suites, self._agreement.new_side())
        return [*_AGREEING, (CLIENT, self._client), *self._verify(self._agreement.life.in_use)]

    def answering(self) -> Lines:
        """For the REGISTER that answers a challenge: the same offer, and what was heard of it.

        Without temporary associations the answer is AUTS or an empty one, and
        begins anew (TS 24.229 §5.1.1.5.3).
        """
        temporary = self._agreement.life.temporary
        if temporary is None:
            return self.opening()
        return [*_AGREEING, (CLIENT, self._client), *self._verify(temporary)]

    def protecting(self) -> Lines:
        """For every other request (TS 24.229 §5.1.2A.1.1)."""
        in_use = self._agreement.life.in_use
        return [*_AGREEING, *self._verify(in_use)] if in_use is not None else []

    def _verify(self, associations: AssociationSet | None) -> Lines:
        """The whole list as it was received, line for line."""
        if associations is None:
            return []
        return [(VERIFY, line) for line in self._servers[associations]]

    # Ways -----------------------------------------------------------------------------

    def answering_hop(self, hop: Hop) -> Hop:
        """Where the answer to a challenge goes: by the temporary associations if there are."""
        temporary = self._agreement.life.temporary
        return self.hop(hop) if temporary is None else _protected(temporary, hop)

    def hop(self, hop: Hop) -> Hop:
        """Where everything else goes; ``hop`` as it is while nothing is agreed."""
        in_use = self._agreement.life.in_use
        return hop if in_use is None else _protected(in_use, hop)

    @property
    def is_protected(self) -> bool:
        """Whether associations are in use."""
        return self._agreement.life.in_use is not None

    @property
    def suite(self) -> str:
        """Name of the suite in use, "" without."""
        in_use = self._agreement.life.in_use
        return "" if in_use is None else in_use.suite.name

    # What happens ---------------------------------------------------------------------

    def challenged(self, server: Sequence[str], ck: bytes, ik: bytes, hop: Hop, now: float) -> None:
        """The card has accepted a 401 of ``hop`` with these Security-Server lines.

        ``ck`` and ``ik`` are those that protect (``session_keys``). Raises
        SecurityAgreementError when there is nothing to agree to, and the
        registration is to be abandoned (TS 33.203 §7.3.2.2); LocalError when
        this machine cannot do what was agreed.
        """
        try:
            if not self._client:
                raise SecurityAgreementError("a challenge before any offer")
            chosen = choose(parse(server), self._place.suites, hop.address)
            agreed = self._agreement.agree(chosen.theirs, chosen.suite, ck, ik, now)
        except Exception:
            self._agreement.failed(now)
            raise
        self._servers[agreed] = list(server)
        self._forget_servers()

    def failed(self, now: float) -> None:
        """The card answered AUTS, or refused the MAC: nothing is set up."""
        self._agreement.failed(now)

    def accepted(self, expires: float, now: float) -> None:
        """The REGISTER was answered 200, granting ``expires`` seconds."""
        self._agreement.accepted(expires, now)
        self._forget_servers()

    def refused(self, now: float) -> None:
        """The REGISTER was refused, or never answered."""
        self._agreement.refused(now)

    def finished(self, now: float) -> None:
        """No transaction uses the older associations."""
        self._agreement.finished(now)
        self._forget_servers()

    def deadline(self) -> float | None:
        """When ``tick`` is wanted."""
        return self._agreement.life.deadline()

    def tick(self, now: float) -> None:
        """Let go of what has run out."""
        self._agreement.tick(now)

    def close(self, now: float) -> None:
        """Let go of everything: de-registered, or the end."""
        self._agreement.close(now)
        self._servers.clear()
        self._client = ""

    def _forget_servers(self) -> None:
        life = self._agreement.life
        kept = (life.temporary, life.in_use, *life.old)
        self._servers = {each: lines for each, lines in self._servers.items() if each in kept}


def _protected(associations: AssociationSet, hop: Hop) -> Hop:
    """To the peer's server port from our client port, by the transport of ``hop``."""
    return Hop(hop.transport, *associations.theirs.server, associations.ours.client)
