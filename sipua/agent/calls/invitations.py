"""What all who take INVITEs have in common: requests find their dialog, or begin one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sipua.agent.attendance import Attendant
from sipua.agent.machine_settings import call_settings
from sipua.errors import LocalError, ParseError

if TYPE_CHECKING:
    from sipua.agent.calls.line import CallLine
    from sipua.agent.conversation import Conversation
    from sipua.agent.equipment import Equipment
    from sipua.agent.reporter import Reporter
    from sipua.ims.call import Call
    from sipua.ims.call_settings import CallSettings
    from sipua.ims.registration import Registration
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived
    from sipua.sip.message import Request
    from sipua.sip.offer_answer import LocalMedia


class OnLine(Protocol):
    """A call, or what else an INVITE begins: its machine, and the line it speaks on."""

    @property
    def machine(self) -> Call: ...
    @property
    def line(self) -> CallLine: ...


C = TypeVar("C", bound=OnLine)


class Invitations(Attendant, Generic[C]):
    """Takes the INVITEs that it wants, on the registration ``standing``; ``calls`` are those that
    it has."""

    def __init__(
        self,
        equipment: Equipment,
        settings: AgentSettings,
        standing: Conversation[Registration],
        reporter: Reporter,
    ) -> None:
        self.calls: list[C] = []
        self._equipment = equipment
        self._settings = settings
        self._standing = standing
        self._reporter = reporter
        self._driver = equipment.switchboard().driver

    def take(self, event: RequestReceived, now: float) -> bool:
        """A request; False when nothing here can have anything to do with it."""
        request = event.request
        for call in self.calls:
            if call.machine.owns(request):
                call.line.take(event.transaction, request, now)
                return True
        if request.method != "INVITE" or request.to.tag or not self._wants(request):
            return False
        self._begin(event, now)
        return True

    def acknowledged(self, ack: Request, now: float) -> None:
        """An ACK for a 2xx."""
        for call in self.calls:
            if call.machine.owns(ack):
                call.line.acknowledged(ack, now)

    def _wants(self, invite: Request) -> bool:
        """Whether this INVITE is one for us."""
        return True

    def _begin(self, event: RequestReceived, now: float) -> None:
        """Such an INVITE came."""
        raise NotImplementedError

    def _refuse(self, event: RequestReceived, status: int, now: float) -> None:
        endpoint = self._driver.endpoint
        with suppress(LocalError, ParseError):  # what is copied from it cannot be sent
            response = endpoint.create_response(event.request, status)
            endpoint.respond(event.transaction, response, now)

    def _address(self) -> str:
        """Ours, towards the network."""
        return self._equipment.local_address(self._standing.hop)[0]

    def _settings_of_call(self, media: LocalMedia) -> CallSettings:
        standing = self._standing
        binding = standing.machine.binding
        assert binding is not None
        _, identity = self._equipment.card()
        contact = standing.machine.settings.contact
        return call_settings(self._settings, identity, binding, standing.hop, contact, media)
