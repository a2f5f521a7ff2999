"""Short messages over a registration: MESSAGEs of the machine go out, those that come go in."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.agent.attendance import Attendant
from sipua.agent.conversation import Conversation, earliest
from sipua.agent.machine_settings import Content, request_settings
from sipua.errors import LocalError, ParseError
from sipua.ims.request import OutgoingRequest
from sipua.ims.target import read_target
from sipua.result import RequestResult
from sipua.sip.headers import NameAddr
from sipua.sip.inspection import Abilities
from sipua.sms.rpdu import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.agent.equipment import Equipment
    from sipua.ims.events import Event
    from sipua.ims.registration import Registration
    from sipua.result import SipExchange
    from sipua.settings import AgentSettings
    from sipua.sip.endpoint import RequestReceived
    from sipua.sip.message import Request
    from sipua.sms.exchange import ShortMessages
    from sipua.sms.outgoing import Outgoing

FEATURE = "smsip"
"""Without this feature tag in our Contact no short message comes (TS 24.341 §5.3.2.2)."""

ABILITIES = Abilities(
    methods=frozenset({"MESSAGE", "OPTIONS"}),
    content_types=frozenset({"text/plain", CONTENT_TYPE}),
)


class Texting(Attendant):
    """Short messages on the registration ``standing``; ``tell`` is given the machine's events.

    ``exchange`` collects our MESSAGEs with their final answers.
    """

    abilities = ABILITIES

    def __init__(
        self,
        equipment: Equipment,
        settings: AgentSettings,
        standing: Conversation[Registration],
        machine: ShortMessages,
        tell: Callable[[Event], None],
    ) -> None:
        self.machine = machine
        self.exchange: list[SipExchange] = []
        self._equipment = equipment
        self._settings = settings
        self._standing = standing
        self._tell = tell
        self._driver = equipment.switchboard().driver
        self._under_way: list[tuple[Outgoing, Conversation[OutgoingRequest]]] = []

    @property
    def is_idle(self) -> bool:
        """Whether every MESSAGE of ours was answered, and every text was."""
        return self.machine.is_idle and not self._under_way

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [each.deadline() for _, each in self._under_way]
        return earliest(self.machine.deadline(), *times)

    def tick(self, now: float) -> None:
        """Let time pass, and carry on with what came."""
        self.machine.tick(now)
        for _, each in self._under_way:
            each.tick(now)
        self.carry_on(now)

    def carry_on(self, now: float) -> None:
        """Do what the machine wants, and what it wants next."""
        busy = True
        while busy:
            messages, events = self.machine.take_messages(), self.machine.take_events()
            for message in messages:
                self._send(message)
            for event in events:
                self._tell(event)
            busy = bool(messages or events) | self._settle(now)

    def close(self) -> None:
        """Nothing has to be given back."""

    def _send(self, message: Outgoing) -> None:
        _, identity = self._equipment.card()
        standing = self._standing
        binding, hop = standing.machine.binding, standing.hop
        assert binding is not None
        target = read_target(message.uri, identity.domain)
        what = Content("MESSAGE", message.headers, message.body, CONTENT_TYPE)
        settings = request_settings(self._settings, identity, binding, hop, target, what)
        machine = OutgoingRequest(settings, self._equipment.rng)
        result = RequestResult("MESSAGE", target)
        conversation = Conversation(machine, hop, self._equipment, result)
        self._under_way.append((message, conversation))
        conversation.begin(OutgoingRequest.start, self._settings.timeout)

    def _settle(self, now: float) -> bool:
        """Tell the machine what became of its MESSAGEs; whether anything did."""
        settled = [each for each in self._under_way if each[1].settled]
        self._under_way = [each for each in self._under_way if not each[1].settled]
        for message, conversation in settled:
            self._conclude(message, conversation, now)
        return bool(settled)

    def _conclude(
        self, message: Outgoing, conversation: Conversation[OutgoingRequest], now: float
    ) -> None:
        result, response = conversation.result, conversation.response
        assert isinstance(result, RequestResult)
        self.exchange += result.exchange
        if response is not None:
            self.machine.message_answered(message.number, response.status, response.reason, now)
        elif result.status:
            last = result.exchange[-1]
            self.machine.message_answered(message.number, last.status, last.reason, now)
        else:
            self.machine.message_failed(message.number, result.reason, now)

    # What the switchboard brings -----------------------------------------------------------

    def take(self, event: RequestReceived, now: float) -> bool:
        """A short message is answered 200 before anything else is said about it."""
        request, endpoint = event.request, self._driver.endpoint
        if request.method != "MESSAGE" or request.to.tag or _content_type(request) != CONTENT_TYPE:
            return False
        with suppress(LocalError):  # what is copied from it cannot be sent
            endpoint.respond(event.transaction, endpoint.create_response(request, 200), now)
        call_id = request.headers.get("Call-ID") or ""
        self.machine.received(request.body, call_id, _gateway(request), now)
        return True


def with_feature(settings: AgentSettings) -> AgentSettings:
    """Settings with which the Contact tells the network to send short messages."""
    if FEATURE in settings.features:
        return settings
    return settings._replace(features=(*settings.features, FEATURE))


def _content_type(request: Request) -> str:
    return (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def _gateway(request: Request) -> str:
    """Who the network says sent a MESSAGE (TS 24.341 §5.3.2.4): what we answer goes there."""
    for value in (*request.headers.all("P-Asserted-Identity"), request.headers.get("From") or ""):
        try:
            return read_target(NameAddr.parse(value).uri, "")
        except (ParseError, LocalError):
            continue
    return request.uri
