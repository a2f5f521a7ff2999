"""The trace of a run: SIP, APDUs and our remarks, put into a capture file as they happen.

What the network and the card say are packets; our remarks are comments on the
packet that they are about. A remark on what has just been written goes to the
next packet, since nothing written is ever touched again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from sipua.auth.redaction import redact_message
from sipua.capture import gsmtap
from sipua.capture.correlation import Correlation
from sipua.capture.ip_writer import TcpWay, Way
from sipua.capture.marks import TLS
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
MAX_EVENTS = 100  # that wait to be written
AUTHENTICATE = "AUTHENTICATE"


Event = tuple["Callable[..., None]", int, tuple[object, ...]]
"""What is to be done, the time that it is about, and with what."""


class Recorder:
    """Takes what happens and writes it down. Never raises for what it is given.

    At once, until ``catch_up`` was called: then whenever that is called again.
    Secrets in messages are masked here unless ``shows_secrets``; APDUs come
    masked, or not, as they are to be written.
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
        self._clock = clock
        comment = UNREDACTED if shows_secrets else REDACTED
        self._file = PcapngWriter(write, f"sipua {VERSION}", comment)
        self._sip = self._file.interface("sip", "SIP messages")
        self._card = self._file.interface("card", "APDUs and remarks, in GSMTAP")
        self._to_card = Way(LOOPBACK, LOOPBACK)
        self._correlation = Correlation()
        self._datagrams: dict[Hop, tuple[Way, Way]] = {}
        self._connections: dict[Hop, TcpWay] = {}
        self._for_card: list[str] = []
        self._for_request: list[str] = []
        self._awaited: set[bytes] = set()  # methods of the requests that these are for
        self._events: deque[Event] = deque()
        self._is_patient = False

    def step(self, step: Step) -> None:
        """A step of an exchange: it becomes a remark on the packet it is about."""
        self._note(self._step, step)

    def message(self, direction: Literal["sent", "received"], data: bytes, hop: Hop) -> None:
        """A SIP message at the edge to the network; ``hop.local`` says where our end is."""
        self._note(self._message, direction, data, hop)

    def apdu(self, apdu: TracedApdu) -> None:
        """A command to the card and its answer."""
        self._note(self._apdu, apdu)

    def remark(self, text: str) -> None:
        """Something that belongs to no packet: a line of its own."""
        self._note(self._remark, text)

    def catch_up(self) -> None:
        """Write down what has happened since this was called last."""
        self._is_patient = True
        self._write_down()

    def _note(self, write: Callable[..., None], *what: object) -> None:
        self._events.append((write, self._clock(), what))
        if not self._is_patient or len(self._events) > MAX_EVENTS:
            self._write_down()

    def _write_down(self) -> None:
        events = self._events
        with self._file.together():
            while events:
                write, at, what = events.popleft()
                write(at, *what)

    # One at a time -------------------------------------------------------------------------

    def _step(self, at: int, step: Step) -> None:
        ends = step.source, step.target
        said = "; ".join(filter(None, (step.note, step.proof)))
        text = f"{step.label}: {said}" if said else step.label
        if ends == (UE, CARD):
            self._for_card.append(text)
        elif step.source == UE != step.target:
            self._for_request.append(text)
            self._awaited.add(step.label.encode())
        elif ends == (CARD, UE):
            self._for_request.append(f"the card's answer: {text}")
        elif not step.label[:1].isdigit():  # an answer is remarked on when it comes
            self._remark(at, step.note or text)

    def _message(self, at: int, direction: str, data: bytes, hop: Hop) -> None:
        if not self.shows_secrets:
            data = redact_message(data)
        attempt, again = self._correlation.take(direction, data)
        remarks = [str(attempt)]
        if hop.transport == "TLS":
            remarks.append(TLS)
        if again:
            remarks.append("a retransmission")
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
        for packet in self._packets(direction, data, hop):
            self._file.packet(self._sip, at, packet, comment)

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

    def _packets(self, direction: str, data: bytes, hop: Hop) -> list[bytes]:
        if hop.transport == "UDP":
            ways = self._datagrams.get(hop)
            if ways is None:
                _make_room(self._datagrams)
                local, peer = _ends(hop)
                ways = self._datagrams[hop] = Way(local, peer), Way(peer, local)
            return [ways[direction != "sent"].udp(data)]
        connection = self._connections.get(hop)
        if connection is None:
            _make_room(self._connections)
            connection = self._connections[hop] = TcpWay(*_ends(hop))
        return connection.sent(data) if direction == "sent" else connection.received(data)


def _ends(hop: Hop) -> tuple[tuple[str, int], tuple[str, int]]:
    """Our end and the peer's; ours is unspecified where it is not known."""
    unspecified = "::" if ":" in hop.address else "0.0.0.0"  # noqa: S104  nothing is bound
    return hop.local or (unspecified, 0), (hop.address, hop.port)


def _make_room(ways: dict[Hop, Way] | dict[Hop, TcpWay] | dict[Hop, tuple[Way, Way]]) -> None:
    if len(ways) >= MAX_WAYS:
        del ways[next(iter(ways))]
