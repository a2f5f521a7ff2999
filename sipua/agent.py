"""The user agent: joins the card, the registration machine, transactions and sockets.

One thread runs all of it, except that a card which waits for its reader is
asked from a worker, so that SIP timers never stall.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sipua.attempt import carry_out
from sipua.auth.redaction import redact_message
from sipua.auth.selection import check_names
from sipua.conversation import Action, Conversation
from sipua.errors import LocalError, ParseError
from sipua.identity_module import CardChoice, IdentityModule
from sipua.ims.registration import Registration
from sipua.machine_settings import (
    Content,
    own_contact,
    registration_settings,
    request_settings,
)
from sipua.net.driver import Driver
from sipua.net.locate import parse_target
from sipua.net.network import Network
from sipua.net.tls_settings import TlsSettings
from sipua.registrar_address import locate, locate_uri
from sipua.result import RegistrationResult, RequestResult
from sipua.settings import AgentSettings
from sipua.sip.endpoint import Endpoint
from sipua.switchboard import Switchboard
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from types import TracebackType

    from card.session import Trace
    from sipua.ims.identity import Identity
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request, Response
    from sipua.sip.uri import SipUri
    from sipua.trace.narration import Narrator
    from sipua.trace.step import Step

OnStep = Callable[["Step"], None]
OnMessage = Callable[[Literal["sent", "received"], bytes, "Hop"], None]

R = TypeVar("R", bound=RegistrationResult)

TOLD = ("Allow", "Accept", "Supported", "Server", "User-Agent", "P-Asserted-Identity")
"""Header fields of the answer to a request that a result passes on."""

NEXT_HOP_AFTER = (Verdict.UNREACHABLE, Verdict.TIMEOUT, Verdict.TLS_FAILURE)
"""Verdicts after which the next address of RFC 3263 §4.3 is tried."""


class Observer:
    """Who is told what happens while it happens; each of the four may be left out.

    ``on_step``: each step of the exchange. ``on_message``: each SIP message at
    the edge to the network, session keys masked. ``on_apdu``: each APDU, secrets
    masked. ``on_request``: each request that came in and was accepted.
    """

    __slots__ = ("on_apdu", "on_message", "on_request", "on_step")

    def __init__(
        self,
        on_step: OnStep | None = None,
        on_message: OnMessage | None = None,
        on_apdu: Trace | None = None,
        on_request: Callable[[Request], None] | None = None,
    ) -> None:
        self.on_step = on_step
        self.on_message = on_message
        self.on_apdu = on_apdu
        self.on_request = on_request


class UserAgent:
    """One subscriber at one registrar. Opens nothing before it is asked to do something.

    Not thread-safe, except ``interrupt``. Close it, or use it as a context
    manager: that gives the card back and closes the sockets.
    """

    def __init__(
        self,
        choice: CardChoice,
        settings: AgentSettings | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.choice = choice
        self.settings = settings or AgentSettings()
        self._observer = observer or Observer()
        self._rng = SystemRandom()
        self._module: IdentityModule | None = None
        self._identity: Identity | None = None
        self._switchboard: Switchboard | None = None
        self._hops: list[Hop] = []
        self._conversation: Conversation[Registration] | None = None
        self._started: list[Conversation[Registration]] = []
        self._result = RegistrationResult()
        self._stopping = False

    # What it can be asked for --------------------------------------------------------------

    def register(self) -> RegistrationResult:
        """Register. Whatever happens on the way, it comes back with a result.

        Raises ProfileError or LocalError when what was asked for cannot be meant.
        """
        return self._attempt(lambda: self._try_hops(Registration.start), RegistrationResult())

    def message(self, uri: str, text: str) -> RequestResult:
        """Send a text (RFC 3428) to a sip: or tel: URI; registers first where need be.

        Raises as ``request`` does.
        """
        body = text.encode("utf-8", "surrogateescape")
        return self.request(uri, Content("MESSAGE", (), body, "text/plain;charset=UTF-8"))

    def options(self, uri: str) -> RequestResult:
        """Ask what a sip: or tel: URI can do (RFC 3261 §11); ``answer`` of the result tells.

        Raises as ``request`` does.
        """
        return self.request(uri, Content("OPTIONS", (("Accept", "application/sdp"),)))

    def request(self, uri: str, what: Content) -> RequestResult:
        """Send one request outside a dialog, answering challenges with the card.

        It stands on the registration there is, or on a new one, whose failure
        is the result then. Raises LocalError for a target or header fields that
        cannot be meant, and what ``register`` raises.
        """
        from sipua.ims.request import check_headers
        from sipua.ims.target import read_target

        read_target(uri, "")  # a slip of the pen shall not cost the card anything
        check_headers((*self.settings.headers, *what.headers))
        result = RequestResult(what.method, uri)
        return self._attempt(lambda: self._request(uri, what, result), result)

    def start(self) -> Conversation[Registration]:
        """Start a registration and come back at once, for whoever runs several at a time.

        Call ``turn`` until the conversation is ``settled``; then its ``result``
        tells. Raises CardError, NetworkError, and what ``register`` raises.
        """
        result = RegistrationResult()
        conversation = self._converse(result)
        self._started.append(conversation)
        conversation.begin(Registration.start, self.settings.timeout)
        return conversation

    def turn(self, until: float | None = None) -> None:
        """Carry on what was started, until something has happened or ``until`` (monotonic)."""
        times = [until, *(each.deadline() for each in self._started)]
        now = self._open_network().turn(min((at for at in times if at is not None), default=None))
        for each in self._started:
            each.tick(now)
        self._started = [each for each in self._started if not each.settled]

    def deregister(self) -> RegistrationResult:
        """Remove the registration; without one of our own, every one the identity has.

        Raises as ``register`` does.
        """
        conversation = self._conversation
        if conversation is None or conversation.machine.binding is None:
            result = self._attempt(
                lambda: self._try_hops(Registration.deregister, contact="*"), RegistrationResult()
            )
            if result.exchange and result.verdict is not Verdict.DEREGISTERED:
                result.hints.append(
                    "Some registrars do not take Contact: *, by which all registrations are "
                    "removed; one kept with --stay is removed by its own Contact when it ends."
                )
            return result
        return self._attempt(
            lambda: self._carry_to_end(conversation, Registration.deregister), RegistrationResult()
        )

    def stay(self) -> RegistrationResult:
        """Keep the registration alive until ``interrupt`` or Ctrl-C, then remove it.

        To be called after a ``register`` that succeeded. Comes back at once
        when the registration is lost for good.
        """
        ended = self._attempt(self._keep, RegistrationResult())
        if ended.verdict is not Verdict.INTERRUPTED:
            return ended
        return self.deregister()

    def interrupt(self) -> None:
        """End ``stay``; for signal handlers and other threads."""
        self._stopping = True
        if self._switchboard is not None:
            self._switchboard.driver.network.wake()

    def pin_tries(self) -> int | None:
        """How often PIN1 may still be tried, after a verdict ``pin-required``; None if unknown."""
        return self._module.pin_tries() if self._module is not None else None

    def use_pin(self, pin: str) -> None:
        """Send this PIN, which a person typed, when the card is opened next; it is opened anew
        for that. A card pulled out and put back does not get it again.
        """
        self.choice = self.choice._replace(pin=pin, keep_pin=False)
        self._close_card()

    def close(self) -> None:
        """Give the card back and close the sockets."""
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None
        self._close_card()
        if self._switchboard is not None:
            self._switchboard.driver.network.close()
            self._switchboard = None

    def _close_card(self) -> None:
        if self._module is not None:
            self._module.close()
            self._module = None

    def __enter__(self) -> UserAgent:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # One attempt, whatever it ends in ------------------------------------------------------

    def _attempt(self, go: Callable[[], None], result: R) -> R:
        self._result = result
        carry_out(go, result)
        if self._module is not None:
            result.card = self._module.use()
        return result

    def _try_hops(self, action: Action[Registration], contact: str = "") -> None:
        """Try the registrar's addresses one after another (RFC 3263 §4.3)."""
        while True:
            conversation = self._conversation = self._converse(self._result, contact)
            self._carry_to_end(conversation, action)
            if self._result.verdict not in NEXT_HOP_AFTER or len(self._hops) == 1:
                return
            self._hops.pop(0)

    def _converse(
        self, result: RegistrationResult, contact: str = ""
    ) -> Conversation[Registration]:
        """A conversation with the first of the registrar's addresses, nothing said yet."""
        if self.settings.pcscf and not self._hops:
            parse_target(self.settings.pcscf)  # a slip of the pen shall not cost the card anything
        if self.settings.scheme:
            check_names(self.settings.scheme)
        module, identity = self._open_card()
        switchboard = self._open_network()
        if not self._hops:
            self._hops = self._locate(module, identity)
        hop = self._hops[0]
        if not contact:
            contact = own_contact(identity, hop, switchboard.driver.network.local_address(hop))
        settings = registration_settings(self.settings, identity, contact)
        registration = Registration(settings, self._rng)
        return Conversation(
            registration, hop, switchboard, module, result, self._narrator(), self._find
        )

    def _carry_to_end(
        self, conversation: Conversation[Registration], action: Action[Registration]
    ) -> None:
        self._describe(conversation)
        conversation.result = self._result
        conversation.begin(action, self.settings.timeout)
        self._settle(conversation)

    def _settle(self, *conversations: Conversation[Any]) -> None:
        """Take turns until the first has its outcome; the others carry on meanwhile."""
        while not conversations[0].settled:
            times = [each.deadline() for each in conversations]
            until = min((at for at in times if at is not None), default=None)
            now = self._open_network().turn(until)
            for each in conversations:
                each.tick(now)

    def _request(self, uri: str, what: Content, result: RequestResult) -> None:
        standing = self._conversation
        if standing is None or not standing.machine.is_bound(time.monotonic()):
            self._try_hops(Registration.start)
            if result.exit_status:
                return
            standing = self._conversation
            assert standing is not None
            standing.result = RegistrationResult()  # what becomes of it now is no part of this
        else:
            result.end(Verdict.REGISTERED)
            self._describe(standing)
        from sipua.ims.request import OutgoingRequest
        from sipua.ims.target import read_target

        module, identity = self._open_card()
        binding, hop = standing.machine.binding, standing.hop
        assert binding is not None
        target = read_target(uri, identity.domain)
        if target.startswith("sips:") and hop.transport != "TLS":
            raise LocalError(f"{uri} asks for TLS on all of the way, and {hop} is not: give tls:")
        settings = request_settings(self.settings, identity, binding, hop, target, what)
        conversation = Conversation(
            OutgoingRequest(settings, self._rng),
            hop,
            self._open_network(),
            module,
            result,
            self._narrator(),
            self._find,
        )
        conversation.begin(OutgoingRequest.start, self.settings.timeout)
        self._settle(conversation, standing)
        if conversation.response is not None:
            result.answer = _told(conversation.response)

    def _keep(self) -> None:
        conversation = self._conversation
        assert conversation is not None
        self._describe(conversation)
        result = conversation.result = self._result
        result.end(Verdict.REGISTERED)
        conversation.keep_alive()
        while result.exit_status == 0:
            if self._stopping:
                result.end(Verdict.INTERRUPTED)
                return
            conversation.tick(self._open_network().turn(conversation.deadline()))

    def _describe(self, conversation: Conversation[Registration]) -> None:
        """Put into the result what is known beforehand."""
        result = self._result
        settings = conversation.machine.settings
        result.impi, result.impu, result.domain = settings.impi, settings.impu, settings.domain
        result.contact = settings.contact
        result.registrar = str(conversation.hop)
        result.local = str(conversation.local)
        binding = conversation.machine.binding
        if binding is not None:
            result.expires = binding.expires
            result.service_route = list(binding.service_route)
            result.associated_uris = list(binding.associated_uris)

    # What it stands on ---------------------------------------------------------------------

    def _open_card(self) -> tuple[IdentityModule, Identity]:
        if self._module is None:
            self._module = IdentityModule(self.choice, self._observer.on_apdu)
        if self._identity is None:
            wanted = self.settings
            self._identity = self._module.identities(
                wanted.impi, wanted.impu, wanted.domain, wanted.impu_index
            )
        return self._module, self._identity

    def _open_network(self) -> Switchboard:
        if self._switchboard is None:
            settings = self.settings
            network = Network(
                TlsSettings(settings.ca_file), _bind(settings.bind), settings.interface
            )
            driver = Driver(network, Endpoint(self._rng), on_message=self._traced())
            self._switchboard = Switchboard(driver, self._observer.on_request)
        return self._switchboard

    def _narrator(self) -> Narrator | None:
        if self._observer.on_step is None:
            return None
        from sipua.trace.narration import Narrator

        return Narrator(self._observer.on_step)

    def _traced(self) -> OnMessage | None:
        tell = self._observer.on_message
        if tell is None:
            return None

        def redacted(direction: Literal["sent", "received"], data: bytes, hop: Hop) -> None:
            tell(direction, redact_message(data), hop)

        return redacted

    def _locate(self, module: IdentityModule, identity: Identity) -> list[Hop]:
        """The registrar's addresses: as told, else from the ISIM, else from DNS."""
        told = self.settings.pcscf
        names = [told] if told else module.pcscf() or [identity.domain]
        return locate(names, self.settings, self._rng, self._open_network().driver.network)

    def _find(self, uri: SipUri) -> Hop:
        network = self._open_network().driver.network
        return locate_uri(uri, self.settings, self._rng, network)


def _told(response: Response) -> dict[str, list[str]]:
    headers = response.headers
    try:
        return {name.lower(): headers.values(name) for name in TOLD if name in headers}
    except ParseError:  # a quote that is not closed
        return {name.lower(): headers.all(name) for name in TOLD if name in headers}


def _bind(text: str | None) -> tuple[str, int] | None:
    """The address and port of ``--bind``; raises TargetError."""
    if text is None:
        return None
    target = parse_target(text)
    return target.host, target.port or 0
