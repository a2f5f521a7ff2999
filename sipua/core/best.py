"""Which of several final responses is the best (RFC 3261 §16.7 steps 6 and 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.sip.message import Response

RESUBMIT = (401, 407, 415, 420, 484)
"""What tells the caller how to ask again, so that it goes before others of its class."""

CHALLENGES = ("WWW-Authenticate", "Proxy-Authenticate")


class Candidate(NamedTuple):
    """A final response other than 2xx; ``is_own`` when it says only that none came."""

    response: Response
    is_own: bool = False


def best(candidates: Sequence[Candidate]) -> Response:
    """The response to be forwarded, with the challenges of all of them."""
    chosen = min(candidates, key=_rank).response
    if chosen.status in (401, 407):
        for response, _ in candidates:
            if response is not chosen and response.status in (401, 407):
                for name in CHALLENGES:
                    for value in response.headers.all(name):
                        chosen.headers.add(name, value)
    return chosen


def _rank(candidate: Candidate) -> tuple[int, bool, bool]:
    """The lower the better: a refusal for all, then the lowest class, then what helps most."""
    status = candidate.response.status
    return 0 if status >= 600 else status // 100, status not in RESUBMIT, candidate.is_own
