"""Follows what the network does with our registration: the reg event (TS 24.229 §5.1.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.agent.conversation import Conversation
from sipua.agent.machine_settings import subscription_settings
from sipua.agent.switchboard import Taker
from sipua.errors import LocalError
from sipua.ims.reg_event import ContactChanged, RegEventSubscription
from sipua.ims.reginfo import CONTENT_TYPE
from sipua.ims.subscription import Notified
from sipua.result import RegistrationResult
from sipua.sip.inspection import Abilities

if TYPE_CHECKING:
    from sipua.agent.equipment import Equipment
    from sipua.ims.events import Event
    from sipua.ims.registration import Registration
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived, ServerTransaction
    from sipua.sip.message import Request

PATIENCE = 32.0
"""Seconds for one SUBSCRIBE with all its challenges."""


class RegEventWatch(Conversation[RegEventSubscription], Taker):
    """A subscription beside the registration ``standing``; ``on_change`` is told each change."""

    abilities = Abilities(
        methods=frozenset({"NOTIFY"}),
        extensions=frozenset(),
        content_types=frozenset({CONTENT_TYPE}),
    )

    def __init__(
        self,
        equipment: Equipment,
        settings: AgentSettings,
        standing: Conversation[Registration],
        on_change: Callable[[ContactChanged, float], None],
    ) -> None:
        """Subscribes at once."""
        _, identity = equipment.card()
        binding = standing.machine.binding
        assert binding is not None
        contact = standing.machine.settings.contact
        wanted = subscription_settings(settings, identity, binding, standing.hop, contact)
        machine = RegEventSubscription(wanted, equipment.rng)
        super().__init__(machine, standing.hop, equipment, RegistrationResult())
        self._on_change = on_change
        self._servers: dict[Request, ServerTransaction] = {}
        self._switchboard.add(self)
        self.begin(RegEventSubscription.start, PATIENCE)

    def take(self, event: RequestReceived, now: float) -> bool:
        """A NOTIFY of ours."""
        request = event.request
        if not self.machine.owns(request):
            return False
        self._servers[request] = event.transaction
        self.machine.request_received(request, now)
        self._carry_on(now)
        return True

    def _carry_on(self, now: float) -> None:
        for request, response in self.machine.take_responses():
            with suppress(LocalError):  # what is copied from the request cannot be sent
                transaction = self._servers.pop(request)
                self._switchboard.driver.endpoint.respond(transaction, response, now)
        super()._carry_on(now)

    def _heed(self, event: Event, now: float) -> None:
        if isinstance(event, ContactChanged):
            self._on_change(event, now)
        elif isinstance(event, Notified):
            self._settle()  # what happens from now on has all the time it needs
        else:
            super()._heed(event, now)
