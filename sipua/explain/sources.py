"""What was given to be explained: a capture, our own JSON, or text; told apart by its first octets.

Nothing here opens files by name: the command does, and may show how far it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sipua.capture.captured import CapturedApdu, CaptureRemark
from sipua.capture.reader import contents
from sipua.errors import ParseError
from sipua.explain.heard import Heard
from sipua.sip.message import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from sipua.sip.hop import Hop

CAPTURE_MAGIC = (
    *(b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1"),
    b"\x0a\x0d\x0d\x0a",
)
"""The first octets of pcap in both byte orders and both resolutions, and of pcapng."""


def is_capture(first: bytes) -> bool:
    """Whether a file that begins like this is pcap or pcapng."""
    return first[:4] in CAPTURE_MAGIC


def document_in(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, as our own commands print it; None for other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def captured(stream: BinaryIO, remark: Callable[[str], None]) -> Iterator[Heard | CapturedApdu]:
    """The SIP messages and APDUs of a capture; what cannot be read is told to ``remark``.

    Raises CaptureError where the file cannot be read further.
    """
    unreadable = 0
    for each in contents(stream):
        if isinstance(each, CaptureRemark):
            remark(each.text)
        elif isinstance(each, CapturedApdu):
            yield each
        else:
            try:
                message = parse(each.data)
            except ParseError:
                unreadable += 1
                continue
            yield Heard(
                message, each.at, _address(each.source), _address(each.destination), each.transport
            )
    if unreadable:
        remark(f"{unreadable} SIP messages are malformed and were left out")


def _address(hop: Hop) -> str:
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return f"{host}:{hop.port}"
