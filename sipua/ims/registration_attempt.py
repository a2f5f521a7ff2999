"""What one attempt to register, renew or remove remembers, and what a response means to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.machine import Finding
from sipua.ims.register_response import (
    REDIRECTIONS,
    Binding,
    min_expires,
    read_binding,
    redirect_target,
    retry_after,
)
from sipua.ims.security_refusal import is_security_refusal, named_by
from sipua.ims.table import Input, State

if TYPE_CHECKING:
    from sipua.auth.answers import Answers
    from sipua.ims.register_request import RegistrationSettings
    from sipua.sip.message import Response

REQUIRE = "require"
"""The ``ipsec`` of settings that register under a security agreement or not at all."""


class Attempt:
    """One run from the opening REGISTER to its end, all its challenges included."""

    __slots__ = (
        "answers",
        "expires",
        "leaving",
        "lengthened",
        "redirected",
        "removing",
        "settings",
        "uri",
    )

    def __init__(
        self,
        settings: RegistrationSettings,
        answers: Answers,
        expires: int,
        *,
        removing: bool = False,
    ) -> None:
        self.settings = settings
        self.answers = answers
        self.uri = f"sip:{settings.domain}"
        self.expires = expires
        self.removing = removing
        self.leaving = self.lengthened = self.redirected = False

    @property
    def asked_expires(self) -> int:
        """Seconds for the Expires header; 0 takes the binding back."""
        return 0 if self.removing else self.expires

    def understand(self, response: Response, state: str, found: Finding) -> None:
        """What a final response, which is no challenge, means in this state."""
        status = response.status
        found.reason += named_by(response)
        if status < 300:
            self._understand_success(response, found)
        elif status in REDIRECTIONS:
            found.target = redirect_target(response) or ""
            if found.target and not self.redirected:
                found.happened = Input.REDIRECTED
        elif status == 408:
            found.happened = Input.TIMED_OUT
        elif status == 423:
            self._understand_too_brief(response, state, found)
        elif is_security_refusal(response, required=self.settings.ipsec == REQUIRE):
            found.happened = Input.SECURITY
        elif 500 <= status < 600:
            understand_server_failure(response, found)

    def _understand_success(self, response: Response, found: Finding) -> None:
        if self.removing:
            found.happened = Input.REMOVED
            return
        binding = read_binding(response, self.settings.contact, self.expires)
        if not binding.expires:
            found.happened = Input.ACCEPTED_UNBOUND
            found.reason += " but keeps no binding of our Contact"
            return
        found.happened = Input.ACCEPTED_LEAVING if self.leaving else Input.ACCEPTED
        found.binding = binding
        found.hints = self._hints_of_success(response, binding)

    def _understand_too_brief(self, response: Response, state: str, found: Finding) -> None:
        asked = min_expires(response)
        if asked is None:
            found.reason += " without saying how long is long enough"
            return
        found.reason += f", Min-Expires {asked} s"
        found.seconds = asked
        usable = state in (State.TRYING, State.ANSWERED) and not (self.lengthened or self.removing)
        if usable and asked > self.expires:
            found.happened = Input.TOO_BRIEF

    def _hints_of_success(self, response: Response, binding: Binding) -> tuple[str, ...]:
        hints: list[str] = []
        if not self.answers.given:
            hints.append(
                "The registrar asked nothing of the card: anybody could have registered. See that "
                "AKA is asked for there, unless it trusts this network access."
            )
        if self.answers.resynchronised:
            hints.append(
                "Card and network were out of step and are not any more; if that happens often, "
                "another network may share the key but not the SQN."
            )
        if not binding.listed:
            hints.append(
                "The registrar did not list our Contact, so calls may go elsewhere: see the "
                "Contacts of its 200 with -vv."
            )
        for name, error in self.answers.doubts(response, self.uri):
            hints.append(f"The registrar did not prove itself by {name}: {error}.")
        return tuple(hints)


def understand_server_failure(response: Response, found: Finding) -> None:
    """What a 5xx says besides."""
    found.happened = Input.SERVER_FAILED
    seconds = retry_after(response)
    if seconds is not None:
        found.reason += f", Retry-After {seconds} s"
        found.seconds = seconds
