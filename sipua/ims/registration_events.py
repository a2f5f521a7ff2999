"""What the registration machine tells whoever drives it."""

from __future__ import annotations

from typing import NamedTuple

from sipua.verdict import Verdict


class AuthenticationRequired(NamedTuple):
    """The card is to answer RAND and AUTN (16 octets each); the machine waits for it."""

    rand: bytes
    autn: bytes
    scheme: str
    algorithm: str


class Registered(NamedTuple):
    """The registrar keeps a binding for ``expires`` seconds; told after every renewal too.

    ``service_route`` are Route values for later requests, ``associated_uris``
    the identities registered along, the default one first. ``scheme`` and
    ``algorithm`` are empty when nothing was asked of the card. ``hints`` are
    sentences about what is worth a look although it worked.
    """

    expires: int
    contact: str
    service_route: tuple[str, ...]
    path: tuple[str, ...]
    associated_uris: tuple[str, ...]
    resynchronised: bool
    scheme: str
    algorithm: str
    hints: tuple[str, ...]


class Retrying(NamedTuple):
    """Nothing is sent before ``at`` (a time of the caller's clock)."""

    at: float
    why: str


class Redirected(NamedTuple):
    """The next REGISTER, which stands ready, goes to ``uri``."""

    uri: str


class Ended(NamedTuple):
    """The attempt is over. ``hints`` are sentences about what to check next."""

    verdict: Verdict
    reason: str
    hints: tuple[str, ...]


RegistrationEvent = AuthenticationRequired | Registered | Retrying | Redirected | Ended
