"""When a registration that was lost is tried again (TS 24.229 §5.1.1.2.1, RFC 5626 §4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.randomness import Randomness

PASSING = frozenset(
    {
        Verdict.UNREACHABLE,
        Verdict.TIMEOUT,
        Verdict.DNS_FAILURE,
        Verdict.TLS_FAILURE,
        Verdict.SERVER_ERROR,
    }
)
"""Verdicts that another P-CSCF, or a later time, may change."""

ELSEWHERE = frozenset({305, 408, 500, 503, 504, 600})
"""Final statuses after which another P-CSCF is tried; that of a 305's Contact is not believed."""

BASE, MOST = 30.0, 1800.0
"""Seconds of the back-off, while nothing at all works."""


def leads_on(verdict: Verdict, status: int) -> bool:
    """Whether the next P-CSCF is to be tried; ``status`` is the last one, 0 for none."""
    return verdict in PASSING or status in ELSEWHERE


class Outage:
    """Counts the rounds through all P-CSCFs that have failed since the last success."""

    def __init__(self, rng: Randomness) -> None:
        self.rounds = 0
        self._rng = rng

    def over(self) -> None:
        """There is a registration."""
        self.rounds = 0

    def wait(self) -> float:
        """Another round has failed: seconds until the next, half of it by chance."""
        longest = min(MOST, BASE * 2.0 ** min(self.rounds, 16))
        self.rounds += 1
        return longest * (0.5 + self._rng.getrandbits(16) / 2**17)
