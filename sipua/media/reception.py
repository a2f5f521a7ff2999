"""What has arrived of a stream: packets, loss, order and jitter (RFC 3550 A.1, A.3, A.8).

Not as RFC 3550 has it, because the numbers are for people and not for RTCP:

- A source counts from its first packet and not from its second (no probation):
  the peer's address was agreed, and a call may be short.
- Duplicates are known one by one, so they hide no loss.
- Telephone events are left out of the jitter: all packets of an event have one
  timestamp, which would count their distance as jitter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.media.rtp import SEQUENCES, TIMESTAMPS

if TYPE_CHECKING:
    from sipua.media.rtp import RtpPacket
    from sipua.sip.codecs import Codec

MAX_DROPOUT = 3000  # packets: a greater step ahead is a restart or a stray (A.1)
MAX_MISORDER = 100  # packets: what is further behind is one as well (A.1)
MAX_SOURCES = 16  # SSRCs followed at a time
_WINDOW = (1 << MAX_MISORDER) - 1

# What a packet is to its source
NEXT = "next"  # the highest so far
LATE = "late"  # behind the highest, but not seen before
DUPLICATE = "duplicate"
STRAY = "stray"  # far from all others; a restart if the one after it follows (A.1)
RESTART = "restart"


class Source:
    """The packets of one SSRC. Sequence numbers are extended, so that they never wrap."""

    __slots__ = ("_after_stray", "_arrived", "_first", "_highest", "_rate", "_seen", "_timestamp",
                 "_unlost", "jitter", "received")  # fmt: skip

    def __init__(self, sequence: int) -> None:
        """Begin just before the first packet, which is then placed as any other."""
        self.received = 0
        self.jitter = 0.0  # seconds
        self._after_stray: int | None = None
        self._unlost = 0  # less what was lost before a restart
        self._rate = 0
        self._arrived, self._timestamp = 0.0, 0
        self._begin(sequence)

    def _begin(self, sequence: int) -> None:
        self._first = sequence
        self._highest = sequence - 1
        self._seen = 0  # bit n: the nth before the highest has come

    @property
    def lost(self) -> int:
        """Packets that were expected and have not come (A.3)."""
        return self._highest - self._first + 1 - self._unlost

    def place(self, sequence: int) -> str:
        """Count a packet; returns what it is."""
        self.received += 1
        ahead = (sequence - self._highest) % SEQUENCES
        behind = SEQUENCES - ahead
        if 0 < ahead < MAX_DROPOUT:
            self._highest += ahead
            self._seen = (self._seen << ahead | 1) & _WINDOW
            self._unlost += 1
            return NEXT
        if not ahead or behind < MAX_MISORDER:
            bit = 1 << (behind % SEQUENCES)
            if self._seen & bit:
                return DUPLICATE
            self._seen |= bit
            self._first = min(self._first, self._highest - behind)
            self._unlost += 1
            return LATE
        if sequence != self._after_stray:
            self._after_stray = (sequence + 1) % SEQUENCES
            return STRAY
        lost = self.lost
        self._begin(sequence - 1)
        self._highest, self._seen, self._unlost = sequence, 0b11, 2 - lost
        self._after_stray = None
        return RESTART

    def time(self, timestamp: int, rate: int, now: float) -> None:
        """Let the jitter follow (A.8); ``rate`` is the timestamp's, in Hz."""
        if rate and rate == self._rate:
            step = (timestamp - self._timestamp + TIMESTAMPS // 2) % TIMESTAMPS - TIMESTAMPS // 2
            off = abs(now - self._arrived - step / rate)
            self.jitter += (off - self.jitter) / 16
        self.restart_timing()
        self._rate, self._timestamp, self._arrived = rate, timestamp, now

    def restart_timing(self) -> None:
        """Compare the next packet's time with none before it."""
        self._rate = 0


class Reception:
    """All that has arrived for one stream. Totals go on when its source changes."""

    def __init__(self) -> None:
        self.packets = self.octets = self.duplicates = self.out_of_order = 0
        self.unknown_payload = 0  # packets of a payload type that was not agreed
        self.rtcp = self.malformed = self.foreign = 0  # datagrams
        self.codec: Codec | None = None
        """The voice codec heard last."""
        self._sources: dict[int, Source] = {}  # the one heard last at the end
        self._current = -1
        self._lost_before = 0  # by sources no longer followed
        self._longest_before = (0, 0.0)  # packets, jitter

    def count(self, packet: RtpPacket, codec: Codec | None, now: float) -> bool:
        """Count a packet, its ``codec`` None if unknown; False for one that came before."""
        source = self._source(packet)
        kind = source.place(packet.sequence)
        self.packets += 1
        self.octets += len(packet.payload)
        if codec is None:
            self.unknown_payload += 1
        elif not codec.is_events:
            self.codec = codec
        if kind is DUPLICATE:
            self.duplicates += 1
            return False
        if kind is LATE:
            self.out_of_order += 1
        if kind in (STRAY, RESTART):
            source.restart_timing()
        elif codec is not None and not codec.is_events:
            source.time(packet.timestamp, codec.rate, now)
        return True

    @property
    def lost(self) -> int:
        """Packets of all sources that were expected and have not come."""
        return self._lost_before + sum([source.lost for source in self._sources.values()])

    @property
    def jitter(self) -> float:
        """In seconds, of the source that sent most packets."""
        followed = [(source.received, source.jitter) for source in self._sources.values()]
        return max([self._longest_before, *followed])[1]

    def _source(self, packet: RtpPacket) -> Source:
        source = self._sources.get(packet.ssrc)
        if packet.ssrc == self._current and source is not None:
            return source
        self._current = packet.ssrc
        if source is not None:
            del self._sources[packet.ssrc]
        else:
            source = Source(packet.sequence)
            if len(self._sources) >= MAX_SOURCES:
                self._forget(self._sources.pop(next(iter(self._sources))))
        self._sources[packet.ssrc] = source
        return source

    def _forget(self, source: Source) -> None:
        self._lost_before += source.lost
        self._longest_before = max(self._longest_before, (source.received, source.jitter))
