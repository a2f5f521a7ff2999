"""The network's side of the security agreement: what a P-CSCF does before and after a registrar.

It sees every request before registrar and proxy, and the registrar's answer
before it leaves (TS 24.229 §5.2.2, TS 33.203 §7.2, RFC 3329).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.algorithm import algorithm_of, session_keys
from sipua.core.contact_events import BY_NETWORK
from sipua.core.reply import Reply, complaint, own_uri
from sipua.core.session_keys import take_session_keys
from sipua.errors import LocalError, NetworkError, PeerError
from sipua.ipsec.agreement import Agreement
from sipua.ipsec.associations import AWAIT_AUTHENTICATION
from sipua.ipsec.errors import SecurityAgreementError
from sipua.ipsec.mechanisms import (
    CLIENT,
    IPSEC_3GPP,
    OPTION_TAG,
    SERVER,
    VERIFY,
    choose,
    parse,
    same_list,
    write,
)
from sipua.sip.headers import NameAddr

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.contact_events import Changes
    from sipua.ipsec.association import AssociationSet, Side
    from sipua.ipsec.mechanisms import Chosen
    from sipua.ipsec.place import Place
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

    Answer = Callable[[Request, Hop, float], Reply]

LINGER = 32.0
"""Seconds for which associations that have ended still carry the answer that ended them: 64*T1."""

OLD_KEPT = 128.0
"""Seconds for which old associations serve what began under them: 64*T1 of a terminal on a radio
link (TS 24.229 table 7.8), the longest that a transaction lasts which no user drives."""

MAX_TERMINALS = 256
"""Agreements at a time, each of which holds a port or two of ours."""


class _Terminal:
    """One user agent. ``offer`` is what it proposed last, not yet agreed to."""

    __slots__ = (
        *("address", "agreement", "chosen", "client", "leaving_at", "old_until", "servers"),
    )

    def __init__(self, address: str, place: Place) -> None:
        self.address = address
        self.agreement = Agreement(place, sends_early=False)
        self.client: list[str] = []
        self.chosen: Chosen | None = None
        self.servers: dict[AssociationSet, str] = {}
        self.leaving_at: float | None = None
        self.old_until = 0.0

    def finish(self, until: float, now: float) -> None:
        """Nothing needs the old associations any more, if none have become old meanwhile."""
        if until == self.old_until:
            self.agreement.finished(now)


class Pcscf:
    """Agrees on security with each user agent, and lets nothing pass that is not as agreed.

    With ``required`` nobody registers without.
    """

    def __init__(self, place: Place, *, required: bool) -> None:
        self._place = place
        self._required = required
        self._terminals: dict[tuple[str, int], _Terminal] = {}
        self._later: list[tuple[float, Callable[[float], None]]] = []

    @property
    def server(self) -> tuple[str, int]:
        """Our address and protected port."""
        return self._place.address, self._place.server_port

    def is_protected(self, source: Hop) -> bool:
        """Whether a message came to our protected port."""
        return source.local == self.server and source.transport in ("UDP", "TCP")

    # REGISTER -------------------------------------------------------------------------

    def register(self, request: Request, source: Hop, now: float, answer: Answer) -> Reply:
        """The registrar's ``answer`` to a REGISTER, with what the agreement adds to it.

        Raises PeerError for what is not as agreed.
        """
        try:
            terminal = self._examine(request, source, now)
        except SecurityAgreementError as error:
            return self._refusal(error)
        _take_out(request)
        request.headers.add("Path", f"<{own_uri(source, 'term')};lr>")  # RFC 3327 §5.2
        reply = answer(request, source, now)
        if terminal is not None:
            return self._settle(terminal, reply, source, now)
        return _without_keys(reply)[0]

    def _examine(self, request: Request, source: Hop, now: float) -> _Terminal | None:
        """Whose REGISTER this is; None for one without any agreement."""
        client = request.headers.all(CLIENT)
        if not self.is_protected(source):
            if client:
                return self._new_terminal(client, source, now)
            if self._required:
                raise SecurityAgreementError("a security agreement is required here", 421)
            return None
        terminal = self._terminals.get((source.address, source.port))
        if terminal is None:
            raise PeerError("no agreement leads from that port", 403)
        used = self._set_of(terminal, source)
        if not same_list([terminal.servers[used]], request.headers.all(VERIFY)):
            raise SecurityAgreementError("Security-Verify is not what Security-Server was")
        if used == terminal.agreement.life.temporary:
            if not same_list(terminal.client, client):
                raise SecurityAgreementError("Security-Client has changed since the challenge")
        else:
            self._note_offer(terminal, client, now)
        return terminal

    def _new_terminal(self, client: list[str], source: Hop, now: float) -> _Terminal:
        if len(self._terminals) >= MAX_TERMINALS:
            raise PeerError("too many security agreements", 503)
        terminal = _Terminal(source.address, self._place)
        self._note_offer(terminal, client, now)
        return terminal

    def _note_offer(self, terminal: _Terminal, client: list[str], now: float) -> None:
        """Our own list counts, in its order (RFC 3329 §2.2: it does not depend on the client's)."""
        listed = parse(client)
        for suite in self._place.suites:
            try:
                chosen = choose(listed, (suite,), terminal.address)
            except SecurityAgreementError:
                continue
            self._clear_ports(terminal, chosen.theirs, now)
            self._check_spis(terminal, chosen.theirs)
            terminal.chosen, terminal.client = chosen, client
            return
        choose(listed, self._place.suites, terminal.address)  # raises, and tells why

    def _clear_ports(self, terminal: _Terminal, theirs: Side, now: float) -> None:
        """Nobody takes the ports of another behind the same address (TS 33.203 §7.2).

        Those of an agreement that was not confirmed are free again: a terminal
        which reports AUTS comes unprotected once more. So are those of one that has
        ended, and lingers only for who has missed the answer.
        """
        ports = {theirs.port_c, theirs.port_s}
        for other in set(self._terminals.values()):
            if other is terminal or other.address != terminal.address:
                continue
            if not any(ports & {each.theirs.port_c, each.theirs.port_s} for each in other.servers):
                continue
            if other.agreement.life.in_use is not None and other.leaving_at is None:
                raise PeerError("these ports are protected for somebody else", 403)
            other.agreement.close(now)
            self._forget(other)

    def _check_spis(self, terminal: _Terminal, theirs: Side) -> None:
        """At one address an SPI is one association (RFC 4301 §4.1): a kernel would take another
        one for the first. The temporary set is about to be replaced.
        """
        for other in {terminal, *self._terminals.values()}:
            if other.address == terminal.address:
                kept = set(other.servers) - {terminal.agreement.life.temporary}
                if any(each.theirs.spis & theirs.spis for each in kept):
                    raise PeerError("these SPIs are in use", 403)

    def _forget(self, terminal: _Terminal) -> None:
        for place in [each for each, known in self._terminals.items() if known is terminal]:
            del self._terminals[place]

    def _set_of(self, terminal: _Terminal, source: Hop) -> AssociationSet:
        life = terminal.agreement.life
        for each in (life.temporary, life.in_use, *life.old):
            if each is not None and each.theirs.client == (source.address, source.port):
                return each
        raise PeerError("the associations of that port are gone", 403)

    def _settle(self, terminal: _Terminal, reply: Reply, source: Hop, now: float) -> Reply:
        reply, keys = _without_keys(reply)
        if reply.status == 401 and keys is not None:
            try:
                return self._challenge(terminal, reply, keys, now)
            except (LocalError, NetworkError) as error:  # no port is left, the engine fails
                raise PeerError(str(error), 503) from None
        if reply.status == 200:
            self._accepted(terminal, reply, now)
        else:
            temporary = terminal.agreement.life.temporary
            if temporary is not None:
                self._later.append((now + LINGER, _Unless(terminal, temporary)))
        return reply

    def _challenge(
        self, terminal: _Terminal, reply: Reply, keys: tuple[bytes, bytes], now: float
    ) -> Reply:
        assert terminal.chosen is not None
        suite, theirs = terminal.chosen
        ours = terminal.agreement.new_side((theirs.spi_c, theirs.spi_s))
        agreed = terminal.agreement.agree(theirs, suite, *keys, now)
        line = write(self._place.suites, ours, preferences=True)
        terminal.servers[agreed] = line
        self._terminals[theirs.client] = terminal
        if terminal.leaving_at is not None:  # who is coming back has time to answer
            terminal.leaving_at = max(terminal.leaving_at, now + AWAIT_AUTHENTICATION)
        return reply._replace(headers=[(SERVER, line), *reply.headers])

    def _accepted(self, terminal: _Terminal, reply: Reply, now: float) -> None:
        expires = _granted(reply)
        if expires:
            terminal.agreement.accepted(expires, now)
            terminal.leaving_at = None
            until = terminal.old_until = now + OLD_KEPT
            self._later.append((until, lambda at: terminal.finish(until, at)))
        else:
            terminal.leaving_at = now + LINGER

    def _refusal(self, error: SecurityAgreementError) -> Reply:
        """With what we can do; ports and SPIs are told only where they are agreed on."""
        listed = ", ".join(
            f"{IPSEC_3GPP};alg={suite.alg};ealg={suite.ealg}" for suite in self._place.suites
        )
        told = complaint(error).headers
        return Reply(error.status, [(SERVER, listed), ("Require", OPTION_TAG), *told])

    # Other requests -------------------------------------------------------------------

    def admit(self, request: Request, source: Hop) -> None:
        """Let a request pass, without what was for us alone; raises PeerError (403, 494)."""
        if self.is_protected(source):
            terminal = self._terminals.get((source.address, source.port))
            if terminal is None:
                raise PeerError("no agreement leads from that port", 403)
            used = self._set_of(terminal, source)
            if used == terminal.agreement.life.temporary:
                raise PeerError("these associations are for REGISTER until it is accepted", 403)
            verify = request.headers.all(VERIFY)
            if verify and not same_list([terminal.servers[used]], verify):
                raise SecurityAgreementError("Security-Verify is not what Security-Server was")
        elif self._required or self._has_agreed(source.address):
            raise PeerError("this must come protected (TS 33.203 §7.3.2)", 403)
        _take_out(request)

    def _has_agreed(self, address: str) -> bool:
        return any(
            each.address == address and each.agreement.life.in_use
            for each in self._terminals.values()
        )

    def registrations_changed(self, changes: Changes, now: float) -> None:
        """Note whom the network has let go of: his associations are of use for so long only as
        he may be told of it (TS 24.229 §5.2.5.2)."""
        for each in changes.contacts:
            source = each.binding.source
            terminal = self._terminals.get((source.address, source.port))
            if (
                each.event in BY_NETWORK
                and terminal is not None
                and self.is_protected(source)
                and terminal.leaving_at is None
            ):
                terminal.leaving_at = now + LINGER

    # Time -----------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Let go of what has run out."""
        due = [call for at, call in self._later if at <= now]
        self._later = [each for each in self._later if each[0] > now]
        for call in due:
            call(now)
        for place, terminal in list(self._terminals.items()):
            terminal.agreement.tick(now)
            if terminal.leaving_at is not None and terminal.leaving_at <= now:
                terminal.agreement.close(now)
            life = terminal.agreement.life
            kept = (life.temporary, life.in_use, *life.old)
            terminal.servers = {
                each: line for each, line in terminal.servers.items() if each in kept
            }
            if not any(each.theirs.client == place for each in terminal.servers):
                del self._terminals[place]

    def close(self, now: float) -> None:
        """Let go of everything."""
        for terminal in self._terminals.values():
            terminal.agreement.close(now)
        self._terminals.clear()
        self._later.clear()


class _Unless:
    """Gives a temporary set up, unless something else has taken its place by then."""

    def __init__(self, terminal: _Terminal, associations: AssociationSet) -> None:
        self._terminal = terminal
        self._associations = associations

    def __call__(self, now: float) -> None:
        agreement = self._terminal.agreement
        if agreement.life.temporary == self._associations:
            agreement.refused(now)


def _take_out(request: Request) -> None:
    """Remove what was between the user agent and us (RFC 3329 §2.3.1, TS 24.229 §5.2.2)."""
    headers = request.headers
    for name in (CLIENT, VERIFY):
        headers.remove(name)
    for name in ("Require", "Proxy-Require"):
        left = [value for value in headers.values(name) if value.lower() != OPTION_TAG]
        headers.remove(name)
        if left:
            headers.add(name, ", ".join(left))


def _without_keys(reply: Reply) -> tuple[Reply, tuple[bytes, bytes] | None]:
    """The reply without ck and ik, which are not for the air; and those (TS 24.229 §5.2.2)."""
    keys = None
    lines = []
    for name, value in reply.headers:
        if name != "WWW-Authenticate":
            lines.append((name, value))
            continue
        kept, response, algorithm = take_session_keys(value)
        if response is not None:
            keys = session_keys(algorithm_of(algorithm), response)
        lines.append((name, kept))
    return reply._replace(headers=lines), keys


def _granted(reply: Reply) -> float:
    """Seconds of the longest binding in a 200."""
    longest = 0
    for name, value in reply.headers:
        if name == "Contact":
            longest = max(longest, int(NameAddr.parse(value).params.get("expires") or 0))
    return float(longest)
