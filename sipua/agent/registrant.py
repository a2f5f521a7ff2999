"""A subscriber's registration: made, renewed and removed; what calls and requests stand on.

One thread runs all of it, except that a card which waits for its reader is
asked from a worker, so that SIP timers never stall.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from card.errors import CardError
from sipua.agent.attempt import carry_out, verdict_of_network
from sipua.agent.conversation import Action, Conversation, earliest
from sipua.agent.equipment import Equipment
from sipua.agent.machine_settings import own_contact, registration_settings
from sipua.agent.observer import Observer
from sipua.agent.restoration import Restoration
from sipua.agent.surroundings import ASLEEP, MOVED, Surroundings
from sipua.agent.switchboard import SERVER_TIMEOUT
from sipua.agent.vigil import Vigil
from sipua.auth.selection import check_names
from sipua.errors import NetworkError
from sipua.ims.outage import PASSING, Outage, leads_on
from sipua.ims.registration import Registration
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from sipua.agent.identity_module import CardChoice, IdentityModule
    from sipua.result import RequestResult

R = TypeVar("R", bound=RegistrationResult)


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
        self._restoration = Restoration(self._equipment.rng)
        self._stopping = False

    # What it can be asked for --------------------------------------------------------------

    def register(self) -> RegistrationResult:
        """Register. Whatever happens on the way, it comes back with a result.

        Raises ProfileError or LocalError when what was asked for cannot be meant.
        """
        return self._attempt(lambda: self._try_hops(Registration.start), RegistrationResult())

    def start(self) -> Conversation[Registration]:
        """Start a registration and come back at once, for whoever runs several at a time.

        Call ``turn`` until it gives the conversation back; then its ``result``
        tells. Raises CardError, NetworkError, and what ``register`` raises.
        """
        result = RegistrationResult()
        conversation = self._converse(result)
        self._started.append(conversation)
        conversation.begin(Registration.start, self.settings.timeout)
        return conversation

    def turn(self, until: float | None = None) -> list[Conversation[Registration]]:
        """Carry on what was started, until something has happened or ``until`` (monotonic).

        Gives those that are settled now, each once.
        """
        due = earliest(until, *[each.deadline() for each in self._started])
        now = self._equipment.switchboard().turn(due)
        if due is not None and now >= due:
            for each in self._started:
                each.tick(now)
        ended = [each for each in self._started if each.settled]
        for each in ended:
            self._started.remove(each)
        return ended

    def deregister(self) -> RegistrationResult:
        """Remove the registration; without one of our own, every one the identity has.

        Raises as ``register`` does.
        """
        self._check_emergency(removed=True)
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
        when the registration is lost for good. An emergency registration is not
        removed, but expires.
        """
        self._check_emergency(followed=self.settings.reg_event)
        ended = self._attempt(self._keep, RegistrationResult())
        standing = self._conversation
        if standing is None or standing.machine.binding is None:
            return ended  # there is nothing to remove
        if self.settings.emergency:
            return ended
        return ended if ended.verdict is not Verdict.INTERRUPTED else self.deregister()

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
        self._equipment.observer.ended(result)
        module = self._equipment.module
        if module is not None:
            if result.verdict is Verdict.PIN_REQUIRED:
                _tell_tries(module, result)
            result.card = module.use()
        return result

    def _try_hops(self, action: Action[Registration], contact: str = "") -> None:
        """Try the registrar's addresses one after another (RFC 3263 §4.3, TS 24.229 §5.1.1.2.1)."""
        while True:
            conversation = self._conversation = self._converse(self._result, contact)
            self._equipment.switchboard().on_server_timeout = self._restoration.hear
            self._carry_to_end(conversation, action)
            if self._result.verdict is Verdict.REGISTERED:
                self._restoration.stands_on(conversation.machine, time.monotonic())
            exchange = self._result.exchange
            status = exchange[-1].status if exchange else 0
            if self._equipment.gives_up_protection(status):
                continue
            if not leads_on(self._result.verdict, status) or not self._equipment.next_hop():
                return

    def _converse(
        self, result: RegistrationResult, contact: str = ""
    ) -> Conversation[Registration]:
        """A conversation with the first of the registrar's addresses, nothing said yet."""
        if self.settings.scheme:
            check_names(self.settings.scheme)
        equipment = self._equipment
        hop = equipment.hop()
        if self.settings.emergency:
            from sipua.ims.emergency import MARK, check_network

            check_network(hop, test_network=self.settings.test_network)
        _, identity = equipment.card()
        if not contact:
            contact = own_contact(identity, hop, equipment.contact_address(hop))
            if self.settings.emergency:
                contact += MARK
        settings = registration_settings(self.settings, identity, contact)
        if equipment.has_another_hop:  # which is tried at once, whatever Retry-After says
            settings = settings._replace(retries=0)
        return Conversation(Registration(settings, equipment.rng), hop, equipment, result)

    def _check_emergency(self, *, removed: bool = False, followed: bool = False) -> None:
        if self.settings.emergency:
            from sipua.ims.emergency import check_wish

            check_wish(removed=removed, followed=followed)

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
        standing, now = self._conversation, time.monotonic()
        if self._restoration.is_due(now):
            self._equipment.observer.news(self._restoration.why)
            self._equipment.start_over()
        elif standing is not None and standing.machine.is_bound(now):
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

    def _stand_and(
        self,
        result: RequestResult,
        go: Callable[[Conversation[Registration]], None],
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do what stands on the registration; once more on a new one if the network has answered
        that it wants one (TS 24.229 §5.1.2A.1.6): it has done nothing else about the request.
        """
        standing = self._stand(result)
        if standing is None:
            return
        go(standing)
        failed = result.exit_status and result.status == SERVER_TIMEOUT and may_repeat()
        if failed and self._restoration.is_due(time.monotonic()) and not self._stopping:
            standing = self._stand(result)
            if standing is not None:
                go(standing)

    def _keep(self) -> None:
        """Until it is lost for good, or the user ends it."""
        outage = Outage(self._equipment.rng)
        self._result.end(Verdict.REGISTERED)
        while True:
            vigil = self._stand_by()
            while self._result.exit_status == 0:
                if self._stopping:
                    vigil.end()
                    self._result.end(Verdict.INTERRUPTED)
                    return
                vigil.tick(self._equipment.switchboard().turn(vigil.deadline()))
            if not self._comes_back(vigil, outage):
                return

    def _stand_by(self) -> Vigil:
        """Keep watch over the registration from now on."""
        standing = self._conversation
        assert standing is not None
        self._describe(standing)
        standing.result = self._result
        return Vigil(standing, self._equipment, self.settings, self._restoration)

    def _comes_back(self, vigil: Vigil, outage: Outage) -> bool:
        """After a loss: register anew, at once and then with patience; False when it is for good.

        Where the network wants it, or our address is another one, we always do,
        else if the user wants to keep trying.
        """
        result = self._result
        if not vigil.anew and not self.settings.keep_trying:
            return False
        if vigil.rest and not self._rest(vigil.rest, patiently=True):
            result.end(Verdict.INTERRUPTED)
            return False
        while result.verdict in PASSING:
            self._equipment.start_over()
            try:
                self._try_hops(Registration.start)
            except NetworkError as error:
                result.end(verdict_of_network(error), str(error))
            if result.exit_status == 0:
                outage.over()
                self._equipment.observer.news("Registered again.")
                return True
            if not self.settings.keep_trying:
                return False
            if result.verdict in PASSING and not self._rest(outage.wait()):
                result.end(Verdict.INTERRUPTED)
        return False

    def _rest(self, seconds: float, *, patiently: bool = False) -> bool:
        """Whether nobody interrupted us meanwhile.

        Unless it is to be done ``patiently``, it ends once there is a way to the network
        where there was none, or another than before.
        """
        self._equipment.observer.news(f"Waiting {seconds:.0f} s: {self._result.reason}")
        assert self._conversation is not None
        switchboard, now = self._equipment.switchboard(), time.monotonic()
        until = now + seconds
        around = Surroundings(switchboard.driver.network, self._conversation.hop, now)
        while now < until and not self._stopping:
            now = switchboard.turn(until if patiently else min(until, around.at))
            if not patiently and around.look(now) in (MOVED, ASLEEP):
                break
        return not self._stopping

    def _describe(self, conversation: Conversation[Registration]) -> None:
        """Put into the result what is known beforehand."""
        result = self._result
        settings = conversation.machine.settings
        result.impi, result.impu, result.domain = settings.impi, settings.impu, settings.domain
        result.contact = settings.contact
        result.registrar = str(conversation.hop)
        result.local = str(conversation.local)


def _tell_tries(module: IdentityModule, result: RegistrationResult) -> None:
    """Add how often the PIN that the card wants may be tried; asking spends none."""
    from sipua.agent.failure_advice import of_missing_pin  # not needed when it goes well

    with suppress(CardError):
        result.hints = list(of_missing_pin(module.pin_tries()))


def _describe_binding(standing: Conversation[Registration], result: RegistrationResult) -> None:
    """Put into the result what is known of a registration that it stands on."""
    binding = standing.machine.binding
    if binding is not None:
        result.expires = binding.expires
        result.service_route = list(binding.service_route)
        result.associated_uris = list(binding.associated_uris)
