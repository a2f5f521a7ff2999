"""What the REGISTERs of one registration have in common: Call-ID, CSeq, and what was answered.

RFC 3261 §10.2.4 wants one Call-ID and a rising CSeq for all of them; RFC 7616
§3.4 a count for each nonce; and a card must not see an AUTN twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from card.aka.result import SynchronisationFailure
from sipua.auth.scheme import CHALLENGE_HEADERS, AkaChallenge, Answer, Outcome
from sipua.auth.schemes.aka import initial_credentials
from sipua.auth.selection import scheme_of
from sipua.ims.register_request import METHOD, RegisterWriter

if TYPE_CHECKING:
    from sipua.ims.register_request import RegistrationSettings
    from sipua.sip.message import Request

MAX_REMEMBERED = 8
"""Vectors whose outcome is kept."""


class Randomness(Protocol):
    """What is needed of random.Random."""

    def getrandbits(self, k: int, /) -> int:
        """An integer of ``k`` random bits."""
        ...


class RegistrationDialog:
    """Writes the requests of one registration.

    ``answers`` holds the last answer by the header of its challenge, the newest
    last; ``outcomes`` what the card said, by RAND and AUTN.
    """

    __slots__ = ("_call_id", "_cseq", "_rng", "_settings", "_tag", "_writer", "answers", "outcomes")

    def __init__(
        self, settings: RegistrationSettings, writer: RegisterWriter, rng: Randomness
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._rng = rng
        random = f"{rng.getrandbits(192):048x}"
        self._call_id, self._tag = random[:32], random[32:]
        self._cseq = 0
        self.answers: dict[str, Answer] = {}
        self.outcomes: dict[tuple[bytes, bytes], Outcome] = {}

    @property
    def cseq(self) -> str:
        """CSeq of the last request, as its response repeats it."""
        return f"{self._cseq} {METHOD}"

    @property
    def is_used(self) -> bool:
        """Whether a request has been written."""
        return self._cseq > 0

    @property
    def last_challenge(self) -> AkaChallenge | None:
        """The challenge answered last."""
        answers = self.answers
        return next(reversed(answers.values())).challenge if answers else None

    def opening(self, uri: str, expires: int, *, reuse: bool) -> Request:
        """The first request of an attempt.

        With ``reuse`` it carries the last answers, counted on, where those may
        serve again (TS 24.229 §5.1.1.4.1); else the empty credentials.
        """
        for vector, outcome in list(self.outcomes.items()):
            if isinstance(outcome, SynchronisationFailure):
                del self.outcomes[vector]
        if not reuse or not all(answer.is_reusable for answer in self.answers.values()):
            self.answers.clear()
        return self.counted_on(uri, expires)

    def answering(
        self, challenge: AkaChallenge, outcome: Outcome, uri: str, expires: int
    ) -> Request:
        """The request that tells the outcome of this challenge."""
        last = self.answers.pop(challenge.header, None)
        if last is None or last.challenge.nonce != challenge.nonce:
            self.outcomes[challenge.rand, challenge.autn] = outcome
            if len(self.outcomes) > MAX_REMEMBERED:
                del self.outcomes[next(iter(self.outcomes))]
            settings = self._settings
            cnonce = f"{self._rng.getrandbits(64):016x}"
            last = Answer(challenge, outcome, settings.impi, cnonce, 0, settings.plain_res)
        self.answers[challenge.header] = last
        return self.counted_on(uri, expires)

    def counted_on(self, uri: str, expires: int) -> Request:
        """A request with every answer there is, each nonce used once more."""
        credentials: list[tuple[str, str]] = []
        for header, answer in self.answers.items():
            counted = answer._replace(nc=answer.nc + 1)
            self.answers[header] = counted
            credentials.append(scheme_of(counted.challenge).write_credentials(counted, METHOD, uri))
        if CHALLENGE_HEADERS[401] not in self.answers:
            settings = self._settings
            empty = initial_credentials(settings.impi, settings.domain, uri, settings.algorithm)
            credentials.insert(0, ("Authorization", empty))
        self._cseq += 1
        return self._writer.write(
            uri,
            self._call_id,
            self._tag,
            self.cseq,
            expires=expires,
            credentials=credentials,
        )
