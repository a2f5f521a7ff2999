"""DTMF as telephone events (RFC 4733): how they are written, when they are sent, what was heard."""

from __future__ import annotations

from collections import deque
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.media.rtp import TIMESTAMPS

if TYPE_CHECKING:
    from sipua.media.rtp import RtpPacket

DIGITS = "0123456789*#ABCD"
"""Each at the place of its event code (RFC 4733 §3.2)."""

PACKET_TIME = 0.02  # seconds between two reports
TONE = 0.1  # seconds; 40 ms are heard at least (RFC 4733 §3.2)
PAUSE = 0.1  # seconds between two tones; the two repeated end packets fit in
ENDS = 3  # times that the last report is sent (§2.5.1.4)
VOLUME = 10  # dBm0 below zero

MAX_DURATION = 0xFFFF  # timestamp units in one segment (§2.5.1.3)
SILENCE = 0.5  # seconds without a report after which an event is over
MAX_REPORTS = 16  # read of one packet
REMEMBERED = 32  # events whose late reports are known as such
MAX_HEARD = 1024  # digits kept until they are taken

_REPORT = Struct("!BBH")
_END, _VOLUME = 0x80, 0x3F


class EventReport(NamedTuple):
    """The payload of one event (§2.3); ``duration`` in timestamp units, ``volume`` in -dBm0."""

    event: int
    end: bool
    volume: int
    duration: int

    def to_bytes(self) -> bytes:
        """Its four octets."""
        return _REPORT.pack(self.event, _END * self.end | self.volume & _VOLUME, self.duration)


