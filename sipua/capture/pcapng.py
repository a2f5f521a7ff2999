"""Reading pcapng (draft-ietf-opsawg-pcapng): any byte order, any resolution of time.

Blocks that hold no packets are passed over unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Literal, NamedTuple

from sipua.capture.captured import CaptureRemark, Frame
from sipua.capture.errors import CaptureError

if TYPE_CHECKING:
    from typing import BinaryIO

SECTION = b"\x0a\x0d\x0d\x0a"  # the same in either byte order
INTERFACE, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 1, 2, 3, 6
BYTE_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
END_OF_OPTIONS, COMMENT, RESOLUTION, OFFSET = 0, 1, 9, 14

MAX_BLOCK = 1 << 24  # octets of a block that is read as a whole
MAX_INTERFACES = 4096
CHUNK = 1 << 20


class Interface(NamedTuple):
    """What is needed of an interface description; ``resolution`` is parts of a second."""

    link: int
    snapshot: int
    resolution: int
    offset: int  # seconds, added to every time


class PcapngReader:
    """One file's blocks, in order. ``frames`` gives what they hold."""

    def __init__(self, file: BinaryIO) -> None:
        """``file`` stands behind the first four octets, which were SECTION."""
        self._file = file
        self._interfaces: list[Interface] = []
        self._number = 0
        self._at = 0.0
        self._little = True
        self._order: Literal["little", "big"] = "little"

    def frames(self) -> Iterator[Frame | CaptureRemark]:
        """The packets; a file that breaks off ends with a remark.

        Raises CaptureError where nothing further can be made out.
        """
        kind = SECTION
        while len(kind) == 4:
            if kind == SECTION:
                body = self._section()
            else:
                body = self._block(int.from_bytes(kind, self._order))
            if body is None:
                yield self._remark(f"the file breaks off after packet {self._number}")
                return
            if isinstance(body, Frame):
                yield body
            kind = self._file.read(4)
        if kind:
            yield self._remark(f"the file breaks off after packet {self._number}")

    def _remark(self, text: str) -> CaptureRemark:
        return CaptureRemark(self._at, text, self._number)

    def _section(self) -> Frame | bytes | None:
        """A section header: from here on, another byte order and other interfaces."""
        head = self._file.read(8)
        if len(head) < 8:
            return None
        order = BYTE_ORDER.get(head[4:])
        if order is None:
            raise CaptureError("a section of the pcapng file has no known byte order")
        self._little = order == "<"
        self._order = "little" if self._little else "big"
        self._interfaces.clear()
        self._words = Struct(f"{order}IIIII").unpack_from
        length = int.from_bytes(head[:4], self._order)
        return self._skip(self._checked(length, 28) - 12)

    def _checked(self, length: int, least: int) -> int:
        if length < least or length % 4:
            raise CaptureError(
                f"a block after packet {self._number} claims {length} octets; "
                "the file is damaged from there on"
            )
        return length

    def _skip(self, octets: int) -> bytes | None:
        """Read over so many octets; None when the file ends before."""
        while octets > 0:
            got = len(self._file.read(min(octets, CHUNK)))
            if not got:
                return None
            octets -= got
        return b""

    def _block(self, kind: int) -> Frame | bytes | None:
        """Any other block; a frame if it holds one, None when the file ends in it."""
        head = self._file.read(4)
        if len(head) < 4:
            return None
        length = self._checked(int.from_bytes(head, self._order), 12)
        if kind not in (INTERFACE, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET):
            return self._skip(length - 8)
        if length > MAX_BLOCK:
            raise CaptureError(
                f"a block after packet {self._number} claims {length} octets; "
                "the file is damaged from there on"
            )
        body = self._file.read(length - 8)
        if len(body) < length - 8:
            return None
        body = body[:-4]  # the length again
        if kind == INTERFACE:
            self._add_interface(body)
            return b""
        self._number += 1
        if kind == SIMPLE_PACKET:
            return self._simple(body)
        return self._packet(body, obsolete=kind == OBSOLETE_PACKET)

    def _add_interface(self, body: bytes) -> None:
        if len(body) < 8 or len(self._interfaces) >= MAX_INTERFACES:
            raise CaptureError("an interface description of the pcapng file makes no sense")
        order = self._order
        resolution, offset = 10**6, 0
        for code, value in self._options(body, 8):
            if code == RESOLUTION and value:
                exponent = value[0] & 0x7F
                resolution = 2**exponent if value[0] & 0x80 else 10**exponent
            elif code == OFFSET and len(value) == 8:
                offset = int.from_bytes(value, order, signed=True)
        link = int.from_bytes(body[:2], order)
        snapshot = int.from_bytes(body[4:8], order)
        self._interfaces.append(Interface(link, snapshot, resolution, offset))

    def _simple(self, body: bytes) -> Frame:
        """A packet without a time, of the first interface."""
        if not self._interfaces or len(body) < 4:
            raise self._homeless()
        interface = self._interfaces[0]
        length = int.from_bytes(body[:4], self._order)
        captured = min(length, interface.snapshot or length)
        return Frame(self._at, self._number, interface.link, body[4 : 4 + captured], length)

    def _packet(self, body: bytes, *, obsolete: bool) -> Frame:
        """An enhanced packet, or the obsolete kind, which has a drop count beside the interface."""
        if len(body) < 20:
            raise self._homeless()
        index, high, low, captured, length = self._words(body)
        if obsolete:
            index = int.from_bytes(body[:2], self._order)
        if index >= len(self._interfaces):
            raise self._homeless()
        interface = self._interfaces[index]
        end = 20 + captured
        if end > len(body):
            raise CaptureError(
                f"packet {self._number} claims {captured} octets, more than its block holds"
            )
        at = self._at = (high << 32 | low) / interface.resolution + interface.offset
        comment = ""
        options = end + (-captured & 3)
        if options < len(body):
            comment = "\n".join(
                value.decode("utf-8", "replace")
                for code, value in self._options(body, options)
                if code == COMMENT
            )
        return Frame(at, self._number, interface.link, body[20:end], length, comment)

    def _homeless(self) -> CaptureError:
        return CaptureError(f"packet {self._number} belongs to no interface; the file is damaged")

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """Code and value of each option; what does not fit ends them."""
        while at + 4 <= len(body):
            code = int.from_bytes(body[at : at + 2], self._order)
            length = int.from_bytes(body[at + 2 : at + 4], self._order)
            at += 4
            if code == END_OF_OPTIONS or at + length > len(body):
                return
            yield code, body[at : at + length]
            at += length + (-length & 3)
