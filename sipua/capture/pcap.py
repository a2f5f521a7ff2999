"""The classic capture file, in both byte orders and with either resolution of time."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from sipua.capture.captured import CaptureRemark, Frame
from sipua.capture.errors import CaptureError

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_PACKET = 1 << 18  # octets, as Wireshark has it
FILE_HEADER = 24  # octets: magic, version, zone, accuracy, snapshot length, link type


class Layout(NamedTuple):
    """What the magic number tells: byte order, parts of a second, octets of a packet header."""

    order: str
    resolution: int
    header: int = 16


LAYOUTS = {
    b"\xd4\xc3\xb2\xa1": Layout("<", 10**6),
    b"\xa1\xb2\xc3\xd4": Layout(">", 10**6),
    b"\x4d\x3c\xb2\xa1": Layout("<", 10**9),
    b"\xa1\xb2\x3c\x4d": Layout(">", 10**9),
    b"\x34\xcd\xb2\xa1": Layout("<", 10**6, 24),  # Kuznetzov's, of old Linux distributions
    b"\xa1\xb2\xcd\x34": Layout(">", 10**6, 24),
}


def frames(magic: bytes, file: BinaryIO) -> Iterator[Frame | CaptureRemark]:
    """The packets of a file whose first four octets, ``magic``, have been read.

    A file that breaks off ends with a remark. Raises CaptureError for a header
    that makes no sense.
    """
    order, resolution, size = LAYOUTS[magic]
    head = file.read(FILE_HEADER - 4)
    if len(head) < FILE_HEADER - 4:
        raise CaptureError("the capture file ends in its header; nothing was captured")
    link = int.from_bytes(head[16:20], "little" if order == "<" else "big") & 0xFFFF
    unpack = Struct(f"{order}IIII").unpack_from
    number, at = 0, 0.0
    while head := file.read(size):
        if len(head) < size:
            yield CaptureRemark(at, "the file breaks off in a packet header", number)
            return
        seconds, parts, captured, length = unpack(head)
        if captured > MAX_PACKET:
            raise CaptureError(
                f"packet {number + 1} claims {captured} octets; the file is damaged from there on"
            )
        number += 1
        at = seconds + parts / resolution
        data = file.read(captured)
        if len(data) < captured:
            yield CaptureRemark(at, f"the file breaks off in packet {number}", number)
            return
        yield Frame(at, number, link, data, length)
