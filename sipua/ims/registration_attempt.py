"""What one attempt to register, renew or remove remembers, and what a response means to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from card.aka.result import SynchronisationFailure
from sipua.auth.scheme import CHALLENGE_HEADERS, AkaChallenge, Outcome
from sipua.auth.selection import NoAkaOffered, offered, scheme_of, select
from sipua.errors import ChallengeError, DnsFailure, PeerError, TlsFailure
from sipua.ims.register_response import (
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


class Finding(NamedTuple):
    """What an input was understood to be, and what its action needs to know.

    ``seconds`` is Retry-After, Min-Expires, or for LOST the time to try at.
    """

    happened: str
    reason: str = ""
    status: int = 0
    challenge: AkaChallenge | None = None
    outcome: Outcome | None = None
    binding: Binding | None = None
    seconds: float = 0.0
    target: str = ""
    hints: tuple[str, ...] = ()
    verdict: Verdict | None = None


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
            return found._replace(happened=Input.CONCLUDED)
        if status in (401, 407):
            return self._understand_challenge(response, state, found)
        if status < 300:
            return self._understand_success(response, found)
        if status == 408:
            return found._replace(happened=Input.TIMED_OUT)
        if status == 423:
            return self._understand_too_brief(response, state, found)
        if status in _SECURITY_STATUSES:
            return found._replace(happened=Input.SECURITY)
        if 500 <= status < 600:
            return _understand_server_failure(response, found)
        target = None if self.redirected else redirect_target(response)
        if target is not None:
            return found._replace(happened=Input.REDIRECTED, target=target)
        return found

    def _understand_challenge(self, response: Response, state: str, found: Finding) -> Finding:
        try:
            challenge = select(offered(response), self.settings.schemes)
        except NoAkaOffered as error:
            return found._replace(happened=Input.NO_AKA, reason=str(error))
        except ChallengeError as error:
            return found._replace(happened=Input.BAD_CHALLENGE, reason=str(error))
        known = self.dialog.outcomes.get((challenge.rand, challenge.autn))
        last = self.dialog.answers.get(challenge.header)
        answers = self.answer_counts.get(challenge.header, 0)
        repeated = last is not None and last.challenge.nonce == challenge.nonce
        reason = found.reason
        if isinstance(known, SynchronisationFailure) or (
            repeated and not challenge.stale and state == State.ANSWERED
        ):
            happened = Input.CHALLENGED_WRONG
            reason = f"{reason} and repeated the challenge that had just been answered"
        elif answers >= MAX_ANSWERS:
            happened = Input.CHALLENGED_TOO_OFTEN
            reason = f"{reason} after {answers} challenges had been answered"
        elif known is not None:
            happened = Input.CHALLENGED_KNOWN
        else:
            happened = Input.CHALLENGED
        return Finding(happened, reason, found.status, challenge, known)

    def _understand_success(self, response: Response, found: Finding) -> Finding:
        if self.removing:
            return found._replace(happened=Input.REMOVED)
        binding = read_binding(response, self.settings.contact, self.expires)
        if not binding.expires:
            return found._replace(
                happened=Input.ACCEPTED_UNBOUND,
                reason=f"{found.reason} but keeps no binding of our Contact",
            )
        return Finding(
            Input.ACCEPTED_LEAVING if self.leaving else Input.ACCEPTED,
            found.reason,
            found.status,
            binding=binding,
            hints=self._hints_of_success(response, binding),
        )

    def _understand_too_brief(self, response: Response, state: str, found: Finding) -> Finding:
        asked = min_expires(response)
        if asked is None:
            return found._replace(reason=f"{found.reason} without saying how long is long enough")
        found = found._replace(reason=f"{found.reason}, Min-Expires {asked} s")
        usable = state in (State.TRYING, State.ANSWERED) and not (self.lengthened or self.removing)
        if usable and asked > self.expires:
            return found._replace(happened=Input.TOO_BRIEF, seconds=asked)
        return found

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


def _understand_server_failure(response: Response, found: Finding) -> Finding:
    seconds = retry_after(response)
    if seconds is None:
        return found._replace(happened=Input.SERVER_FAILED)
    return found._replace(
        happened=Input.SERVER_FAILED,
        reason=f"{found.reason}, Retry-After {seconds} s",
        seconds=seconds,
    )


def understand_failure(error: Exception, state: str) -> Finding:
    """What the end of a transaction without a response means: TimeoutError or a NetworkError."""
    if isinstance(error, TimeoutError):
        found = Finding(Input.TIMED_OUT, str(error) or "the registrar did not answer")
    elif isinstance(error, TlsFailure):
        found = Finding(Input.TLS_FAILED, str(error))
    elif isinstance(error, DnsFailure):
        found = Finding(Input.DNS_FAILED, str(error))
    else:
        found = Finding(Input.UNREACHABLE, str(error))
    return found._replace(happened=Input.CONCLUDED) if state == State.REFUSING else found
