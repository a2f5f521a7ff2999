"""What a user agent says to challenges: a vector goes to the card once, a nonce is counted.

RFC 7616 §3.4 wants a count for each nonce, RFC 3261 §22.3 the answer to every
proxy on the way in each request; and a card that saw an AUTN twice would take
it for a replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse, SynchronisationFailure
from sipua.auth.scheme import CHALLENGE_HEADERS, AkaChallenge, Answer, Outcome
from sipua.auth.selection import offered, scheme_of, select
from sipua.errors import PeerError

if TYPE_CHECKING:
    from sipua.randomness import Randomness
    from sipua.sip.message import Response

MAX_ANSWERS = 2
"""RES sent in one attempt for one header: a server that lost its first challenge may ask
again, one that asks a third time never stops."""

MAX_REMEMBERED = 8
"""Vectors whose outcome is kept, and answers that go into one request."""


class Answers:
    """The answers of one subscriber in one series of requests, and what led to them.

    ``given`` holds the last answer to each who challenges, the newest last;
    ``outcomes`` what the card said, by RAND and AUTN. ``asked`` is the challenge
    the card was last asked about in this attempt, ``resynchronised`` whether
    AUTS was sent in it. ``allowed`` restricts what is answered, by scheme or
    algorithm.
    """

    __slots__ = (
        "_allowed",
        "_counts",
        "_plain_res",
        "_rng",
        "_username",
        "asked",
        "given",
        "outcomes",
        "resynchronised",
    )

    def __init__(
        self,
        username: str,
        rng: Randomness,
        allowed: tuple[str, ...] = (),
        *,
        plain_res: bool = False,
    ) -> None:
        self._username = username
        self._rng = rng
        self._allowed = allowed
        self._plain_res = plain_res
        self.given: dict[str, Answer] = {}
        self.outcomes: dict[tuple[bytes, bytes], Outcome] = {}
        self.start_attempt()

    def start_attempt(self) -> None:
        """Count the rounds anew."""
        self._counts: dict[str, int] = {}
        self.asked: AkaChallenge | None = None
        self.resynchronised = False

    @property
    def last_challenge(self) -> AkaChallenge | None:
        """The challenge answered last."""
        return next(reversed(self.given.values())).challenge if self.given else None

    def choose(self, response: Response) -> AkaChallenge:
        """The challenge of a 401 or 407 to be answered; raises ChallengeError, NoAkaOffered."""
        return select(offered(response), self._allowed)

    def has_answered(self, challenge: AkaChallenge) -> bool:
        """Whether the last answer to who sent this was to this very nonce."""
        last = self.given.get(_asker(challenge))
        return last is not None and last.challenge.repeats(challenge)

    def rounds(self, challenge: AkaChallenge) -> int:
        """How often RES was sent in this attempt to challenges of this header."""
        return self._counts.get(challenge.header, 0)

    def take(self, challenge: AkaChallenge, outcome: Outcome) -> None:
        """Have ``outcome`` told, in the next request, to who sent this challenge."""
        if isinstance(outcome, AkaResponse):
            self._counts[challenge.header] = self.rounds(challenge) + 1
        elif isinstance(outcome, SynchronisationFailure):
            self.resynchronised = True
        asker = _asker(challenge)
        last = self.given.pop(asker, None)
        if last is None or not last.challenge.repeats(challenge):
            self.outcomes[challenge.rand, challenge.autn] = outcome
            if len(self.outcomes) > MAX_REMEMBERED:
                del self.outcomes[next(iter(self.outcomes))]
            cnonce = f"{self._rng.getrandbits(64):016x}"
            last = Answer(challenge, outcome, self._username, cnonce, 0, self._plain_res)
        self.given[asker] = last
        if len(self.given) > MAX_REMEMBERED:
            del self.given[next(iter(self.given))]

    def forget_unusable(self, *, reuse: bool) -> None:
        """Drop what must not begin another attempt: each AUTS, and answers not to be reused."""
        for vector, outcome in list(self.outcomes.items()):
            if isinstance(outcome, SynchronisationFailure):
                del self.outcomes[vector]
        if not reuse or not all(answer.is_reusable for answer in self.given.values()):
            self.given.clear()

    def credentials(self, method: str, uri: str, body: bytes = b"") -> list[tuple[str, str]]:
        """Header fields with every answer there is, each nonce used once more."""
        fields: list[tuple[str, str]] = []
        for asker, answer in self.given.items():
            counted = answer.counted()
            self.given[asker] = counted
            fields.append(
                scheme_of(counted.challenge).write_credentials(counted, method, uri, body)
            )
        return fields

    def doubts(self, response: Response, uri: str) -> list[tuple[str, PeerError]]:
        """Where the server was to prove itself and did not: the header field, and why not."""
        found: list[tuple[str, PeerError]] = []
        for answer in self.given.values():
            name = _PROOFS[answer.challenge.header]
            value = response.headers.get(name)
            if value is not None:
                scheme = scheme_of(answer.challenge)
                try:
                    scheme.check_authentication_info(value, answer, uri, response.body)
                except PeerError as error:
                    found.append((name, error))
        return found


_PROOFS = {
    CHALLENGE_HEADERS[401]: "Authentication-Info",
    CHALLENGE_HEADERS[407]: "Proxy-Authentication-Info",
}


def _asker(challenge: AkaChallenge) -> str:
    """Who asks: the server, of which there is one, or one of the proxies by its realm."""
    if challenge.header == CHALLENGE_HEADERS[401]:
        return challenge.header
    return f"{challenge.header} {challenge.realm}"
