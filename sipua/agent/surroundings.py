"""What may change under a registration that is kept: our address, and time spent asleep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sipua.errors import LocalError, NetworkError

if TYPE_CHECKING:
    from sipua.net.network import Network
    from sipua.sip.hop import Hop

LOOK = 5.0
"""Seconds between two looks; one costs a socket that is never sent from."""

NAP = 5.0
"""Seconds asleep after which a registrar may think otherwise of us."""

SAME, MOVED, ASLEEP, OFFLINE = "same", "moved", "asleep", "offline"


class Surroundings:
    """Compares how things are with how they were when it was made. ``at`` is the next look."""

    def __init__(self, network: Network, hop: Hop, now: float) -> None:
        self.at = now + LOOK
        self._network = network
        self._hop = hop
        self._address = self._source()
        self._drift = _drift()

    def look(self, now: float) -> str:
        """SAME; MOVED to another address; was ASLEEP (suspended, told once); or OFFLINE, without
        a route. Before ``at`` it is SAME without a look.
        """
        if now < self.at:
            return SAME
        self.at = now + LOOK
        source = self._source()
        if not source:
            return OFFLINE
        if source != self._address:
            return MOVED
        slept, self._drift = _drift() - self._drift, _drift()
        return ASLEEP if slept > NAP else SAME

    def _source(self) -> str:
        try:
            return self._network.source(self._hop)
        except (NetworkError, LocalError):  # no route; or the interface is gone
            return ""


def _drift() -> float:
    """Seconds that this machine has been suspended since it was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