def read_reports(payload: bytes) -> list[EventReport]:
    """The events of a packet, one after the other in time (§2.5.1.5).

    Octets behind the last whole report are passed over, and so are reports behind
    the sixteenth. Raises ParseError if there is none.
    """
    if len(payload) < _REPORT.size:
        raise ParseError(f"{len(payload)} octets are no telephone event; it has 4")
    whole = memoryview(payload)[: min(len(payload) // 4, MAX_REPORTS) * 4]
    return [
        EventReport(event, bool(bits & _END), bits & _VOLUME, duration)
        for event, bits, duration in _REPORT.iter_unpack(whole)
    ]


def event_of(digit: str) -> int:
    """The event code of a digit; raises LocalError for what no telephone has."""
    code = DIGITS.find(digit.upper())
    if code < 0 or len(digit) != 1:
        raise LocalError(f"{digit!r} is no DTMF digit; those are 0 to 9, *, # and A to D")
    return code


class Planned(NamedTuple):
    """A report that is to leave ``after`` seconds from the start of its event."""

    after: float
    marker: bool
    report: EventReport


def plan(
    event: int,
    rate: int,
    tone: float = TONE,
    packet_time: float = PACKET_TIME,
    volume: int = VOLUME,
) -> list[Planned]:
    """Every report of one event (§2.5.1.2, §2.5.1.4), as in table 5 of the RFC.

    The last has the E bit from its first sending on. Raises LocalError for a
    tone that one segment cannot hold.
    """
    length = round(tone * rate)
    if not 0 < length <= MAX_DURATION:
        raise LocalError(f"a tone of {tone:g} s cannot be told in one telephone event")
    planned: list[Planned] = []
    number = 1
    while (after := number * packet_time) < tone - packet_time / 1000:
        report = EventReport(event, False, volume, round(after * rate))
        planned.append(Planned(after, number == 1, report))
        number += 1
    last = EventReport(event, True, volume, length)
    for again in range(ENDS):
        planned.append(Planned((number + again) * packet_time, number + again == 1, last))
    return planned


class DueReport(NamedTuple):
    """A report that is to leave now; ``began`` is the time of its event's start."""

    marker: bool
    began: float
    report: EventReport


class DigitSender:
    """Digits waiting for their reports. One report leaves at a time, however late the clock is."""

    def __init__(self, tone: float = TONE, pause: float = PAUSE) -> None:
        self._tone, self._pause = tone, pause
        self._waiting: deque[tuple[int, int]] = deque()  # event, rate
        self._planned: deque[Planned] = deque()
        self._began = 0.0
        self._free_at = 0.0  # no digit may begin before
        self._next: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a report is still to leave."""
        return self._next is not None

    def deadline(self) -> float | None:
        """When the next report leaves."""
        return self._next

    def add(self, digits: str, rate: int, now: float) -> None:
        """Say these digits after those that wait; raises LocalError for what is no digit."""
        self._waiting += [(event_of(digit), rate) for digit in digits]
        if self._next is None:
            self._begin(now)

    def clear(self) -> None:
        """Say no more, not even the end of the digit under way."""
        self._waiting.clear()
        self._planned.clear()
        self._next = None

    def due(self, now: float) -> DueReport | None:
        """The report whose time has come; None if there is none."""
        if self._next is None or now < self._next:
            return None
        if now - self._next > PACKET_TIME:
            late = now - self._next  # the plan moves on, reports keep their distance
            self._began += late
            self._next = now
        planned = self._planned.popleft()
        due = DueReport(planned.marker, self._began, planned.report)
        if self._planned:
            self._next = self._began + self._planned[0].after
        else:
            self._free_at = max(self._began + self._tone + self._pause, self._next)
            self._next = None
            self._begin(now)
        return due

    def _begin(self, now: float) -> None:
        if self._waiting:
            event, rate = self._waiting.popleft()
            self._planned = deque(plan(event, rate, self._tone))
            self._began = max(now, self._free_at)
            self._next = self._began + self._planned[0].after


Place = tuple[int, int]
"""SSRC and timestamp: what all packets of an event, or of a segment of one, have in common."""


class _Event:
    """An event that has not ended yet."""

    __slots__ = ("before", "duration", "event", "heard", "place", "rate")

    def __init__(self, event: int, place: Place, rate: int) -> None:
        self.event, self.rate = event, rate
        self.place = place  # of the segment at hand
        self.duration = 0  # of that segment
        self.before = 0  # of the segments before it
        self.heard = 0.0

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return (self.before + self.duration) / self.rate

    def goes_on_at(self, event: int, place: Place) -> bool:
        """Whether that is the next segment of this long event (§2.5.2.3)."""
        ssrc, timestamp = self.place
        return (event, *place) == (self.event, ssrc, (timestamp + MAX_DURATION) % TIMESTAMPS)

    def is_after(self, place: Place) -> bool:
        """Whether this event began after that one of the same source."""
        ssrc, timestamp = self.place
        return ssrc == place[0] and (timestamp - place[1]) % TIMESTAMPS < TIMESTAMPS // 2


class DigitReceiver:
    """Hears each digit once, whatever of its packets is lost, repeated or late."""

    def __init__(self) -> None:
        self._digits: deque[tuple[str, float]] = deque(maxlen=MAX_HEARD)
        self._event: _Event | None = None
        self._over: deque[Place] = deque(maxlen=REMEMBERED)

    def take_digits(self) -> list[tuple[str, float]]:
        """The digits heard since they were last taken, each with its duration in milliseconds."""
        digits = list(self._digits)
        self._digits.clear()
        return digits

    def deadline(self) -> float | None:
        """When an event whose end was lost is over."""
        return None if self._event is None else self._event.heard + SILENCE

    def tick(self, now: float) -> None:
        """Have time pass."""
        if self._event is not None and now >= self._event.heard + SILENCE:
            self.finish()

    def take(self, packet: RtpPacket, rate: int, now: float) -> None:
        """Hear a packet of telephone events; raises ParseError."""
        timestamp = packet.timestamp
        for report in read_reports(packet.payload):
            place = packet.ssrc, timestamp
            # A duration of 0 is for states (§2.3.5), which digits are not
            if report.duration and report.event < len(DIGITS) and place not in self._over:
                self._hear(report, place, rate, now, starts=packet.marker)
            timestamp = (timestamp + report.duration) % TIMESTAMPS

    def finish(self) -> None:
        """Nothing more will come of the event under way: it is over."""
        event = self._event
        if event is not None:
            self._event = None
            self._say(event.event, event.place, event.seconds)

    def _hear(
        self, report: EventReport, place: Place, rate: int, now: float, *, starts: bool
    ) -> None:
        event = self._event
        if event is not None and place != event.place:
            if not starts and event.goes_on_at(report.event, place):
                self._over.append(event.place)
                event.before += MAX_DURATION
                event.place, event.duration = place, 0
            elif event.is_after(place):
                # All that has come of the digit before: a report that was overtaken
                self._say(report.event, place, report.duration / rate)
                return
            else:
                self.finish()
                event = None
        if event is None:
            event = self._event = _Event(report.event, place, rate)
        event.duration = max(event.duration, report.duration)
        event.heard = now
        if report.end:
            self.finish()

    def _say(self, event: int, place: Place, seconds: float) -> None:
        self._over.append(place)
        self._digits.append((DIGITS[event], seconds * 1000))
