"""The packets of a capture file of any kind, told by its first octets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.capture import pcap
from sipua.capture.errors import CaptureError
from sipua.capture.pcapng import SECTION, PcapngReader

if TYPE_CHECKING:
    from typing import BinaryIO

    from sipua.capture.captured import CaptureRemark, Frame

BUFFER = 1 << 18  # octets read at a time
GZIP = b"\x1f\x8b"


def frames(source: str | os.PathLike[str] | BinaryIO) -> Iterator[Frame | CaptureRemark]:
    """The packets of a file, which is read once from where it stands, and remarks.

    Raises CaptureError for what is no capture, or is damaged so that nothing
    further can be made out.
    """
    if isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb", buffering=BUFFER) as file:
                yield from _frames(file)
        except OSError as error:
            raise CaptureError(f"cannot read {os.fspath(source)}: {error.strerror}") from error
    else:
        yield from _frames(source)


def _frames(file: BinaryIO) -> Iterator[Frame | CaptureRemark]:
    magic = file.read(4)
    if magic == SECTION:
        yield from PcapngReader(file).frames()
    elif magic in pcap.LAYOUTS:
        yield from pcap.frames(magic, file)
    elif not magic:
        raise CaptureError("the file is empty")
    elif magic.startswith(GZIP):
        raise CaptureError("the capture is compressed; run gunzip on it first")
    else:
        raise CaptureError("this is no capture file: neither pcap nor pcapng")


def is_capture(beginning: bytes) -> bool:
    """Whether a file that begins with these octets (four will do) is a capture."""
    return beginning[:4] == SECTION or beginning[:4] in pcap.LAYOUTS
