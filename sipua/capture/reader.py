"""SIP messages and APDUs out of capture files, in one pass and flat memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.capture import esp, gsmtap
from sipua.capture.captured import (
    Captured,
    CapturedApdu,
    CapturedMessage,
    CaptureRemark,
    Frame,
)
from sipua.capture.frames import frames
from sipua.capture.ip import TCP, UDP, Reassembly
from sipua.capture.link_layer import KNOWN, ip_packet
from sipua.capture.marks import is_tls
from sipua.capture.sip_octets import is_sip
from sipua.capture.streams import SipConnections
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import BinaryIO

    from sipua.capture.ip import Packet
    from sipua.capture.streams import Found

    Source = str | os.PathLike[str] | BinaryIO

MAX_REMARKS = 100


def contents(source: Source) -> Iterator[Captured]:
    """All that a pcap or pcapng file holds of SIP and of cards, in the order it was completed.

    ``source`` is a path, or a binary file which is read on from where it stands
    (its ``tell`` shows the progress). Raises CaptureError, perhaps after much has
    been given already, where the file is no capture or cannot be read further.
    """
    return _Reading().contents(source)


def messages(source: Source) -> Iterator[CapturedMessage]:
    """The SIP messages alone; see ``contents``."""
    return (each for each in contents(source) if isinstance(each, CapturedMessage))


def apdus(source: Source) -> Iterator[CapturedApdu]:
    """The APDUs alone; see ``contents``."""
    return (each for each in contents(source) if isinstance(each, CapturedApdu))


class _Reading:
    """What one pass remembers."""

    def __init__(self) -> None:
        self._ip = Reassembly()
        self._tcp = SipConnections()
        self._said: set[str] = set()

    def contents(self, source: Source) -> Iterator[Captured]:
        for frame in frames(source):
            if isinstance(frame, CaptureRemark):
                yield frame
                continue
            if frame.link not in KNOWN:
                kind = f"link type {frame.link}"
                text = f"packets of {kind} cannot be read here"
                yield from self._remark(kind, frame.at, text, frame.number)
                continue
            packet = self._ip.take(ip_packet(frame.link, frame.data))
            if packet is None:
                continue
            yield from self._packet(packet, frame)
        for found in self._tcp.finish():
            yield from self._found(found)

    def _packet(self, packet: Packet, frame: Frame) -> Iterator[Captured]:
        protected = esp.protected(packet)
        if protected:
            inside = esp.clear_payload(protected)
            if inside is None:
                text = "ESP packets are encrypted: what is in them cannot be read"
                yield from self._remark("esp", frame.at, text, frame.number)
                return
            packet = packet._replace(protocol=inside[0], payload=inside[1])
            frame = frame._replace(comment=f"{frame.comment}\n{esp.MARK}".lstrip())
        if packet.protocol == UDP:
            yield from self._datagram(packet, frame)
        elif packet.protocol == TCP:
            for found in self._tcp.take(
                packet.source,
                packet.destination,
                packet.payload,
                frame.at,
                frame.number,
                frame.comment,
            ):
                yield from self._found(found)

    def _datagram(self, packet: Packet, frame: Frame) -> Iterator[Captured]:
        payload = packet.payload
        if len(payload) < 8:
            return
        near, far = payload[0] << 8 | payload[1], payload[2] << 8 | payload[3]
        data = payload[8 : payload[4] << 8 | payload[5] or None]
        if gsmtap.PORT in (near, far):
            apdu = gsmtap.read(data)
            if apdu is not None:
                yield CapturedApdu(frame.at, *apdu, frame.comment, frame.number)
            else:
                line = gsmtap.read_remark(data)
                if line is not None:
                    yield CaptureRemark(frame.at, line, frame.number)
            return
        if data[:2] == b"\r\n":
            data = data.lstrip(b"\r\n")
        if not is_sip(data):
            return
        if packet.missing:
            text = "messages are not complete: the capture was made with a limit on their length"
            yield from self._remark("cut", frame.at, text, frame.number)
        yield CapturedMessage(
            frame.at,
            Hop("UDP", packet.source, near),
            Hop("UDP", packet.destination, far),
            "UDP",
            data,
            frame.comment,
            frame.number,
        )

    def _found(self, found: Found) -> Iterator[Captured]:
        segment = found.segment
        if found.missing:
            text = (
                f"{found.missing} octets from {found.source[0]} port {found.source[1]}"
                f" to {found.destination[0]} port {found.destination[1]} are not in the capture"
            )
            yield from self._remark(text, segment.at, text, segment.packet)
            return
        transport = "TLS" if is_tls(segment.comment) else "TCP"
        yield CapturedMessage(
            segment.at,
            Hop(transport, *found.source),
            Hop(transport, *found.destination),
            transport,
            found.data,
            segment.comment,
            segment.packet,
        )

    def _remark(self, kind: str, at: float, text: str, packet: int) -> Iterator[CaptureRemark]:
        """Say it once, and not without end."""
        if kind not in self._said and len(self._said) < MAX_REMARKS:
            self._said.add(kind)
            yield CaptureRemark(at, text, packet)
