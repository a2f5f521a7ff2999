"""The anti-replay window of one inbound security association (RFC 4303 §3.4.3)."""

from __future__ import annotations

from sipua.ipsec.errors import Late, Replayed

WINDOW = 64
"""Packets; the RFC's recommended size, 32 is its minimum."""


class ReplayWindow:
    """Remembers which of the newest sequence numbers have come.

    ``highest`` is the newest one accepted, 0 before the first.
    """

    __slots__ = ("_seen", "_size", "highest")

    def __init__(self, size: int = WINDOW) -> None:
        self.highest = 0
        self._size = size
        self._seen = 0  # bit n stands for highest - n

    def check(self, sequence: int) -> None:
        """Raise Replayed or Late; called before the costly ICV, changes nothing."""
        if sequence == 0:
            raise Replayed("sequence number 0 is never sent")
        behind = self.highest - sequence
        if behind < 0:
            return
        if behind >= self._size:
            raise Late(f"sequence number {sequence} is {behind} behind the newest")
        if self._seen >> behind & 1:
            raise Replayed(f"sequence number {sequence} has come before")

    def accept(self, sequence: int) -> bool:
        """Note a packet whose ICV was right; return whether it came after a newer one."""
        ahead = sequence - self.highest
        if ahead > 0:
            # a leap may be 2^32 wide: beyond the window there is nothing left to shift
            self._seen = self._seen << ahead & (1 << self._size) - 1 if ahead < self._size else 0
            self._seen |= 1
            self.highest = sequence
            return False
        self._seen |= 1 << -ahead
        return True
