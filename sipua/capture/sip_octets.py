"""Telling SIP from what else crosses a network, by its start line (RFC 3261 §7.1, §7.2)."""

from __future__ import annotations

import re

VERSION = b"SIP/2.0"
LONGEST_START_LINE = 8192
LONGEST_METHOD = 32

METHODS = (
    *(b"ACK", b"BYE", b"CANCEL", b"INFO", b"INVITE", b"MESSAGE", b"NOTIFY", b"OPTIONS"),
    *(b"PRACK", b"PUBLISH", b"REFER", b"REGISTER", b"SUBSCRIBE", b"UPDATE"),
)


def is_sip(data: bytes) -> bool:
    """Whether these octets begin with the start line of a SIP message."""
    if data.startswith(b"SIP/"):
        return True
    end = data.find(b"\n", 0, LONGEST_START_LINE)
    line = data[:end].rstrip(b"\r") if end > 0 else b""
    return line.endswith(b" " + VERSION) and line[:1].isalpha()


def find_start(data: bytes) -> int:
    """Where the first start line in ``data`` begins; -1 if there is none. In linear time.

    The body of another message may stand right before it, without a line end.
    """
    at, passed = data.find(VERSION), 0
    while at >= 0:
        behind = data[at + 7 : at + 12]
        if behind[:1] == b" ":
            if behind[1:4].isdigit() and behind[4:] == b" ":
                return at
        elif behind[:1] in (b"\r", b"\n") and data[at - 1 : at] == b" ":
            before = data[max(passed, at - LONGEST_START_LINE) : at - 1]
            start = _method(before)
            if start >= 0:
                return at - 1 - len(before) + start
        passed = at + 7
        at = data.find(VERSION, passed)
    return -1


def _method(before: bytes) -> int:
    """Where the method begins, ``before`` being a request line up to its URI; -1 if it is none."""
    end = before.rfind(b" ")
    if end <= 0 or b"\n" in before[end:]:
        return -1
    name = re.search(rb"[A-Za-z.!%*_+`'~-]*\Z", before[max(0, end - LONGEST_METHOD) : end])
    assert name is not None  # it may be empty
    for method in METHODS:
        if name[0].endswith(method):
            return end - len(method)
    return end - len(name[0]) if name[0] else -1
