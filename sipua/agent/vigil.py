"""Keeps watch over a registration that is to stay: renews it, and says when it has to be made
anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.agent.conversation import earliest
from sipua.agent.surroundings import ASLEEP, MOVED, OFFLINE, Surroundings
from sipua.ims.registration import Registration
from sipua.ims.table import State
from sipua.result import RegistrationResult
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.agent.reg_event_watch import RegEventWatch
    from sipua.agent.restoration import Restoration
    from sipua.ims.reg_event import ContactChanged
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop
    from sipua.sip.stun import StunKeepAlive


class Vigil:
    """Over ``standing``, whose result ends when the registration is lost.

    ``anew`` tells then whether it is to be made again whatever the user said of
    trying, after ``rest`` seconds.
    """

    def __init__(
        self,
        standing: Conversation[Registration],
        equipment: Equipment,
        settings: AgentSettings,
        restoration: Restoration,
    ) -> None:
        self.standing = standing
        self.anew = False
        self.rest = 0.0
        self._equipment = equipment
        self._settings = settings
        self._restoration = restoration
        driver = equipment.switchboard().driver
        self._surroundings = Surroundings(driver.network, standing.hop, driver.clock())
        self._watch: RegEventWatch | None = None
        self._is_over = False
        standing.keep_alive()
        self._stun: StunKeepAlive | None = None
        if settings.stun and standing.hop.transport == "UDP":
            from sipua.sip.stun import StunKeepAlive

            self._stun = StunKeepAlive(equipment.rng, driver.clock())
            driver.on_stun = self._heard_stun
        if settings.reg_event:
            from sipua.agent.reg_event_watch import RegEventWatch

            self._watch = RegEventWatch(equipment, settings, standing, self._heed)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        watch = self._watch.deadline() if self._watch is not None else None
        stun = self._stun.deadline() if self._stun is not None else None
        restoration = None if self._is_over else self._restoration.at
        return earliest(self.standing.deadline(), self._surroundings.at, watch, stun, restoration)

    def tick(self, now: float) -> None:
        """Let time pass."""
        self.standing.tick(now)
        if self._watch is not None:
            self._watch.tick(now)
        if self._stun is not None:
            self._keep_flow(self._stun, now)
        if self._restoration.is_due(now) and not self._is_over:
            self._begin_anew(self._restoration.why)
        self._look_around(now)

    def end(self) -> None:
        """What the network says from now on is our own doing."""
        self._is_over = True

    def _heard_stun(self, data: bytes, source: Hop) -> None:
        if self._stun is not None and source[:3] == self.standing.hop[:3]:
            self._stun.received(data, self._equipment.switchboard().driver.clock())

    def _keep_flow(self, stun: StunKeepAlive, now: float) -> None:
        """Another flow when this one is of no use any more (RFC 5626 §4.5)."""
        stun.tick(now)
        for request in stun.take_requests():
            self._equipment.switchboard().driver.network.send(request, self.standing.hop)
        if stun.failed and not self._is_over:
            self._begin_anew(f"The way to the network is lost: {stun.failed}.")

    def _look_around(self, now: float) -> None:
        """Renew after a sleep; begin anew where our address is not ours any more."""
        change = self._surroundings.look(now)
        if change == ASLEEP:
            self._renew()
        elif change == MOVED:
            self._begin_anew("Our address has changed.")
        elif change == OFFLINE and self._settings.keep_trying:
            self._lose(Verdict.UNREACHABLE, f"There is no route to {self.standing.hop} any more.")

    def _heed(self, change: ContactChanged, now: float) -> None:
        """What the network did with a registration (TS 24.229 §5.1.1.7)."""
        from sipua.ims.reg_event import Action

        state = f"{change.contact.state}, {change.contact.event}"
        self._equipment.observer.news(f"{change.aor}: {change.contact.uri} is {state}.")
        if self._is_over or not change.ours:
            return
        told = f"The network has ended the registration: {change.contact.event}."
        if change.action == Action.RENEW:
            self._renew()
        elif change.action == Action.REGISTER_ANEW:
            self._begin_anew(told)
        elif change.action == Action.REGISTER_LATER:
            self.rest = change.seconds
            self._begin_anew(told)
        elif change.action == Action.GONE and self._settings.keep_trying:
            self._begin_anew(told)
        elif change.action in (Action.GIVE_UP, Action.GONE):
            self._lose(Verdict.REJECTED, told)

    def _renew(self) -> None:
        standing = self.standing
        if standing.settled and standing.machine.state == State.REGISTERED:  # else it is about to
            standing.begin(Registration.start, self._settings.timeout)

    def _begin_anew(self, why: str) -> None:
        self.anew = True
        self._lose(Verdict.UNREACHABLE, why)

    def _lose(self, verdict: Verdict, why: str) -> None:
        self._is_over = True
        self.standing.result.end(verdict, why)
        self.standing.result = RegistrationResult()  # an answer under way changes nothing now
        self._equipment.observer.news(why)
