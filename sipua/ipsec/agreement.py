"""What both ends of a security agreement have in common: ports, SPIs, an engine, a life.

Here the sans-I/O parts meet the engine and the protected ports, which come in
as arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.associations import Install, SecurityAssociations, new_spis
from sipua.ipsec.errors import SecurityAgreementError
from sipua.ipsec.keys import expand

if TYPE_CHECKING:
    from sipua.ipsec.place import Place
    from sipua.ipsec.suite import Suite


class Agreement:
    """One peer's agreement with us, renewed by each challenge.

    ``life`` tells which associations there are. Each set has a client port of
    its own on both sides, so no two ever share a flow.
    """

    def __init__(self, place: Place, *, sends_early: bool) -> None:
        """``sends_early``: the first packet of a new set is ours, as a user agent's REGISTER is."""
        self.life = SecurityAssociations()
        self._place = place
        self._sends_early = sends_early
        self._offered: Side | None = None
        self._installed: set[AssociationSet] = set()

    def new_side(self, avoid: tuple[int, ...] = ()) -> Side:
        """Our side of what is to be agreed next; raises LocalError without a free port.

        ``avoid`` are SPIs of the peer's. One that came to nothing is given up.
        """
        place = self._place
        self._drop_offer()
        port = place.ports.open_client(place.address, place.server_port)
        spis = new_spis(place.rng, (*self.life.spis, *avoid))
        self._offered = Side(place.address, port, place.server_port, *spis)
        return self._offered

    def agree(self, theirs: Side, suite: Suite, ck: bytes, ik: bytes, now: float) -> AssociationSet:
        """Put the associations with ``theirs`` to work, as temporary ones.

        Ours is what ``new_side`` gave; after a second challenge to the same offer
        it is that of the first. Raises SecurityAgreementError when both sides
        have the same SPI, or theirs has one that is in use, LocalError when it
        cannot be done; nothing temporary is left then.
        """
        ours = self._offered
        if ours is None:
            assert self.life.temporary is not None
            ours = self.life.temporary.ours
        if ours.spis & theirs.spis:
            raise SecurityAgreementError("both sides chose the same SPI (TS 33.203 §7.1)")
        kept = [each for each in (self.life.in_use, *self.life.old) if each is not None]
        if any(each.theirs.spis & theirs.spis for each in kept):
            raise SecurityAgreementError("an SPI that is in use was chosen again")
        agreed = AssociationSet(ours, theirs, suite, expand(suite, ck, ik))
        self._offered = None
        self.life.agreed(agreed, now)
        try:
            self._act()
        except LocalError:
            self.failed(now)
            raise
        return agreed

    def failed(self, now: float) -> None:
        """Note AUTS, a wrong MAC, or that there was nothing to agree to."""
        self.life.failed(now)
        self._act()

    def accepted(self, expires: float, now: float) -> None:
        """Note a 200 that grants ``expires`` seconds."""
        confirmed = self.life.temporary
        self.life.accepted(expires, now)
        if confirmed is not None and not self._sends_early:
            self._join(confirmed)
        self._act()

    def refused(self, now: float) -> None:
        """Note a refusal, or silence."""
        self.life.refused(now)
        self._act()

    def finished(self, now: float) -> None:
        """Let go of the older sets."""
        self.life.finished(now)
        self._act()

    def tick(self, now: float) -> None:
        """Let go of what has run out."""
        self.life.tick(now)
        self._act()

    def close(self, now: float) -> None:
        """Let go of everything."""
        self.life.close(now)
        self._act()
        self._drop_offer()

    def _act(self) -> None:
        engine = self._place.engine
        for action in self.life.take_actions():
            if isinstance(action, Install):
                engine.install(action.associations)
                for each in action.associations.inbound:
                    self._place.ports.expect(each.source, each.destination)
                self._installed.add(action.associations)
                if self._sends_early:
                    self._join(action.associations)
            else:
                self._part(action.associations)
                engine.remove(action.associations)

    def _join(self, agreed: AssociationSet) -> None:
        for each in agreed.outbound:
            self._place.ports.join(each.source, each.destination)

    def _part(self, agreed: AssociationSet) -> None:
        ports, life = self._place.ports, self.life
        for each in agreed.outbound:
            ports.part(each.source, each.destination)
        if agreed in self._installed:
            self._installed.remove(agreed)
            for each in agreed.inbound:
                ports.forget(each.source, each.destination)
        port = agreed.ours.port_c
        others = (life.temporary, life.in_use, *life.old)
        if not any(each is not None and each.ours.port_c == port for each in others):
            ports.close_client(agreed.ours.address, port)

    def _drop_offer(self) -> None:
        if self._offered is not None:
            self._place.ports.close_client(self._offered.address, self._offered.port_c)
            self._offered = None
