"""What one attempt to register, renew or remove remembers, and what a response means to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import SynchronisationFailure
from sipua.auth.scheme import CHALLENGE_HEADERS, AkaChallenge, Outcome
from sipua.auth.selection import NoAkaOffered, offered, scheme_of, select
from sipua.errors import ChallengeError, DnsFailure, PeerError, TlsFailure
from sipua.ims.register_response import (
    REDIRECTIONS,
    Binding,
    min_expires,
    read_binding,
    redirect_target,
    retry_after,
)
from sipua.ims.registration_table import Input, State
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.register_request import RegistrationSettings
    from sipua.ims.registration_dialog import RegistrationDialog
    from sipua.sip.message import Response

MAX_ANSWERS = 2
"""RES sent in one attempt for one header: a registrar that lost its first challenge may ask
again, one that asks a third time never stops."""

_SECURITY_STATUSES = (421, 494)


class Finding:
    """What an input was understood to be, and what its action needs to know.

    Filled in while it is looked into. ``seconds`` is Retry-After, Min-Expires,
    or for LOST the time to try at.
    """

    __slots__ = (
        "binding",
        "challenge",
        "happened",
        "hints",
        "outcome",
        "reason",
        "seconds",
        "status",
        "target",
        "verdict",
    )

    def __init__(
        self,
        happened: str,
        reason: str = "",
        status: int = 0,
        *,
        outcome: Outcome | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self.happened = happened
        self.reason = reason
        self.status = status
        self.outcome = outcome
        self.verdict = verdict
        self.challenge: AkaChallenge | None = None
        self.binding: Binding | None = None
        self.seconds = 0.0
        self.target = ""
        self.hints: tuple[str, ...] = ()


class Attempt:
    """One run from the opening REGISTER to its end, all its challenges included."""

    __slots__ = (
        "answer_counts",
        "asked",
        "dialog",
        "expires",
        "leaving",
        "lengthened",
        "redirected",
        "removing",
        "resynchronised",
        "settings",
        "uri",
    )

    def __init__(
        self,
        settings: RegistrationSettings,
        dialog: RegistrationDialog,
        expires: int,
        *,
        removing: bool = False,
    ) -> None:
        self.settings = settings
        self.dialog = dialog
        self.uri = f"sip:{settings.domain}"
        self.expires = expires
        self.removing = removing
        self.asked: AkaChallenge | None = None
        self.answer_counts: dict[str, int] = {}
        self.leaving = self.lengthened = self.redirected = self.resynchronised = False

    @property
    def asked_expires(self) -> int:
        """Seconds for the Expires header; 0 takes the binding back."""
        return 0 if self.removing else self.expires

    def count(self, challenge: AkaChallenge) -> None:
        """RES goes out for this challenge."""
        counts = self.answer_counts
        counts[challenge.header] = counts.get(challenge.header, 0) + 1

    def understand(self, response: Response, state: str) -> Finding:
        """What a final response means in this state."""
        status = response.status
        reason = f"the registrar answered {status} {response.reason}".rstrip()
        found = Finding(Input.REFUSED, reason, status)
        if state == State.REFUSING:
            found.happened = Input.CONCLUDED
        elif status in (401, 407):
            self._understand_challenge(response, state, found)
        elif status < 300:
            self._understand_success(response, found)
        elif status in REDIRECTIONS:
            found.target = redirect_target(response) or ""
            if found.target and not self.redirected:
                found.happened = Input.REDIRECTED
        elif status == 408:
            found.happened = Input.TIMED_OUT
        elif status == 423:
            self._understand_too_brief(response, state, found)
        elif status in _SECURITY_STATUSES:
            found.happened = Input.SECURITY
        elif 500 <= status < 600:
            _understand_server_failure(response, found)
        return found

    def _understand_challenge(self, response: Response, state: str, found: Finding) -> None:
        try:
            challenge = select(offered(response), self.settings.schemes)
        except ChallengeError as error:
            no_aka = isinstance(error, NoAkaOffered)
            found.happened = Input.NO_AKA if no_aka else Input.BAD_CHALLENGE
            found.reason = str(error)
            return
        found.challenge = challenge
        known = found.outcome = self.dialog.outcomes.get((challenge.rand, challenge.autn))
        last = self.dialog.answers.get(challenge.header)
        answers = self.answer_counts.get(challenge.header, 0)
        repeated = last is not None and last.challenge.nonce == challenge.nonce
        if isinstance(known, SynchronisationFailure) or (
            repeated and not challenge.stale and state == State.ANSWERED
        ):
            found.happened = Input.CHALLENGED_WRONG
            found.reason += " and repeated the challenge that had just been answered"
        elif answers >= MAX_ANSWERS:
            found.happened = Input.CHALLENGED_TOO_OFTEN
            found.reason += f" after {answers} challenges had been answered"
        elif known is not None:
            found.happened = Input.CHALLENGED_KNOWN
        else:
            found.happened = Input.CHALLENGED

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
        if not self.dialog.answers:
            hints.append("The registrar asked nothing of the card: anybody could have registered.")
        if self.resynchronised:
            hints.append(
                "Card and network were out of step and are not any more; if that happens often, "
                "another network may share the key but not the SQN."
            )
        if not binding.listed:
            hints.append("The registrar did not list our Contact: calls may go elsewhere.")
        for header, answer in self.dialog.answers.items():
            name = _AUTHENTICATION_INFO[header]
            value = response.headers.get(name)
            if value is None:
                continue
            try:
                scheme_of(answer.challenge).check_authentication_info(
                    value, answer, self.uri, response.body
                )
            except PeerError as error:
                hints.append(f"The registrar did not prove itself by {name}: {error}.")
        return tuple(hints)


_AUTHENTICATION_INFO = {
    CHALLENGE_HEADERS[401]: "Authentication-Info",
    CHALLENGE_HEADERS[407]: "Proxy-Authentication-Info",
}


def _understand_server_failure(response: Response, found: Finding) -> None:
    found.happened = Input.SERVER_FAILED
    seconds = retry_after(response)
    if seconds is not None:
        found.reason += f", Retry-After {seconds} s"
        found.seconds = seconds


def understand_failure(error: Exception, state: str) -> Finding:
    """What the end of a transaction without a response means: TimeoutError or a NetworkError."""
    if state == State.REFUSING:
        return Finding(Input.CONCLUDED, str(error) or "the registrar did not answer")
    if isinstance(error, TimeoutError):
        return Finding(Input.TIMED_OUT, str(error) or "the registrar did not answer")
    if isinstance(error, TlsFailure):
        return Finding(Input.TLS_FAILED, str(error))
    if isinstance(error, DnsFailure):
        return Finding(Input.DNS_FAILED, str(error))
    return Finding(Input.UNREACHABLE, str(error))
