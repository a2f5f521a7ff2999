"""Who is asking? Challenges made from vectors, and the answers to them judged.

One challenger serves one role: as registrar (401) or as proxy (407). It keeps
the challenges which wait for an answer, few for each subscriber and for a
limited time, so that nobody can fill the memory by asking.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from card.aka.result import AkaResponse
from sipua.auth.algorithm import algorithm_of
from sipua.auth.scheme import CREDENTIALS_HEADERS
from sipua.auth.schemes import aka
from sipua.errors import ChallengeError, CredentialsError, LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from card.aka.vector import Vector
    from sipua.auth.scheme import AkaChallenge, Credentials
    from sipua.core.auc import Auc, Octets
    from sipua.core.subscriber import Subscriber
    from sipua.sip.message import Request

MAX_WAITING = 64
"""Challenges that may wait for an answer, for each subscriber; the oldest goes first."""

LIFETIME = 240.0
"""Seconds a challenge waits for its answer: reg-await-auth of TS 24.229 §7.8."""

DEFAULT_ALGORITHM = "AKAv1-MD5"

_NONE: dict[str, float] = {}

# How an answer was judged
ABSENT = "absent"  # no credentials for this realm, or the empty ones of a first REGISTER
ACCEPTED = "accepted"
RESYNCHRONISED = "resynchronised"  # AUTS was right: challenge again
STALE = "stale"  # not an answer to a waiting challenge: challenge again


class Judgement(NamedTuple):
    """``word`` is one of the four above.

    ``info`` is the Authentication-Info of what was ACCEPTED, ``hint`` the
    algorithm which the request named.
    """

    word: str
    info: str = ""
    hint: str = ""


class _Waiting:
    """A challenge that was sent. ``expected`` is what the card will say to it, ``nc`` the
    count of its next use, ``until`` when it is forgotten."""

    __slots__ = ("challenge", "expected", "nc", "until")

    def __init__(self, challenge: AkaChallenge, expected: AkaResponse, until: float) -> None:
        self.challenge = challenge
        self.expected = expected
        self.until = until
        self.nc = 1


class Challenger:
    """Challenges subscribers and judges their answers.

    ``header`` is WWW-Authenticate or Proxy-Authenticate. ``algorithm`` is the
    token asked for; None follows the hint in the request, and is AKAv1-MD5
    without one. ``qop`` is what is offered; nothing gives the form of RFC 2069.
    ``uses`` is how many requests one nonce is good for, with nc counting them
    (RFC 7616 §3.4); a vector is meant for one (TS 33.203 §6.1.1).
    """

    def __init__(
        self,
        auc: Auc,
        rng: Octets,
        *,
        header: str = "WWW-Authenticate",
        algorithm: str | None = None,
        qop: tuple[str, ...] = ("auth", "auth-int"),
        uses: int = 1,
    ) -> None:
        """Raises LocalError for an algorithm that is not Digest AKA's."""
        try:
            self._algorithm = algorithm_of(algorithm).token if algorithm else ""
        except ChallengeError as error:
            raise LocalError(f"{error}; there are: {', '.join(aka.PREFERENCE)}") from error
        self._auc = auc
        self._rng = rng
        self._header = header
        self._qop = qop
        self._uses = uses
        self._waiting: dict[str, OrderedDict[str, _Waiting]] = {}

    def challenge(
        self,
        subscriber: Subscriber,
        judgement: Judgement,
        now: float,
        faults: Mapping[str, float] = _NONE,
    ) -> tuple[str, str]:
        """Name and value of the header that asks for an answer.

        ``judgement`` is what became of the credentials in the request, ``now``
        in seconds. Raises StateError (card.errors) when the AuC's counter
        cannot be kept.
        """
        realm = subscriber.domain
        if "md5" in faults:
            nonce = self._rng.randbytes(16).hex()
            return self._header, f'Digest realm="{realm}", nonce="{nonce}", algorithm=MD5'
        behind = "sqn-always-behind" in faults or (
            "sqn-behind" in faults and judgement.word != RESYNCHRONISED
        )
        vector = self._auc.vector(subscriber.impi, behind=behind, wrong_mac="wrong-mac" in faults)
        challenge = aka.make_challenge(
            realm,
            vector.rand,
            vector.autn,
            self._algorithm_for(judgement.hint),
            qop_options=self._qop,
            header=self._header,
        )
        if "bad-nonce" in faults:
            challenge = challenge._replace(nonce=challenge.nonce[:20])
        self._remember(subscriber, challenge, vector, now)
        return self._header, aka.write_challenge(challenge)

    def judge(self, subscriber: Subscriber, request: Request, now: float) -> Judgement:
        """What the credentials of a request are worth.

        Raises PeerError with the status to answer: 403 for a wrong RES, a
        wrong AUTS, another's name and a card that refused our MAC, 400 for
        credentials that cannot be read or do not fit. Each of these, and each
        success, uses the challenge up.
        """
        credentials = self._credentials(request, subscriber.domain)
        if credentials is None:
            return Judgement(ABSENT)
        if credentials.username != subscriber.impi:
            raise CredentialsError(
                f"{credentials.username} may not speak for {subscriber.impi}",
                403,
                "Not Your Identity",
            )
        hint = credentials.algorithm
        if credentials.is_initial:
            return Judgement(ABSENT, hint=hint)
        waiting = self._waiting_of(subscriber).get(credentials.nonce)
        if waiting is None or waiting.until <= now:
            return Judgement(STALE, hint=hint)
        if credentials.is_reject:
            self._forget(subscriber, credentials)
            raise CredentialsError(
                "the terminal reports that its card refused the MAC in AUTN",
                403,
                "MAC Failure Reported",
            )
        challenge = waiting.challenge
        try:
            aka.verify(
                credentials,
                challenge,
                waiting.expected,
                username=subscriber.impi,
                method=request.method,
                uri=request.uri,
                body=request.body,
                nc=waiting.nc,
            )
            if credentials.auts:
                self._auc.resynchronise(subscriber.impi, challenge.rand, credentials.auts)
        except CredentialsError as error:
            if error.status == 401:  # the count is wrong; the digest was not looked at
                return Judgement(STALE, hint=hint)
            self._forget(subscriber, credentials)
            raise
        if credentials.auts:
            self._forget(subscriber, credentials)
            return Judgement(RESYNCHRONISED, hint=hint)
        info = aka.write_authentication_info(credentials, challenge, waiting.expected, request.body)
        waiting.nc += 1
        if waiting.nc > self._uses:
            self._forget(subscriber, credentials)
        return Judgement(ACCEPTED, info, hint)

    def _credentials(self, request: Request, realm: str) -> Credentials | None:
        """The first Digest credentials for our realm; others are for other servers."""
        for value in request.headers.all(CREDENTIALS_HEADERS[self._header]):
            if value.replace("\t", " ").partition(" ")[0].lower() == "digest":
                credentials = aka.read_credentials(value)
                if credentials.realm == realm:
                    return credentials
        return None

    def _algorithm_for(self, hint: str) -> str:
        if self._algorithm:
            return self._algorithm
        try:
            return algorithm_of(hint).token if hint else DEFAULT_ALGORITHM
        except ChallengeError:  # MD5 and the like: not what a card can answer
            return DEFAULT_ALGORITHM

    def _remember(
        self, subscriber: Subscriber, challenge: AkaChallenge, vector: Vector, now: float
    ) -> None:
        waiting = self._waiting_of(subscriber)
        while waiting and (len(waiting) >= MAX_WAITING or _oldest(waiting).until <= now):
            waiting.popitem(last=False)
        expected = AkaResponse(vector.xres, vector.ck, vector.ik)
        waiting[challenge.nonce] = _Waiting(challenge, expected, now + LIFETIME)

    def _waiting_of(self, subscriber: Subscriber) -> OrderedDict[str, _Waiting]:
        return self._waiting.setdefault(subscriber.impi, OrderedDict())

    def _forget(self, subscriber: Subscriber, credentials: Credentials) -> None:
        self._waiting_of(subscriber).pop(credentials.nonce, None)


def _oldest(waiting: OrderedDict[str, _Waiting]) -> _Waiting:
    return next(iter(waiting.values()))
