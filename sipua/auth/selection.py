"""Which of the challenges in a response is answered, and why the others are not.

``SCHEMES`` is the one list of schemes, in the order of preference. The patent's
three, which hardly any server speaks, are imported when one is met or asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.scheme import CHALLENGE_HEADERS, AkaChallenge
from sipua.auth.schemes import aka
from sipua.errors import ChallengeError, LocalError, ParseError
from sipua.sip.headers import split_challenges

if TYPE_CHECKING:
    from collections.abc import Collection

    from sipua.auth.scheme_interface import Scheme
    from sipua.sip.headers import Challenge
    from sipua.sip.message import Response

SCHEMES = ("aka", "umts", "digest-umts", "pgp-umts")

_MARK = "umts"
"""Every challenge of the patent's modes has this in it, in some case."""

_SERVER_FIRST = (CHALLENGE_HEADERS[401], CHALLENGE_HEADERS[407])
_PROXY_FIRST = _SERVER_FIRST[::-1]


class NoAkaOffered(ChallengeError):
    """The response asks for something that no card can answer."""


class Offer:
    """One challenge of a response.

    Exactly one of ``challenge`` and ``problem`` is given; ``malformed`` tells a
    broken AKA challenge from one of another kind.
    """

    __slots__ = ("_source", "challenge", "malformed", "problem")

    def __init__(
        self,
        source: Challenge | str,
        challenge: AkaChallenge | None,
        problem: str = "",
        *,
        malformed: bool = False,
    ) -> None:
        self._source = source
        self.challenge = challenge
        self.problem = problem
        self.malformed = malformed

    @property
    def what(self) -> str:
        """Scheme, algorithm and realm, for people."""
        return self._source if isinstance(self._source, str) else _name(self._source)


def scheme_named(name: str) -> Scheme:
    """The scheme of this name; raises LocalError when there is none."""
    if name == "aka":
        return aka
    from sipua.auth.schemes import digest_umts, pgp_umts, umts

    of_the_patent: tuple[Scheme, ...] = (umts, digest_umts, pgp_umts)
    for scheme in of_the_patent:
        if name == scheme.NAME:
            return scheme
    raise LocalError(f"there is no scheme {name}; there are: {', '.join(SCHEMES)}")


def scheme_of(challenge: AkaChallenge) -> Scheme:
    """The scheme that read this challenge and writes its answer."""
    return scheme_named(challenge.scheme)


def check_names(allowed: Collection[str]) -> None:
    """Raise LocalError for a name that is neither of a scheme nor of an algorithm."""
    known = {name.lower() for name in SCHEMES}
    algorithms = [token for name in SCHEMES for token in scheme_named(name).PREFERENCE if token]
    algorithms = list(dict.fromkeys(algorithms))
    known.update(token.lower() for token in algorithms)
    for name in allowed:
        if name.lower() not in known:
            raise LocalError(
                f'there is no scheme or algorithm "{name}"; the schemes are '
                f"{', '.join(SCHEMES)}, the algorithms {', '.join(algorithms)}"
            )


def offered(response: Response) -> list[Offer]:
    """Every challenge of a 401 or 407, in the order it stands there."""
    for header in _PROXY_FIRST if response.status == 407 else _SERVER_FIRST:
        values = response.headers.all(header)
        if values:
            return [offer for value in values for offer in _offers_in(value, header)]
    return []


def _offers_in(value: str, header: str) -> list[Offer]:
    schemes: tuple[Scheme, ...] = (aka,)
    try:
        if _MARK in value.lower():
            schemes = tuple(scheme_named(name) for name in SCHEMES)
            challenges = _read_any(value)
        else:
            challenges = split_challenges(value)
    except ParseError:
        try:  # an unknown scheme need not keep to RFC 3261's grammar
            challenges = _read_any(value)
        except ParseError as error:
            return [Offer(f"a {header} that cannot be read", None, str(error), malformed=True)]
    return [_offer(challenge, header, schemes) for challenge in challenges]


def _read_any(value: str) -> list[Challenge]:
    from sipua.auth.challenge_list import read_challenges

    return read_challenges(value)


def _offer(challenge: Challenge, header: str, schemes: tuple[Scheme, ...]) -> Offer:
    for scheme in schemes:
        if scheme.recognises(challenge):
            try:
                return Offer(challenge, scheme.read(challenge, header))
            except ChallengeError as error:
                return Offer(challenge, None, str(error), malformed=True)
    return Offer(challenge, None, "it asks for a password, or for what this program does not know")


def select(offers: list[Offer], allowed: Collection[str] = ()) -> AkaChallenge:
    """The challenge to answer: the first scheme's best algorithm (RFC 4169 §4.1).

    ``allowed`` holds names of schemes or algorithms; empty means all. Raises
    NoAkaOffered when nothing is of AKA or allowed, ChallengeError when what is
    of AKA is malformed.
    """
    usable = [offer.challenge for offer in offers if offer.challenge is not None]
    if len(usable) != 1 or allowed:
        usable = _by_preference(usable, allowed)
    if usable:
        return usable[0]
    for offer in offers:
        if offer.malformed:
            raise ChallengeError(f"{offer.what}: {offer.problem}")
    if not offers:
        raise ChallengeError("the response asks for credentials but holds no challenge")
    names = ", ".join(offer.what for offer in offers)
    restricted = any(offer.challenge is not None for offer in offers)
    why = "which is not among the schemes allowed" if restricted else "which needs a password"
    raise NoAkaOffered(f"the server offers {names}, {why}; nothing was answered")


def _by_preference(challenges: list[AkaChallenge], allowed: Collection[str]) -> list[AkaChallenge]:
    names = {name.lower() for name in allowed}
    wanted = [
        challenge
        for challenge in challenges
        if not names or challenge.scheme in names or challenge.algorithm.lower() in names
    ]
    wanted.sort(key=_rank)
    return wanted


def _rank(challenge: AkaChallenge) -> tuple[int, int]:
    algorithms = scheme_of(challenge).PREFERENCE
    return SCHEMES.index(challenge.scheme), algorithms.index(challenge.algorithm)


def _name(challenge: Challenge) -> str:
    algorithm = challenge.get("algorithm") or (
        "MD5" if challenge.scheme.lower() == "digest" else ""
    )
    name = f"{challenge.scheme} {algorithm}".strip()
    realm = challenge.get("realm")
    return f'{name} for realm "{realm}"' if realm else name
