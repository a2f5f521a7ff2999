"""Who is asking? Challenges made from vectors, and the answers to them judged.

One challenger serves one role, as registrar (401) or as proxy (407), for requests
of any method, by one scheme. It keeps the challenges which wait for an answer,
few for each subscriber and for a limited time, so that nobody can fill the
memory by asking.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from card.aka.result import AkaResponse
from sipua.auth.scheme import CHALLENGE_HEADERS, CREDENTIALS_HEADERS
from sipua.auth.selection import scheme_named
from sipua.core.session_keys import add_session_keys
from sipua.errors import CredentialsError, LocalError

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

DEFAULT_SCHEME = "aka"

_NONE: dict[str, float] = {}

# How an answer was judged
ABSENT = "absent"  # no credentials for this realm, or the empty ones of a first REGISTER
ACCEPTED = "accepted"
RESYNCHRONISED = "resynchronised"  # AUTS was right: challenge again
STALE = "stale"  # not an answer to a waiting challenge: challenge again


class Judgement(NamedTuple):
    """``word`` is one of the four above.

    ``info`` is the Authentication-Info of what was ACCEPTED, empty for a scheme
    without; ``hint`` the algorithm which the request named.
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

    ``header`` is WWW-Authenticate or Proxy-Authenticate, and ``status`` the status
    that goes with it. ``scheme`` is a name of ``sipua.auth.selection``; those of
    the patent let RES be seen, so none of them is used unless it is asked for.
    ``algorithm`` is the token asked for; None follows the hint in the request,
    and is AKAv1-MD5 without one. ``qop`` is what is offered where the scheme
    knows that; nothing gives the form of RFC 2069. ``uses`` is how many requests
    one nonce is good for, with nc counting them (RFC 7616 §3.4); a vector is
    meant for one (TS 33.203 §6.1.1).
    """

    def __init__(
        self,
        auc: Auc,
        rng: Octets,
        *,
        header: str = CHALLENGE_HEADERS[401],
        scheme: str = DEFAULT_SCHEME,
        algorithm: str | None = None,
        qop: tuple[str, ...] = ("auth", "auth-int"),
        uses: int = 1,
        tells_keys: bool = False,
    ) -> None:
        """``tells_keys``: CK and IK go along, for a P-CSCF that takes them out.

        Raises LocalError for a scheme that there is not, or an algorithm it has not.
        """
        self._tells_keys = tells_keys
        self.status = 407 if header == CHALLENGE_HEADERS[407] else 401
        self._scheme = scheme_named(scheme)
        self._tokens = {token.lower(): token for token in self._scheme.PREFERENCE if token}
        if algorithm and algorithm.lower() not in self._tokens:
            known = ", ".join(self._tokens.values()) or "none"
            raise LocalError(f"scheme {scheme} has no algorithm {algorithm}; there are: {known}")
        self._algorithm = algorithm or ""
        self._auc = auc
        self._rng = rng
        self._header = header
        self._qop = qop
        self._uses = uses
        self._waiting: dict[str, OrderedDict[str, _Waiting]] = {}

    def challenge(
        self,
        subscriber: Subscriber,
        request: Request,
        judgement: Judgement,
        now: float,
        faults: Mapping[str, float] = _NONE,
    ) -> tuple[str, str]:
        """Name and value of the header that asks for an answer.

        ``judgement`` is what became of the credentials in ``request``, ``now``
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
        scheme = self._scheme
        challenge = scheme.make_challenge(
            realm,
            vector.rand,
            vector.autn,
            self._algorithm_for(judgement.hint),
            qop_options=self._qop,
            header=self._header,
        )
        if "bad-nonce" in faults:
            challenge = challenge._replace(nonce=challenge.nonce[:20], rand=vector.rand[:10])
        key = scheme.waiting_key(challenge, request.headers.get("Call-ID") or "")
        self._remember(subscriber, key, challenge, vector, now)
        value = scheme.write_challenge(challenge)
        if self._tells_keys:
            value = add_session_keys(value, AkaResponse(b"", vector.ck, vector.ik))
        return self._header, value

    def judge(
        self, subscriber: Subscriber, request: Request, now: float, *, keep: bool = False
    ) -> Judgement:
        """What the credentials of a request are worth.

        ``keep`` leaves an answered challenge waiting, its count (if there is one)
        one higher, as long as the request has to answer another one as well.

        Raises PeerError with the status to answer: 403 for a wrong RES, a
        wrong AUTS, another's name and a card that refused our MAC, 400 for
        credentials that cannot be read or do not fit. Each of these, and each
        success, uses the challenge up.
        """
        credentials = self._credentials(request, subscriber.domain)
        if credentials is None:
            return Judgement(ABSENT)
        if credentials.username not in (subscriber.impi, ""):
            raise CredentialsError(
                f"{credentials.username} may not speak for {subscriber.impi}",
                403,
                "Not Your Identity",
            )
        hint = credentials.algorithm
        if credentials.is_initial:
            return Judgement(ABSENT, hint=hint)
        scheme = self._scheme
        key = scheme.waiting_key(credentials, request.headers.get("Call-ID") or "")
        waiting = self._waiting_of(subscriber).get(key)
        if waiting is None or waiting.until <= now:
            return Judgement(STALE, hint=hint)
        if credentials.is_reject:
            self._forget(subscriber, key)
            raise CredentialsError(
                "the terminal reports that its card refused the MAC in AUTN",
                403,
                "MAC Failure Reported",
            )
        challenge = waiting.challenge
        try:
            scheme.verify(
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
            self._forget(subscriber, key)
            raise
        if credentials.auts:
            self._forget(subscriber, key)
            return Judgement(RESYNCHRONISED, hint=hint)
        info = scheme.write_authentication_info(
            credentials, challenge, waiting.expected, request.body
        )
        if credentials.nc or not keep:
            waiting.nc += 1
        if waiting.nc > self._uses and not keep:
            self._forget(subscriber, key)
        return Judgement(ACCEPTED, info, hint)

    def _credentials(self, request: Request, realm: str) -> Credentials | None:
        """The first credentials of our scheme, and for our realm where that has realms.

        Others are for other servers.
        """
        scheme = self._scheme
        for value in request.headers.all(CREDENTIALS_HEADERS[self._header]):
            word = value.replace("\t", " ").replace(";", " ").partition(" ")[0]
            if word.lower() == scheme.AUTH_SCHEME:
                credentials = scheme.read_credentials(value)
                if credentials.realm in (realm, ""):
                    return credentials
        return None

    def _algorithm_for(self, hint: str) -> str:
        """The token asked for; a hint at MD5 and the like, which no card can answer, is passed."""
        wanted = self._algorithm or hint
        return self._tokens.get(wanted.lower(), self._scheme.DEFAULT_ALGORITHM)

    def _remember(
        self,
        subscriber: Subscriber,
        key: str,
        challenge: AkaChallenge,
        vector: Vector,
        now: float,
    ) -> None:
        waiting = self._waiting_of(subscriber)
        while waiting and (len(waiting) >= MAX_WAITING or _oldest(waiting).until <= now):
            waiting.popitem(last=False)
        expected = AkaResponse(vector.xres, vector.ck, vector.ik)
        waiting.pop(key, None)  # what was asked before in this call
        waiting[key] = _Waiting(challenge, expected, now + LIFETIME)

    def _waiting_of(self, subscriber: Subscriber) -> OrderedDict[str, _Waiting]:
        return self._waiting.setdefault(subscriber.impi, OrderedDict())

    def _forget(self, subscriber: Subscriber, key: str) -> None:
        self._waiting_of(subscriber).pop(key, None)


def _oldest(waiting: OrderedDict[str, _Waiting]) -> _Waiting:
    return next(iter(waiting.values()))
