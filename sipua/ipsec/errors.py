"""What can go wrong between the offer of a security association and its last packet."""

from __future__ import annotations

from sipua.errors import EngineError, LocalError, PeerError

__all__ = [
    "Altered",
    "EngineError",
    "EspError",
    "Late",
    "Mismatched",
    "MissingCapability",
    "Replayed",
    "SecurityAgreementError",
    "SequenceExhausted",
    "Truncated",
    "UnknownSpi",
    "Unprotected",
]


class SecurityAgreementError(PeerError):
    """The peer's side of RFC 3329 cannot be agreed to; a server answers 494."""

    def __init__(self, message: str, status: int = 494) -> None:
        super().__init__(message, status)


class EspError(PeerError):
    """A packet that is dropped. ``counter`` names what of the Counters it adds to."""

    counter = "malformed"


class Truncated(EspError):
    """Too short for the headers, the IV and the ICV of its security association."""

    counter = "truncated"


class Altered(EspError):
    """The ICV is wrong: another key, or changed on the way."""

    counter = "altered"


class Replayed(EspError):
    """A sequence number that was accepted before."""

    counter = "replayed"


class Late(EspError):
    """A sequence number so old that the window has forgotten it."""

    counter = "late"


class UnknownSpi(EspError):
    """No security association of ours has this SPI."""

    counter = "unknown_spi"


class Mismatched(EspError):
    """Well protected, but addresses or ports are not those of the association (RFC 4301 §5.2)."""

    counter = "mismatched"


class Unprotected(EspError):
    """A packet of ours that no association covers: it is dropped, never sent in the clear."""

    counter = "unprotected"


class SequenceExhausted(LocalError):
    """2^32 - 1 packets were sent: only a new association may go on (RFC 4303 §3.3.3)."""


class MissingCapability(EngineError):
    """What the machine lacks: a privilege, a kernel option, a program.

    ``capability`` names it in a word or two.
    """

    def __init__(self, capability: str, message: str) -> None:
        super().__init__(message)
        self.capability = capability
