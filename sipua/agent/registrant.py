"""A subscriber's registration: made, renewed and removed; what calls and requests stand on.

One thread runs all of it, except that a card which waits for its reader is
asked from a worker, so that SIP timers never stall.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sipua.agent.attempt import carry_out
from sipua.agent.conversation import Action, Conversation, earliest
from sipua.agent.equipment import Equipment, Observer
from sipua.agent.machine_settings import own_contact, registration_settings
from sipua.auth.selection import check_names
from sipua.ims.registration import Registration
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from sipua.agent.identity_module import CardChoice

R = TypeVar("R", bound=RegistrationResult)

NEXT_HOP_AFTER = (Verdict.UNREACHABLE, Verdict.TIMEOUT, Verdict.TLS_FAILURE)
"""Verdicts after which the next address of RFC 3263 §4.3 is tried."""


class Registrant:
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
        self.settings = settings or AgentSettings()
        self._equipment = Equipment(choice, self.settings, observer or Observer())
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
        times = [each.deadline() for each in self._started]
        now = self._equipment.switchboard().turn(earliest(until, *times))
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
        """End ``stay`` and ``listen``, hang up in ``call``; any thread or signal handler may."""
        self._stopping = True
        self._equipment.wake()

    def pin_tries(self) -> int | None:
        """How often PIN1 may still be tried, after a verdict ``pin-required``; None if unknown."""
        module = self._equipment.module
        return module.pin_tries() if module is not None else None

    def use_pin(self, pin: str) -> None:
        """Send this PIN, which a person typed, when the card is opened next; it is opened anew
        for that. A card pulled out and put back does not get it again.
        """
        self._equipment.use_pin(pin)

    def close(self) -> None:
        """Give the card back and close the sockets."""
        self._conversation = None
        self._equipment.close()

    def __enter__(self) -> Self:
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
        self._equipment.note_end(result)
        module = self._equipment.module
        if module is not None:
            result.card = module.use()
        return result

    def _try_hops(self, action: Action[Registration], contact: str = "") -> None:
        """Try the registrar's addresses one after another (RFC 3263 §4.3)."""
        while True:
            conversation = self._conversation = self._converse(self._result, contact)
            self._carry_to_end(conversation, action)
            if self._result.verdict not in NEXT_HOP_AFTER or not self._equipment.next_hop():
                return

    def _converse(
        self, result: RegistrationResult, contact: str = ""
    ) -> Conversation[Registration]:
        """A conversation with the first of the registrar's addresses, nothing said yet."""
        if self.settings.scheme:
            check_names(self.settings.scheme)
        equipment = self._equipment
        hop = equipment.hop()
        _, identity = equipment.card()
        if not contact:
            contact = own_contact(identity, hop, equipment.contact_address(hop))
        settings = registration_settings(self.settings, identity, contact)
        return Conversation(Registration(settings, equipment.rng), hop, equipment, result)

    def _carry_to_end(
        self, conversation: Conversation[Registration], action: Action[Registration]
    ) -> None:
        self._describe(conversation)
        conversation.result = self._result
        conversation.begin(action, self.settings.timeout)
        self._settle(conversation)

    def _settle(self, *conversations: Conversation[Any]) -> None:
        """Take turns until the first has its outcome; the others carry on meanwhile."""
        first = conversations[0]
        switchboard = self._equipment.switchboard()
        while not first.settled:
            until = earliest(*[each.deadline() for each in conversations])
            now = switchboard.turn(until)
            if until is not None and now >= until:
                for each in conversations:
                    each.tick(now)

    def _stand(self, result: RegistrationResult) -> Conversation[Registration] | None:
        """The registration that a request stands on, a new one where need be; None when it
        failed, which is the result then.
        """
        standing = self._conversation
        if standing is not None and standing.machine.is_bound(time.monotonic()):
            result.end(Verdict.REGISTERED)
            self._describe(standing)
            _describe_binding(standing, result)
            return standing
        self._try_hops(Registration.start)
        if result.exit_status:
            return None
        standing = self._conversation
        assert standing is not None
        standing.result = RegistrationResult()  # what becomes of it now is no part of this
        return standing

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
            conversation.tick(self._equipment.switchboard().turn(conversation.deadline()))

    def _describe(self, conversation: Conversation[Registration]) -> None:
        """Put into the result what is known beforehand."""
        result = self._result
        settings = conversation.machine.settings
        result.impi, result.impu, result.domain = settings.impi, settings.impu, settings.domain
        result.contact = settings.contact
        result.registrar = str(conversation.hop)
        result.local = str(conversation.local)


def _describe_binding(standing: Conversation[Registration], result: RegistrationResult) -> None:
    """Put into the result what is known of a registration that it stands on."""
    binding = standing.machine.binding
    if binding is not None:
        result.expires = binding.expires
        result.service_route = list(binding.service_route)
        result.associated_uris = list(binding.associated_uris)
