"""Voice sent back as it came: one packet out for one in, at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sipua.media.rtp import TIMESTAMPS
from sipua.sip.codecs import read_parameters

if TYPE_CHECKING:
    from sipua.media.rtp import RtpPacket
    from sipua.media.sending import Sending
    from sipua.sip.codecs import Codec

RATE = 250.0  # packets a second in the long run; a phone sends 50, or 100 of 10 ms each
BURST = 150.0  # packets at once: three seconds of voice that a network held back


class Echo:
    """Sends voice back with our own SSRC and sequence, its timestamps shifted.

    Two echoes that hear each other would hand one packet to and fro for ever,
    as fast as the network is. So what comes faster than a voice is dropped, and
    so is what bears our own SSRC (RFC 3550 §8.2).
    """

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._source: tuple[int, int] | None = None  # SSRC and rate which _shift belongs to
        self._shift = 0  # from its timestamps to ours
        self._credit = BURST
        self._at = 0.0

    def of(
        self, packet: RtpPacket, codec: Codec, agreed: Sequence[Codec], now: float
    ) -> bytes | None:
        """The datagram to send back; None for a packet that gets none."""
        sending = self._sending
        payload_type = payload_type_of(codec, agreed)
        self._credit = min(BURST, self._credit + (now - self._at) * RATE)
        self._at = now
        if payload_type is None or packet.ssrc == sending.ssrc or self._credit < 1:
            return None
        self._credit -= 1
        if self._source != (packet.ssrc, codec.rate):
            self._source = packet.ssrc, codec.rate
            self._shift = sending.timestamp(codec.rate, now) - packet.timestamp
        timestamp = (packet.timestamp + self._shift) % TIMESTAMPS
        return sending.write(payload_type, packet.payload, timestamp, now, marker=packet.marker)


def payload_type_of(codec: Codec, agreed: Sequence[Codec]) -> int | None:
    """What to send the format of ``codec`` with; None if that was not agreed."""
    if codec in agreed:
        return codec.payload_type
    for other in agreed:
        if _format(other) == _format(codec):
            return other.payload_type
    return None


def _format(codec: Codec) -> tuple[str, int, int, str]:
    framing = read_parameters(codec.parameters).get("octet-align", "0")
    return codec.name.lower(), codec.rate, codec.channels, framing
