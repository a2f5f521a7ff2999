"""Writing pcapng (draft-ietf-opsawg-pcapng), blocks always whole.

Whoever reads the file while it grows, or after its writer was killed, finds
everything that had happened by then.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from sipua.capture.link_layer import RAW
from sipua.capture.pcapng import COMMENT, ENHANCED_PACKET, INTERFACE, RESOLUTION

SECTION_HEADER = 0x0A0D0D0A
NAME, DESCRIPTION, APPLICATION = 2, 3, 4  # of an interface, of an interface, of a section
NANOSECONDS = b"\x09"
MAX_COMMENT = 4096  # octets

_SECTION = Struct("<IHHq")
_INTERFACE = Struct("<HHI")
_PACKET = Struct("<IIIIIII")
_OPTION = Struct("<HH")
_LENGTH = Struct("<I")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")  # by what is left over of a length in fours


class PcapngWriter:
    """One section of raw IP packets, times in nanoseconds since 1970."""

    def __init__(self, write: Callable[[bytes], object], application: str, comment: str) -> None:
        """``write`` takes whole blocks, one or more at a time."""
        self._write = write
        self._interfaces = 0
        self._blocks: list[bytes] = []
        self._block(
            SECTION_HEADER,
            _SECTION.pack(0x1A2B3C4D, 1, 0, -1)
            + _option(COMMENT, comment.encode())
            + _option(APPLICATION, application.encode())
            + _OPTION.pack(0, 0),
        )

    def interface(self, name: str, description: str) -> int:
        """Describe where packets are from; gives the number to say with each of them."""
        self._block(
            INTERFACE,
            _INTERFACE.pack(RAW, 0, 0)
            + _option(NAME, name.encode())
            + _option(DESCRIPTION, description.encode())
            + _option(RESOLUTION, NANOSECONDS)
            + _OPTION.pack(0, 0),
        )
        self._interfaces += 1
        return self._interfaces - 1

    def packet(self, interface: int, at: int, data: bytes, comment: str) -> None:
        """One IP packet; ``comment`` is cut where it is too long, and left out when empty."""
        options = b""
        if comment:
            text = comment.encode("utf-8", "replace")
            if len(text) > MAX_COMMENT:
                text = text[: MAX_COMMENT - 3].decode("utf-8", "ignore").encode() + b"..."
            options = _option(COMMENT, text) + b"\0\0\0\0"
        size = len(data)
        padding = _PADDING[size & 3]
        length = 32 + size + len(padding) + len(options)
        head = _PACKET.pack(
            ENHANCED_PACKET, length, interface, at >> 32, at & 0xFFFFFFFF, size, size
        )
        self._blocks += (head, data, padding, options, _LENGTH.pack(length))

    def flush(self) -> None:
        """Write what has been added since the last time."""
        blocks, self._blocks = self._blocks, []
        self._write(b"".join(blocks))

    def _block(self, kind: int, body: bytes) -> None:
        length = _LENGTH.pack(12 + len(body))
        self._blocks += (_LENGTH.pack(kind), length, body, length)


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + value + _PADDING[len(value) & 3]
