"""What a user agent stands on: its card, its sockets, and the way to its registrar.

Nothing is opened before it is needed.
"""

from __future__ import annotations

import time
from random import SystemRandom
from typing import TYPE_CHECKING

from sipua.agent.card_worker import CardWorker
from sipua.agent.identity_module import CardChoice, IdentityModule
from sipua.agent.registrar_address import locate, locate_uri
from sipua.agent.switchboard import Switchboard
from sipua.errors import EngineError, LocalError, NetworkError
from sipua.net.driver import Driver
from sipua.net.locate import parse_target
from sipua.net.network import Network
from sipua.net.tls_settings import TlsSettings
from sipua.sip.endpoint import Endpoint
from sipua.sip.timers import TimerValues, ims_timers

if TYPE_CHECKING:
    from sipua.agent.observer import Observer
    from sipua.agent.protection import Protection
    from sipua.ims.identity import Identity
    from sipua.settings import AgentSettings
    from sipua.sip.hop import Hop
    from sipua.sip.uri import SipUri

OFF, REQUIRE = "off", "require"

NO_AGREEMENT = (406, 420)
"""Refusals by which networks tell that they want none of it; 421 and 494 tell that they insist."""


class Equipment:
    """The card of ``choice`` and the network of ``settings``, opened when first asked for.

    ``observer`` is told what is done with both. ``module`` is the card if it is
    open. ``unprotected`` tells why there is no IPsec although it would have been
    welcome. Everything that opens the card raises CardError, everything that opens
    the network NetworkError.
    """

    def __init__(self, choice: CardChoice, settings: AgentSettings, observer: Observer) -> None:
        self.rng = SystemRandom()
        self.module: IdentityModule | None = None
        self._choice = choice
        self._settings = settings
        self.observer = observer
        self._worker: CardWorker | None = None
        self._identity: Identity | None = None
        self._switchboard: Switchboard | None = None
        self._hops: list[Hop] = []
        self._timers = ims_timers() if settings.ims_timers else TimerValues()
        self._protection: Protection | None = None
        self.unprotected = ""

    def card(self) -> tuple[IdentityModule, Identity]:
        """The card, and who the subscriber is."""
        if self.module is None:
            self.module = IdentityModule(self._choice, *self.observer.card_traces())
        if self._identity is None:
            wanted = self._settings
            self._identity = self.module.identities(
                wanted.impi, wanted.impu, wanted.domain, wanted.impu_index
            )
        return self.module, self._identity

    def card_worker(self) -> CardWorker:
        """Who asks the card."""
        if self._worker is None:
            module, _ = self.card()
            self._worker = CardWorker(module, self.switchboard().driver)
        return self._worker

    def use_pin(self, pin: str) -> None:
        """Give the card back, and send this PIN, which a person typed, when it is opened next.

        A card pulled out and put back does not get it again.
        """
        self._choice = self._choice._replace(pin=pin, keep_pin=False)
        self._close_card()

    def switchboard(self) -> Switchboard:
        """The sockets and the transactions on them."""
        if self._switchboard is None:
            settings = self._settings
            network = Network(
                TlsSettings(settings.ca_file), _bind(settings.bind), settings.interface
            )
            observer = self.observer
            driver = Driver(
                network,
                Endpoint(self.rng, self._timers, udp_limit=settings.udp_limit),
                time.monotonic,
                observer.messages(self._way),
                when_idle=observer.when_idle,
            )
            self._switchboard = Switchboard(driver, observer.on_request)
        return self._switchboard

    def protection(self, hop: Hop) -> Protection | None:
        """What protects requests to ``hop``, None where nothing is to.

        Raises EngineError where something must and this machine cannot.
        """
        mode = self._settings.ipsec
        if mode == OFF or hop.transport == "TLS" or self.unprotected:
            return None
        switchboard = self.switchboard()
        network = switchboard.driver.network
        source = network.source(hop)
        if self._protection is not None and (
            self._protection.is_over or self._protection.contact[0] != source
        ):
            self._close_protection()
        if self._protection is None:
            from sipua.agent.protection import Protection

            try:
                wanted = self._settings.mechanisms
                kept = self._timers.transaction
                self._protection = Protection(network, source, mode, self.rng, wanted, kept)
            except EngineError as error:
                if mode == REQUIRE:
                    raise
                self.unprotected = str(error)
            switchboard.protection = self._protection
        return self._protection

    def gives_up_protection(self, status: int) -> bool:
        """Whether, after this refusal, it is worth registering without; from then on without."""
        if self._protection is None or self._settings.ipsec == REQUIRE:
            return False
        if status not in NO_AGREEMENT or self._protection.security.is_protected:
            return False
        self._close_protection()
        self.unprotected = f"the network answered {status} to the offer of a security agreement"
        return True

    def contact_address(self, hop: Hop) -> tuple[str, int]:
        """Where requests are to reach us from ``hop``; raises as ``local_address`` does."""
        protection = self.protection(hop)
        return self.local_address(hop) if protection is None else protection.contact

    def local_address(self, hop: Hop) -> tuple[str, int]:
        """Our own address and port towards ``hop``; raises Unreachable or TlsFailure."""
        return self.switchboard().driver.network.local_address(hop)

    def hop(self) -> Hop:
        """The first of the registrar's addresses: as told, else from the ISIM, else from DNS."""
        if not self._hops:
            told = self._settings.pcscf
            if told:
                parse_target(told)  # a slip of the pen shall not cost the card anything
            module, identity = self.card()
            names = [told] if told else module.pcscf() or [identity.domain]
            network = self.switchboard().driver.network
            self._hops = locate(names, self._settings, self.rng, network)
        return self._hops[0]

    @property
    def has_another_hop(self) -> bool:
        """Whether ``next_hop`` leads anywhere."""
        return len(self._hops) > 1

    def next_hop(self) -> bool:
        """Pass over the first address; False when it is the only one, which stays then."""
        if self.has_another_hop:
            self._hops.pop(0)
            return True
        return False

    def start_over(self) -> None:
        """Close all sockets, and look for the registrar anew; the card stays open."""
        self._hops = []
        self._say_last_words()
        self._close_protection()
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self._switchboard is not None:
            self._switchboard.driver.network.close()
            self._switchboard = None

    def find(self, uri: SipUri) -> Hop:
        """Where a URI leads; raises DnsFailure."""
        network = self.switchboard().driver.network
        return locate_uri(uri, self._settings, self.rng, network)

    def wake(self) -> None:
        """Make a turn that waits come back; any thread may call this."""
        if self._switchboard is not None:
            self._switchboard.driver.network.wake()

    def close(self) -> None:
        """Give the card back and close the sockets."""
        self.observer.catch_up()  # while it can be told where our end is
        self._close_card()
        self._say_last_words()
        self._close_protection()
        if self._switchboard is not None:
            self._switchboard.driver.network.close()
            self._switchboard = None

    def _say_last_words(self) -> None:
        """Answers of ours may wait to be sent, as that to the NOTIFY which ended it all."""
        if self._switchboard is not None:
            self._switchboard.driver.flush()

    def _close_protection(self) -> None:
        if self._protection is not None:
            self._protection.close(time.monotonic())
            self._protection = None
            self.switchboard().protection = None
        self.unprotected = ""

    def _close_card(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self.module is not None:
            self.module.close()
            self.module = None

    def _way(self, hop: Hop) -> tuple[Hop, bool]:
        """``hop`` with our own end, where it can be told, and whether IPsec protects it."""
        if self._switchboard is None:
            return hop, False
        try:
            return self._switchboard.driver.network.way(hop)
        except (NetworkError, LocalError):  # it was sent, or that failed already
            return hop, False


def _bind(text: str | None) -> tuple[str, int] | None:
    """The address and port of ``--bind``; raises TargetError."""
    if text is None:
        return None
    target = parse_target(text)
    return target.host, target.port or 0
