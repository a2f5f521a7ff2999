"""What one run of AKA on a card can end in (TS 31.102 §7.1.2, TS 33.102 §6.3).

Plain values: the only part of the card wing that the SIP wing may read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


class AkaResponse(NamedTuple):
    """The card accepted AUTN. RES is 4 to 16 octets, CK and IK 16, Kc 8 or empty."""

    res: bytes
    ck: bytes
    ik: bytes
    kc: bytes = b""

    def __repr__(self) -> str:
        return f"AkaResponse(res=<{len(self.res)} octets>, ck=<secret>, ik=<secret>)"


class AkaFailure(Exception):
    """The card did not accept AUTN."""


class MacFailure(AkaFailure):
    """The MAC in AUTN is wrong (SW 9862): one side holds another key."""


class SynchronisationFailure(AkaFailure):
    """The SQN in AUTN is out of range; ``auts`` (14 octets) lets the network catch up."""

    def __init__(self, auts: bytes) -> None:
        super().__init__("the card reports a synchronisation failure")
        self.auts = auts


if TYPE_CHECKING:
    from typing import Protocol

    class Authenticator(Protocol):
        """Anything that can run AKA: a session on a card, or a stand-in in a test."""

        def authenticate(self, rand: bytes, autn: bytes) -> AkaResponse:
            """RAND and AUTN are 16 octets each.

            Raises MacFailure, SynchronisationFailure, or a CardError.
            """
            ...
