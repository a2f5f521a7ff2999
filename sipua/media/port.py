"""The near end of one voice stream: what is done with its packets, and what is told of them.

Honest media: nothing is sent that nobody has said. ``sink`` sends digits and
nothing else, no silence and no comfort noise; so a gateway that waits for our
first packet before it sends (latching, RFC 7362) waits for ever, and its loss
is no mistake of ours to hide. ``echo`` is for those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.media.echo import Echo, payload_type_of
from sipua.media.events import DIGITS, DigitReceiver, DigitSender, event_of
from sipua.media.reception import Reception
from sipua.media.rtp import is_rtcp, read_rtp
from sipua.media.sending import Sending
from sipua.sip.codecs import PHONE_CODECS, Codec, chosen, read_events

if TYPE_CHECKING:
    from sipua.media.rtp import RtpPacket
    from sipua.randomness import Randomness
    from sipua.sip.offer_answer import Stream

SINK, ECHO, NONE = "sink", "echo", "none"
MODES = (SINK, ECHO, NONE)
MAX_WAITING = 256  # datagrams kept until they are taken; the oldest go first

Address = tuple[str, int]


class Statistics(NamedTuple):
    """A stream so far. All but ``foreign`` is of the agreed address alone.

    ``codec`` is the voice codec heard last, else the one agreed last, "" for
    none. ``packets_received`` and ``octets_received`` (payload only) hold
    duplicates too. ``malformed`` datagrams are neither RTP nor RTCP, or hold no
    event where one should be; ``foreign`` ones came from elsewhere, or while
    nothing was agreed.
    """

    mode: str
    codec: str
    packets_sent: int
    packets_received: int
    packets_lost: int
    jitter_ms: float
    duplicates: int
    out_of_order: int
    octets_received: int
    malformed: int
    foreign: int
    unknown_payload: int
    rtcp: int


class MediaPort:
    """One voice stream's near end; ``mode`` is one of MODES.

    Only datagrams from the agreed host count, from whichever of its ports: a
    peer need not send from where it receives (RFC 3550 §11). Others are
    foreign. What we send goes to the agreed address and port alone.
    """

    def __init__(self, mode: str, rng: Randomness, codecs: Sequence[Codec] = PHONE_CODECS) -> None:
        """``codecs`` are ours as we offered them, with our payload types; raises LocalError."""
        if mode not in MODES:
            raise LocalError(f"{mode!r} is no way to treat media; there are {', '.join(MODES)}")
        self.mode = mode
        self._ours = tuple(codecs)
        self._known: dict[int, Codec] = {}  # by payload type, as they come
        self._stream: Stream | None = None
        self._host = ""
        self._voice: Codec | None = None  # both as they are to be sent
        self._events: Codec | None = None
        self._reception = Reception()
        self._sending = Sending(rng)
        self._echo = Echo(self._sending)
        self._saying = DigitSender()
        self._event = (0, 0.0)  # timestamp and time at which the digit under way began
        self._hearing = DigitReceiver()
        self._outgoing: deque[tuple[bytes, Address]] = deque(maxlen=MAX_WAITING)

    def use(self, stream: Stream | None, now: float) -> None:
        """Take what was agreed, also anew in a call; None stops all sending and receiving.

        Digits that wait are dropped when they can be said no longer.
        """
        self._hearing.tick(now)
        self._stream, before, self._events = stream, self._events, None
        if stream is None:
            self._host = ""
            self._hearing.finish()
        else:
            self._host = _canonical(stream.address)
            # An answer may number formats otherwise than our offer, by which they come
            ours = [each for each in self._ours if payload_type_of(each, stream.codecs) is not None]
            self._known = {each.payload_type: each for each in (*ours, *stream.codecs)}
            agreed = chosen(list(stream.codecs))
            self._voice = agreed[0] if agreed else None
            self._events = agreed[1] if agreed[1:] else None
        if stream is None or not stream.sends:
            self._outgoing.clear()
            self._saying.clear()
        elif self._events is None or before is None or self._events.rate != before.rate:
            self._saying.clear()

    def receive(self, datagram: bytes, source: Address, now: float) -> None:
        """Take a datagram. Never raises: what is no good is counted."""
        stream, reception = self._stream, self._reception
        if self.mode == NONE or not datagram:  # an empty one keeps a NAT open (RFC 6263 §4.1)
            return
        if stream is None or (source[0] != self._host and _canonical(source[0]) != self._host):
            reception.foreign += 1
            return
        if is_rtcp(datagram):
            reception.rtcp += 1
            return
        try:
            packet = read_rtp(datagram)
            codec = self._known.get(packet.payload_type)
            if reception.count(packet, codec, now) and codec is not None:
                self._use_packet(packet, codec, stream, now)
        except ParseError:
            reception.malformed += 1

    def _use_packet(self, packet: RtpPacket, codec: Codec, stream: Stream, now: float) -> None:
        if codec.is_events:
            self._hearing.take(packet, codec.rate, now)
        elif self.mode == ECHO and stream.sends and not self._saying.is_busy:
            echoed = self._echo.of(packet, codec, stream.codecs, now)
            if echoed is not None:
                self._outgoing.append((echoed, (stream.address, stream.port)))

    def take_outgoing(self) -> list[tuple[bytes, Address]]:
        """Datagrams to be sent, each with where to."""
        outgoing = list(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def send_digits(self, digits: str, now: float) -> None:
        """Say digits as telephone events, after those still being said.

        An echo is silent meanwhile. Raises LocalError if the stream has no such
        events or may not send, and for what is no digit; then none is said.
        """
        events = self._agreed_events()
        codes = [event_of(digit) for digit in digits]
        allowed = read_events(events.parameters or "0-15")
        refused = [DIGITS[code] for code in codes if code not in allowed]
        if refused:
            raise LocalError(f"the peer does not take the digit {refused[0]} as a telephone event")
        self._saying.add(digits, events.rate, now)

    @property
    def is_sending_digits(self) -> bool:
        """Whether digits are still being said."""
        return self._saying.is_busy

    def take_digits(self) -> list[tuple[str, float]]:
        """Digits heard since they were last taken, each with its duration in milliseconds."""
        return self._hearing.take_digits()

    def deadline(self) -> float | None:
        """When ``tick`` is wanted."""
        times = (self._saying.deadline(), self._hearing.deadline())
        return min([time for time in times if time is not None], default=None)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._hearing.tick(now)
        stream, events, due = self._stream, self._events, self._saying.due(now)
        if stream is None or events is None or due is None:
            return
        if due.marker:
            self._event = self._sending.timestamp(events.rate, due.began), due.began
        datagram = self._sending.write(
            events.payload_type, due.report.to_bytes(), *self._event, marker=due.marker
        )
        self._outgoing.append((datagram, (stream.address, stream.port)))

    @property
    def statistics(self) -> Statistics:
        """All that is known of the stream so far."""
        seen = self._reception
        codec = seen.codec or self._voice
        return Statistics(
            self.mode,
            "" if codec is None else codec.name,
            self._sending.packets,
            seen.packets,
            seen.lost,
            round(seen.jitter * 1000, 3),
            seen.duplicates,
            seen.out_of_order,
            seen.octets,
            seen.malformed,
            seen.foreign,
            seen.unknown_payload,
            seen.rtcp,
        )

    def _agreed_events(self) -> Codec:
        stream = self._stream
        if self.mode == NONE or stream is None:
            raise LocalError("no digits can be said: there is no voice stream")
        if not stream.sends:
            raise LocalError(f"no digits can be said: the stream is {stream.direction}")
        if self._events is None:
            raise LocalError("the peer takes no telephone events (RFC 4733); send digits by INFO")
        return self._events


def _canonical(address: str) -> str:
    """One spelling for each address; names and IPv4 have but one."""
    if ":" not in address:
        return address
    import ipaddress  # rarely needed, slow to import

    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return address
