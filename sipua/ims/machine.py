"""What every machine does whose requests may be challenged: ask the card, tell what it said.

Sans-I/O: it is told what happened and when, and hands out requests and events.
What follows on what stands in a table (``sipua.ims.table``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.answers import MAX_ANSWERS
from sipua.auth.scheme import CHALLENGE_HEADERS
from sipua.auth.selection import NoAkaOffered
from sipua.errors import ChallengeError, DnsFailure, LocalError, PeerError, TlsFailure
from sipua.ims.events import AuthenticationRequired, Event
from sipua.ims.table import Input, Row, State

if TYPE_CHECKING:
    from sipua.auth.answers import Answers
    from sipua.auth.scheme import AkaChallenge, Outcome
    from sipua.ims.register_response import Binding
    from sipua.sip.message import Request, Response
    from sipua.verdict import Verdict

AWAITING = (State.TRYING, State.ANSWERED, State.RESYNCHRONISING, State.REFUSING)


class Finding:
    """What an input was understood to be, and what its action needs to know.

    Filled in while it is looked into. ``seconds`` is Retry-After, Min-Expires,
    or for LOST the time to try at.
    """

    challenge: AkaChallenge | None = None
    binding: Binding | None = None
    response: Response | None = None
    seconds: float = 0.0
    target: str = ""
    hints: tuple[str, ...] = ()

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


class Machine:
    """Requests of one kind, their challenges, and one outcome for each attempt.

    ``state`` is for display. All times are seconds of the caller's clock. Who
    drives it tells what happened by the five methods ``response_received``,
    ``request_failed``, ``card_answered``, ``card_failed`` and ``tick``, and
    takes requests and events afterwards.
    """

    TRANSITIONS: dict[tuple[str, str], Row] = {}
    PEER = "network"
    """Who answers, as reasons call it."""

    def __init__(self, answers: Answers, refusal_wait: float) -> None:
        """``refusal_wait`` is how many seconds the notice that AUTN was refused may take."""
        self.state = State.IDLE
        self._answers = answers
        self._refusal_wait = refusal_wait
        self._requests: list[Request] = []
        self._events: list[Event] = []
        self._deadline: float | None = None

    # What happens to it ---------------------------------------------------------------

    def response_received(self, response: Response, now: float) -> None:
        """Take the final response to the last request; all others are passed over."""
        if self.state in AWAITING and response.status >= 200 and self._is_ours(response):
            self._handle(self._understand(response), now)

    def request_failed(self, error: Exception, now: float) -> None:
        """The last request got no response: TimeoutError for silence, else a NetworkError."""
        if self.state in AWAITING:
            self._handle(self._understand_failure(error), now)

    def card_answered(self, outcome: Outcome, now: float) -> None:
        """Take the card's answer to AuthenticationRequired; raises LocalError unasked."""
        if isinstance(outcome, AkaResponse):
            happened = Input.CARD_RES
        elif isinstance(outcome, MacFailure):
            happened = Input.CARD_MAC_FAILURE
        elif self._answers.resynchronised:
            happened = Input.CARD_AUTS_AGAIN
        else:
            happened = Input.CARD_AUTS
        reason = "the card is out of step with the challenge that followed AUTS, too"
        self._call(Finding(happened, reason, outcome=outcome), now)

    def card_failed(self, now: float, reason: str = "", verdict: Verdict | None = None) -> None:
        """The card cannot answer AuthenticationRequired; raises LocalError unasked.

        ``verdict`` tells more than the card-error it is otherwise.
        """
        reason = reason or "the card did not answer the challenge"
        self._call(Finding(Input.CARD_FAILED, reason, verdict=verdict), now)

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._deadline is not None and now >= self._deadline:
            self._handle(Finding(Input.DUE, f"the {self.PEER} did not answer"), now)

    def take_requests(self) -> list[Request]:
        """Requests to be sent now, each in a client transaction of its own."""
        requests, self._requests = self._requests, []
        return requests

    def take_events(self) -> list[Event]:
        """What has come of it since the last time."""
        events, self._events = self._events, []
        return events

    # What it means --------------------------------------------------------------------

    def _cseq(self) -> str:
        """CSeq of the last request, as its response repeats it."""
        raise NotImplementedError

    def _understand(self, response: Response) -> Finding:
        status = response.status
        reason = f"the {self.PEER} answered {status} {response.reason}".rstrip()
        found = Finding(Input.REFUSED, reason, status)
        if self.state == State.REFUSING:
            found.happened = Input.CONCLUDED
        elif status in CHALLENGE_HEADERS:
            self._understand_challenge(response, found)
        else:
            self._understand_other(response, found)
        return found

    def _understand_other(self, response: Response, found: Finding) -> None:
        """What a final response that is no challenge means in this state."""
        raise NotImplementedError

    def _is_ours(self, response: Response) -> bool:
        if response.headers.get("CSeq") == self._cseq():
            return True
        try:
            return str(response.cseq) == self._cseq()
        except PeerError:
            return False

    def _understand_challenge(self, response: Response, found: Finding) -> None:
        """What a 401 or 407 asks for, and whether it may."""
        answers = self._answers
        try:
            challenge = answers.choose(response)
        except ChallengeError as error:
            no_aka = isinstance(error, NoAkaOffered)
            found.happened = Input.NO_AKA if no_aka else Input.BAD_CHALLENGE
            found.reason = str(error)
            return
        found.challenge = challenge
        known = found.outcome = answers.outcomes.get((challenge.rand, challenge.autn))
        repeated = answers.has_answered(challenge)
        if isinstance(known, SynchronisationFailure) or (
            repeated and not challenge.stale and self.state == State.ANSWERED
        ):
            found.happened = Input.CHALLENGED_WRONG
            found.reason += " and repeated the challenge that had just been answered"
        elif answers.rounds(challenge) >= MAX_ANSWERS:
            found.happened = Input.CHALLENGED_TOO_OFTEN
            found.reason += f" after {answers.rounds(challenge)} challenges had been answered"
        elif known is not None:
            found.happened = Input.CHALLENGED_KNOWN
        else:
            found.happened = Input.CHALLENGED

    def _understand_failure(self, error: Exception) -> Finding:
        """What the end of a transaction without a response means."""
        silence = str(error) or f"the {self.PEER} did not answer"
        if self.state == State.REFUSING:
            return Finding(Input.CONCLUDED, silence)
        if isinstance(error, TimeoutError):
            return Finding(Input.TIMED_OUT, silence)
        if isinstance(error, TlsFailure):
            return Finding(Input.TLS_FAILED, str(error))
        if isinstance(error, DnsFailure):
            return Finding(Input.DNS_FAILED, str(error))
        return Finding(Input.UNREACHABLE, str(error))

    def _call(self, found: Finding, now: float) -> None:
        if (self.state, found.happened) not in self.TRANSITIONS:
            raise LocalError(f"{found.happened} makes no sense in state {self.state}")
        self._handle(found, now)

    def _handle(self, found: Finding, now: float) -> None:
        row = self.TRANSITIONS.get((self.state, found.happened))
        if row is None:
            return
        found.verdict = found.verdict or row.verdict
        self.state = row.next_state
        self._deadline = None
        getattr(self, f"_{row.action}")(found, now)

    # What is done ---------------------------------------------------------------------

    def _send_answers(self) -> None:
        """Have the request sent once more, with every answer there is."""
        raise NotImplementedError

    def _ask_card(self, found: Finding, _now: float) -> None:
        challenge = found.challenge
        assert challenge is not None
        self._answers.asked = challenge
        self._events.append(
            AuthenticationRequired(
                challenge.rand, challenge.autn, challenge.scheme, challenge.algorithm
            )
        )

    def _answer(self, found: Finding, _now: float) -> None:
        assert self._answers.asked is not None
        assert found.outcome is not None
        self._answers.take(self._answers.asked, found.outcome)
        self._send_answers()

    _resynchronise = _answer

    def _answer_again(self, found: Finding, _now: float) -> None:
        assert found.challenge is not None
        assert found.outcome is not None
        self._answers.take(found.challenge, found.outcome)
        self._send_answers()

    def _refuse(self, found: Finding, now: float) -> None:
        self._answer(found, now)
        self._deadline = now + self._refusal_wait


def sentence(reason: str) -> str:
    """The reason as a sentence for people; one that begins with an address keeps its letters."""
    text = reason or "no reason was given"
    is_address = ":" in text.partition(" ")[0].rstrip(":")
    return f"{text}." if is_address else f"{text[0].upper()}{text[1:]}."
