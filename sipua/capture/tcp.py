"""TCP connections, put in order again as their receivers saw them (RFC 9293).

One direction at a time, whether its beginning was captured or not. What is
missing for good is passed over, so that what follows it is not lost.
"""

from __future__ import annotations

from typing import NamedTuple

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
MODULUS = 1 << 32
HALF = 1 << 31
MAX_WAITING = 64  # segments of one direction behind a gap
MAX_WAITING_OCTETS = 1 << 18
ENOUGH_WAITING = 3  # segments, when the receiver has acknowledged what we never saw


class Segment(NamedTuple):
    """One captured segment's data and where it was seen."""

    data: bytes
    at: float
    packet: int
    comment: str


class Piece(NamedTuple):
    """The next data of one direction in order; ``missing`` octets before it were never seen."""

    segment: Segment
    missing: int


class Direction:
    """One half of a connection."""

    __slots__ = ("_held", "_initial", "_next", "_waiting")

    def __init__(self) -> None:
        self._next: int | None = None
        self._initial: int | None = None
        self._waiting: dict[int, Segment] = {}
        self._held = 0

    @property
    def held(self) -> int:
        """Octets that wait for a gap to be filled."""
        return self._held

    def is_new(self, sequence: int) -> bool:
        """Whether a SYN with this sequence number begins a connection, not said again."""
        return (sequence + 1) % MODULUS != self._initial

    def open(self, sequence: int) -> None:
        """Begin with the octet after this SYN."""
        self._initial = self._next = (sequence + 1) % MODULUS

    def take(self, sequence: int, segment: Segment) -> list[Piece]:
        """Take a segment; gives what is in order now."""
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next) % MODULUS
        if ahead and ahead < HALF:
            self._keep(sequence, segment)
            if len(self._waiting) > MAX_WAITING or self._held > MAX_WAITING_OCTETS:
                return self.flush(1)
            return []
        pieces = self._append(sequence, segment, 0)
        if self._waiting:
            # What waited was there for the receiver only when this had come.
            pieces += [
                Piece(each.segment._replace(at=segment.at, packet=segment.packet), each.missing)
                for each in self._follow()
            ]
        return pieces

    def acknowledged(self, number: int) -> list[Piece]:
        """Note what the receiver has seen: a gap before that will not be filled any more."""
        if len(self._waiting) < ENOUGH_WAITING or self._next is None:
            return []
        ahead = (number - self._next) % MODULUS
        return self.flush(1) if 0 < ahead < HALF else []

    def flush(self, gaps: int = MAX_WAITING + 1) -> list[Piece]:
        """Pass over so many gaps."""
        pieces: list[Piece] = []
        while self._waiting and gaps and self._next is not None:
            gaps -= 1
            begin = self._next
            nearest = min(self._waiting, key=lambda each: (each - begin) % MODULUS)
            segment = self._pop(nearest)
            self._next = nearest
            pieces += self._append(nearest, segment, (nearest - begin) % MODULUS)
            pieces += self._follow()
        return pieces

    def _keep(self, sequence: int, segment: Segment) -> None:
        known = self._waiting.get(sequence)
        if known is None or len(known.data) < len(segment.data):
            if known is not None:
                self._held -= len(known.data)
            self._waiting[sequence] = segment
            self._held += len(segment.data)

    def _pop(self, sequence: int) -> Segment:
        segment = self._waiting.pop(sequence)
        self._held -= len(segment.data)
        return segment

    def _append(self, sequence: int, segment: Segment, missing: int) -> list[Piece]:
        """What of a segment is new, all before it being there or passed over."""
        assert self._next is not None
        known = (self._next - sequence) % MODULUS
        new = segment.data[known:] if known else segment.data
        if not new:
            return []
        self._next = (self._next + len(new)) % MODULUS
        return [Piece(segment._replace(data=new) if known else segment, missing)]

    def _follow(self) -> list[Piece]:
        """What waited for the segment that came last."""
        pieces: list[Piece] = []
        while self._waiting:
            begin = self._next or 0
            due = [each for each in self._waiting if (begin - each) % MODULUS < HALF]
            if not due:
                break
            first = max(due, key=lambda each: (begin - each) % MODULUS)
            pieces += self._append(first, self._pop(first), 0)
        return pieces
