"""Faults on request: what a network does wrong when a test wants it to.

A fault is written ``NAME``, ``NAME=VALUE``, ``NAME@SUBSCRIBER`` or
``NAME=VALUE@SUBSCRIBER``; the subscriber is an IMSI, IMPI or IMPU, and without
it the fault holds for everybody. ``CATALOGUE`` is the whole list, with the
sentence that ``sipua core --help`` prints for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Kind(NamedTuple):
    """One fault there is.

    ``value`` is what its VALUE means ("" where it takes none), ``default`` the
    value used when none is written, ``most`` the largest that is taken.
    ``packets`` says that it acts on packets at the edge of the core rather than
    on the registrar's decisions.
    """

    help: str
    value: str = ""
    default: float = 0
    most: float = 0
    packets: bool = False


MOST_SECONDS = 2**32 - 1
"""RFC 3261 §20.19, §20.33: seconds in headers are 32-bit numbers."""

CATALOGUE: dict[str, Kind] = {
    # What the AuC puts into the challenge
    "wrong-mac": Kind("AUTN carries a wrong MAC, as if the AuC held another key"),
    "sqn-behind": Kind("the SQN is an old one until the card has answered with AUTS"),
    "sqn-always-behind": Kind("the SQN is an old one, before and after AUTS"),
    # What the registrar puts around it
    "md5": Kind("a password is asked for (Digest MD5), not the SIM"),
    "bad-nonce": Kind("the nonce holds too few octets for RAND and AUTN"),
    "challenge-loop": Kind("every answer, right or wrong, is challenged again"),
    # Refusals before any challenge
    "302": Kind("302 Moved Temporarily to this PORT of the same address", "PORT", 5060, 65535),
    "403": Kind("403 Forbidden"),
    "404": Kind("404 Not Found"),
    "421": Kind("421 Extension Required: sec-agree (RFC 3329)"),
    "423": Kind(
        "423 Interval Too Brief below SECONDS (Min-Expires)", "SECONDS", 3600, MOST_SECONDS
    ),
    "494": Kind("494 Security Agreement Required (RFC 3329)"),
    "500": Kind("500 Server Internal Error"),
    "503": Kind("503 Service Unavailable with Retry-After", "SECONDS", 30, MOST_SECONDS),
    # What the network does by itself
    "deregister": Kind(
        "ends a registration SECONDS after it was made: deactivated", "SECONDS", 30, MOST_SECONDS
    ),
    "deregister-probation": Kind(
        "the same: probation, to be tried again after 30 s", "SECONDS", 30, MOST_SECONDS
    ),
    "deregister-rejected": Kind(
        "the same: rejected, not to be tried again", "SECONDS", 30, MOST_SECONDS
    ),
    "shorten": Kind(
        "cuts a registration to 60 s, SECONDS after each REGISTER, to have it authenticated anew",
        "SECONDS",
        30,
        MOST_SECONDS,
    ),
    "restoration": Kind(
        "504 to a request, N times: the registration is lost, and a new one asked for",
        "N",
        1,
        10**6,
    ),
    # What becomes of calls
    "invite-302": Kind("INVITE: 302 Moved Temporarily to this PORT", "PORT", 5060, 65535),
    "invite-486": Kind("INVITE: 486 Busy Here, though nobody was asked"),
    "invite-503": Kind(
        "INVITE: 503 Service Unavailable with Retry-After", "SECONDS", 30, MOST_SECONDS
    ),
    "invite-603": Kind("INVITE: 603 Decline, though nobody was asked"),
    "invite-407-storm": Kind("INVITE: 407 to every answer, right or wrong, without end"),
    "invite-two-realms": Kind("INVITE: 407 with a challenge of another realm before ours"),
    "invite-long-challenge": Kind("INVITE: 407 with N parameters too many", "N", 10_000, 10_000),
    "invite-401-and-407": Kind("INVITE: 407, and once that is answered 401 as well"),
    "invite-200-challenge": Kind("INVITE: the final answer carries a challenge, asking nothing"),
    # What happens to packets
    "silence": Kind("nothing is answered", packets=True),
    "die": Kind("the core closes all its sockets right after its first 401", packets=True),
    "delay": Kind("every answer leaves SECONDS late", "SECONDS", 1, 3600, packets=True),
    "drop-first": Kind("the first N datagrams received are lost", "N", 1, 10**6, packets=True),
    "drop-every": Kind("every N-th datagram is lost, each way", "N", 2, 10**6, packets=True),
    "double": Kind("every datagram is carried twice, each way", packets=True),
}

_FRACTIONS = ("delay",)
"""Faults whose value may have a fraction."""


class Fault(NamedTuple):
    """One fault as asked for; ``subscriber`` is empty when it holds for everybody."""

    name: str
    value: float = 0
    subscriber: str = ""

    def __str__(self) -> str:
        value = f"={self.value:g}" if CATALOGUE[self.name].value else ""
        return f"{self.name}{value}" + (f"@{self.subscriber}" if self.subscriber else "")


def parse(text: str) -> Fault:
    """The fault written as NAME[=VALUE][@SUBSCRIBER].

    Raises LocalError, whose message names what would have been accepted.
    """
    head, at, subscriber = text.strip().partition("@")
    name, equals, value = head.partition("=")
    kind = CATALOGUE.get(name)
    if kind is None:
        raise LocalError(f'there is no fault "{name}"; there are: {", ".join(CATALOGUE)}')
    if at and not subscriber:
        raise LocalError(f'fault "{text}": an IMSI, IMPI or IMPU must follow the "@"')
    if equals and not kind.value:
        raise LocalError(f'fault "{text}": {name} takes no value')
    return Fault(name, _number(text, name, value) if equals else kind.default, subscriber)


def _number(text: str, name: str, value: str) -> float:
    kind = CATALOGUE[name]
    whole, point, fraction = value.partition(".")
    digits = whole + fraction
    well_formed = digits.isascii() and digits.isdigit() and len(digits) <= 12
    if not well_formed or (point and name not in _FRACTIONS):
        raise LocalError(f'fault "{text}": {kind.value} must be a number, not "{value}"')
    number = float(value) if point else int(value)
    least = 0 if name in _FRACTIONS else 1
    if not least <= number <= kind.most:
        raise LocalError(f'fault "{text}": {kind.value} must be from {least} to {kind.most:.0f}')
    return number


def table() -> list[tuple[str, str]]:
    """Each fault as it is written, and what it does: for help texts."""
    return [
        (f"{name}[={kind.value}]" if kind.value else name, kind.help)
        for name, kind in CATALOGUE.items()
    ]


class Faults:
    """The faults in force. They may be changed while the core runs, from any thread."""

    def __init__(self, faults: Iterable[str | Fault] = ()) -> None:
        """Raises LocalError for a text that is not a fault."""
        self._faults: tuple[Fault, ...] = ()
        for fault in faults:
            self.add(fault)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: str | Fault) -> Fault:
        """Put one more in force; raises LocalError for a text that is not a fault."""
        added = parse(fault) if isinstance(fault, str) else fault
        self._faults = (*self._faults, added)
        return added

    def clear(self) -> None:
        """Be a faultless network from now on."""
        self._faults = ()

    def of(self, identities: Iterable[str]) -> dict[str, float]:
        """The faults, name to value, that meet the subscriber with these identities.

        With no identities: those that meet everybody. A later fault of the same
        name takes the place of an earlier one.
        """
        if not self._faults:
            return _NONE
        known = set(identities)
        return {
            fault.name: fault.value
            for fault in self._faults
            if not fault.subscriber or fault.subscriber in known
        }

    def strangers(self, identities: Iterable[str]) -> list[Fault]:
        """The faults whose subscriber is none of these: most likely typing errors."""
        known = set(identities)
        return [each for each in self._faults if each.subscriber not in known | {""}]


_NONE: dict[str, float] = {}
