"""The network at the core's edge, where faults that act on packets are put in force."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from sipua.core.faults import CATALOGUE
from sipua.net.events import Received
from sipua.net.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sipua.core.faults import Fault, Faults
    from sipua.core.subscriber import Subscriber
    from sipua.net.events import NetEvent
    from sipua.net.tls_settings import TlsSettings
    from sipua.sip.hop import Hop

_OF_A_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%")


class Edge(Network):
    """A Network that loses, doubles, delays or swallows what the faults say.

    A packet belongs to a subscriber when it names one of the subscriber's
    public identities. ``dead`` becomes true when the fault "die" has struck;
    whoever runs the core closes it then.
    """

    def __init__(
        self,
        faults: Faults,
        subscribers: Iterable[Subscriber],
        clock: Callable[[], float],
        tls: TlsSettings | None = None,
    ) -> None:
        """``clock`` gives the seconds by which delays are measured."""
        super().__init__(tls)
        self.dead = False
        self._faults = faults
        self._clock = clock
        self._public_names = {
            name: tuple(impu.encode() for impu in each.impus)
            for each in subscribers
            for name in each.identities
        }
        self._counts: dict[tuple[Fault, str], int] = {}
        self._held: list[tuple[float, int, bytes, Hop]] = []
        self._order = 0

    def send(self, data: bytes, hop: Hop) -> None:
        """Send one message, unless a fault loses it or holds it back."""
        if not self._faults:
            super().send(data, hop)
            return
        met = self._meeting(data)
        for _ in range(self._copies(met, hop, "sent")):
            if "delay" in met:
                self._order += 1
                due = self._clock() + met["delay"].value
                heapq.heappush(self._held, (due, self._order, data, hop))
            else:
                super().send(data, hop)
        if "die" in met and data.startswith(b"SIP/2.0 401 "):
            self.dead = True

    def poll(self, timeout: float | None = None) -> list[NetEvent]:
        """Report what has happened, without what a fault loses."""
        if self._held:
            left = max(0.0, self._held[0][0] - self._clock())
            timeout = left if timeout is None else min(timeout, left)
        events = super().poll(timeout)
        while self._held and self._held[0][0] <= self._clock():
            _, _, data, hop = heapq.heappop(self._held)
            super().send(data, hop)
        if not self._faults:
            return events
        kept: list[NetEvent] = []
        for event in events:
            copies = 1
            if isinstance(event, Received):
                met = self._meeting(event.data)
                copies = 0 if "silence" in met else self._copies(met, event.source, "received")
            kept += [event] * copies
        return kept

    def _meeting(self, data: bytes) -> dict[str, Fault]:
        """The packet faults that meet this message."""
        return {
            fault.name: fault
            for fault in self._faults
            if CATALOGUE[fault.name].packets
            and (
                not fault.subscriber
                or any(
                    _stands_in(data, name) for name in self._public_names.get(fault.subscriber, ())
                )
            )
        }

    def _copies(self, met: dict[str, Fault], hop: Hop, way: str) -> int:
        """How many times this message is carried; streams neither lose nor double."""
        if hop.transport != "UDP":
            return 1
        if "drop-first" in met and way == "received":
            fault = met["drop-first"]
            if self._count(fault, way) <= fault.value:
                return 0
        if "drop-every" in met:
            fault = met["drop-every"]
            if self._count(fault, way) % fault.value == 0:
                return 0
        return 2 if "double" in met else 1

    def _count(self, fault: Fault, way: str) -> int:
        count = self._counts[fault, way] = self._counts.get((fault, way), 0) + 1
        return count


def _stands_in(data: bytes, name: bytes) -> bool:
    """Whether ``name`` stands in ``data``, not as the beginning of a longer name."""
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        if end == len(data) or data[end] not in _OF_A_NAME:
            return True
        at = data.find(name, end)
    return False
