"""The trace of a run: SIP, APDUs and our remarks, put into a capture file as they happen.

What the network and the card say are packets; our remarks are comments on the
packet that they are about. A remark on what has just been written goes to the
next packet, since nothing written is ever touched again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from sipua.auth.redaction import redact_message
from sipua.capture import gsmtap
from sipua.capture.correlation import Correlation
from sipua.capture.ip_writer import TcpWay, Way
from sipua.capture.marks import ESP, TLS
from sipua.capture.pcapng_writer import PcapngWriter
from sipua.trace.narration import answer_note
from sipua.trace.step import CARD, UE
from sipua.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.masking import TracedApdu
    from sipua.sip.hop import Hop
    from sipua.trace.step import Step

BLOT = ".."  # an octet of a TracedApdu that is hidden
REDACTED = "Redacted: PIN, RES, CK, IK and Kc are not in this file. Hidden octets of APDUs are 00."
UNREDACTED = "HOLDS SECRETS: PIN, RES, CK, IK and Kc are in this file in clear. Do not pass it on."
LOOPBACK = ("127.0.0.1", gsmtap.PORT)
MAX_WAYS = 256
MAX_EVENTS = 300  # that wait to be written
SOON = 20_000_000  # nanoseconds
AUTHENTICATE = "AUTHENTICATE"


class Recorder:
    """Takes what happens and writes it down. Never raises for what it is given.

    At once, until ``catch_up`` was called: then whenever that is called again.
    Secrets in messages are masked here unless ``shows_secrets``; APDUs come
    masked, or not, as they are to be written. ``way`` adds our own end to a hop
    and tells whether IPsec protects it.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        clock: Callable[[], int],
        *,
        shows_secrets: bool = False,
    ) -> None:
        """``write`` takes whole blocks of a pcapng file, ``clock`` gives nanoseconds since 1970."""
        self.shows_secrets = shows_secrets
        self.way: Callable[[Hop], tuple[Hop, bool]] = _unprotected
        self._clock = clock
        comment = UNREDACTED if shows_secrets else REDACTED
        self._file = PcapngWriter(write, f"sipua {VERSION}", comment)
        self._sip = self._file.interface("sip", "SIP messages")
        self._card = self._file.interface("card", "APDUs and remarks, in GSMTAP")
        self._file.flush()
        self._to_card = Way(LOOPBACK, LOOPBACK)
        self._correlation = Correlation()
        self._datagrams: dict[Hop, tuple[Way, Way]] = {}
        self._connections: dict[Hop, TcpWay] = {}
        self._for_card: list[str] = []
        self._for_request: list[str] = []
        self._awaited: set[bytes] = set()  # methods of the requests that these are for
        self._events: deque[tuple[Any, ...]] = deque()  # what to do, then with what
        self._most_events = 0  # that may wait
        self._ended_at = 0

    def step(self, step: Step) -> None:
        """A step of an exchange: it becomes a remark on the packet it is about."""
        self._events.append((self._step, self._clock(), step))
        if len(self._events) > self._most_events:
            self._write_down()

    def message(self, direction: Literal["sent", "received"], data: bytes, hop: Hop) -> None:
        """A SIP message at the edge to the network."""
        self._events.append((self._message, self._clock(), direction, data, hop))
        if len(self._events) > self._most_events:
            self._write_down()

    def apdu(self, apdu: TracedApdu) -> None:
        """A command to the card and its answer."""
        self._events.append((self._apdu, self._clock(), apdu))
        if len(self._events) > self._most_events:
            self._write_down()

    def remark(self, text: str) -> None:
        """Something that belongs to no packet: a line of its own."""
        self._events.append((self._remark, self._clock(), text))
        if len(self._events) > self._most_events:
            self._write_down()

    def ended(self, how: str) -> None:
        """An attempt has ended so; it is written down, if need be with the next ones."""
        self.remark(how)
        now = self._clock()
        if now - self._ended_at > SOON:
            self._ended_at = now
            self._write_down()

    def catch_up(self) -> None:
        """Write down what has happened since this was called last."""
        self._most_events = MAX_EVENTS
        if self._events:
            self._write_down()

    def _write_down(self) -> None:
        events = self._events
        while events:
            try:
                write, *what = events.popleft()
            except IndexError:  # a thread that asks the card is here as well
                break
            write(*what)
        self._file.flush()

    # One at a time -------------------------------------------------------------------------

    def _step(self, at: int, step: Step) -> None:
        source, target, label, note, proof = step
        if target == UE and label[:1].isdigit():
            return  # an answer is remarked on when it comes
        said = f"{note}; {proof}" if note and proof else note or proof
        text = f"{label}: {said}" if said else label
        if target == CARD:
            self._for_card.append(text)
        elif source == CARD:
            self._for_request.append(f"the card's answer: {text}")
        elif target != UE:
            self._for_request.append(text)
            self._awaited.add(label.encode())
        else:
            self._remark(at, said or text)

    def _message(self, at: int, direction: str, data: bytes, hop: Hop) -> None:
        if not self.shows_secrets:
            data = redact_message(data)
        attempt, again = self._correlation.take(direction, data, hop.transport)
        remarks = [str(attempt)]
        hop, is_protected = self.way(hop)
        if is_protected:
            remarks.append(ESP)
        elif hop.transport == "TLS":
            remarks.append(TLS)
        if again:
            remarks.append(again)
        elif direction == "sent":
            if self._awaited and data[: data.find(b" ")] in self._awaited:
                remarks += self._for_request
                self._for_request.clear()
                self._awaited.clear()
        elif data.startswith(b"SIP/2.0 "):
            status = data[8:11]
            if status.isdigit() and status >= b"200":
                remarks.append(answer_note(int(status)))
        comment = "\n".join(remarks)
        if hop.transport == "UDP":
            way = (self._datagrams.get(hop) or self._new_ways(hop))[direction != "sent"]
            self._file.packet(self._sip, at, way.udp(data), comment)
            return
        connection = self._connections.get(hop) or self._new_connection(hop)
        segments = connection.sent(data) if direction == "sent" else connection.received(data)
        for segment in segments:
            self._file.packet(self._sip, at, segment, comment)

    def _apdu(self, at: int, apdu: TracedApdu) -> None:
        remarks = []
        attempt = self._correlation.current
        if attempt is not None:
            remarks.append(str(attempt))
        command, answer = apdu.command, apdu.answer
        hidden = command.count(BLOT) + answer.count(BLOT)
        if hidden:
            remarks.append(f"{hidden} octets are hidden: they are 00 here")
            command, answer = command.replace(BLOT, "00"), answer.replace(BLOT, "00")
        if self._for_card and apdu.name == AUTHENTICATE:
            remarks += self._for_card
            self._for_card.clear()
        datagram = gsmtap.write(bytes.fromhex(command), bytes.fromhex(answer))
        self._file.packet(self._card, at, self._to_card.udp(datagram), "\n".join(remarks))

    def _remark(self, at: int, text: str) -> None:
        packet = self._to_card.udp(gsmtap.write_remark(text, at))
        self._file.packet(self._card, at, packet, text)

    def _new_ways(self, hop: Hop) -> tuple[Way, Way]:
        _make_room(self._datagrams)
        local, peer = _ends(hop)
        ways = self._datagrams[hop] = Way(local, peer), Way(peer, local)
        return ways

    def _new_connection(self, hop: Hop) -> TcpWay:
        _make_room(self._connections)
        connection = self._connections[hop] = TcpWay(*_ends(hop))
        return connection


def _unprotected(hop: Hop) -> tuple[Hop, bool]:
    return hop, False


def _ends(hop: Hop) -> tuple[tuple[str, int], tuple[str, int]]:
    """Our end and the peer's; ours is unspecified where it is not known."""
    unspecified = "::" if ":" in hop.address else "0.0.0.0"  # noqa: S104  nothing is bound
    return hop.local or (unspecified, 0), (hop.address, hop.port)


def _make_room(ways: dict[Hop, TcpWay] | dict[Hop, tuple[Way, Way]]) -> None:
    if len(ways) >= MAX_WAYS:
        del ways[next(iter(ways))]
