"""What a machine tells whoever drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipua.sip.message import Response
    from sipua.verdict import Verdict


class Event:
    """One piece of news; nothing in it is secret."""

    __slots__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({values})"


class AuthenticationRequired(Event):
    """The card is to answer RAND and AUTN (16 octets each); the machine waits for it."""

    __slots__ = ("algorithm", "autn", "rand", "scheme")

    def __init__(self, rand: bytes, autn: bytes, scheme: str, algorithm: str) -> None:
        self.rand = rand
        self.autn = autn
        self.scheme = scheme
        self.algorithm = algorithm


class Registered(Event):
    """The registrar keeps a binding for ``expires`` seconds; told after every renewal too.

    ``service_route`` are Route values for later requests, ``associated_uris``
    the identities registered along, the default one first. ``scheme`` and
    ``algorithm`` are empty when nothing was asked of the card. ``hints`` are
    sentences about what is worth a look although it worked.
    """

    __slots__ = (
        "algorithm",
        "associated_uris",
        "contact",
        "expires",
        "hints",
        "path",
        "resynchronised",
        "scheme",
        "service_route",
    )

    def __init__(
        self,
        *,
        expires: int,
        contact: str,
        service_route: tuple[str, ...],
        path: tuple[str, ...],
        associated_uris: tuple[str, ...],
        resynchronised: bool,
        scheme: str,
        algorithm: str,
        hints: tuple[str, ...],
    ) -> None:
        self.expires = expires
        self.contact = contact
        self.service_route = service_route
        self.path = path
        self.associated_uris = associated_uris
        self.resynchronised = resynchronised
        self.scheme = scheme
        self.algorithm = algorithm
        self.hints = hints


class Retrying(Event):
    """Nothing is sent before ``at`` (a time of the caller's clock)."""

    __slots__ = ("at", "why")

    def __init__(self, at: float, why: str) -> None:
        self.at = at
        self.why = why


class Redirected(Event):
    """The next REGISTER, which stands ready, goes to ``uri``."""

    __slots__ = ("uri",)

    def __init__(self, uri: str) -> None:
        self.uri = uri


class Ended(Event):
    """The attempt is over. ``hints`` are sentences about what to check next."""

    __slots__ = ("hints", "reason", "verdict")

    def __init__(self, verdict: Verdict, reason: str, hints: tuple[str, ...]) -> None:
        self.verdict = verdict
        self.reason = reason
        self.hints = hints


class Answered(Event):
    """A request that is no REGISTER was accepted; ``response`` is the 2xx."""

    __slots__ = ("hints", "response", "resynchronised")

    def __init__(self, response: Response, resynchronised: bool, hints: tuple[str, ...]) -> None:
        self.response = response
        self.resynchronised = resynchronised
        self.hints = hints
