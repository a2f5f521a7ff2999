"""Telling SIP from what else crosses a network, by its start line (RFC 3261 §7.1, §7.2)."""

from __future__ import annotations

VERSION = b"SIP/2.0"
LONGEST_START_LINE = 8192


def is_sip(data: bytes) -> bool:
    """Whether these octets begin with the start line of a SIP message."""
    if data.startswith(b"SIP/"):
        return True
    end = data.find(b"\n", 0, LONGEST_START_LINE)
    line = data[:end].rstrip(b"\r") if end > 0 else b""
    return line.endswith(b" " + VERSION) and line[:1].isalpha()


def find_start(data: bytes) -> int:
    """Where the first start line in ``data`` begins; -1 if there is none. In linear time."""
    at = data.find(VERSION)
    while at >= 0:
        behind = data[at + 7 : at + 8]
        if behind == b" ":
            if at == 0 or data[at - 1] == 10:
                return at
        elif behind in b"\r\n" and at and data[at - 1] == 32:
            start = data.rfind(b"\n", max(0, at - LONGEST_START_LINE), at) + 1
            if data[start : start + 1].isalpha():
                return start
        at = data.find(VERSION, at + 7)
    return -1
