"""The packets that leave for one stream: one SSRC, one sequence, one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.media.rtp import SEQUENCES, TIMESTAMPS, RtpPacket

if TYPE_CHECKING:
    from sipua.randomness import Randomness


class Sending:
    """Writes packets whose numbers began at random (RFC 3550 §5.1)."""

    __slots__ = ("_at", "_sequence", "_timestamp", "packets", "ssrc")

    def __init__(self, rng: Randomness) -> None:
        self.ssrc = rng.getrandbits(32)
        self.packets = 0
        self._sequence = rng.getrandbits(16)
        self._timestamp = rng.getrandbits(32)
        self._at: float | None = None

    def timestamp(self, rate: int, now: float) -> int:
        """What the clock of ``rate`` Hz shows, going on from the last packet's timestamp."""
        if self._at is None:
            self._at = now
        return (self._timestamp + round((now - self._at) * rate)) % TIMESTAMPS

    def write(
        self, payload_type: int, payload: bytes, timestamp: int, now: float, *, marker: bool = False
    ) -> bytes:
        """The next packet, which belongs to ``now``: the time that ``timestamp`` stands for."""
        packet = RtpPacket(payload_type, self._sequence, timestamp, self.ssrc, payload, marker)
        self._sequence = (self._sequence + 1) % SEQUENCES
        self._timestamp, self._at = timestamp, now
        self.packets += 1
        return packet.to_bytes()
