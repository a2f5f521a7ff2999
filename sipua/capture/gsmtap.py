"""APDUs and remarks in GSMTAP over UDP, as osmocom's programs and Wireshark have them.

Version 2 of the header: 16 octets, all numbers in network byte order. An APDU is
carried as T=0 has it on the wire: CLA INS P1 P2 P3, data, SW1 SW2.
"""

from __future__ import annotations

from struct import Struct

PORT = 4729  # UDP, assigned by IANA
SIM, LOG = 4, 16
APDU = 0  # the sub-type of SIM
HEADER = bytes((2, 4, SIM)) + bytes(9) + bytes((APDU, 0, 0, 0))
LOG_HEADER = bytes((2, 4, LOG)) + bytes(13)
NOTICE = 5  # level of a log line in osmocom's programs

# Seconds, microseconds, process name and number, level, subsystem, file name, line.
_LOG = Struct("!II16sIB3x16s32sI")

INCOMING = frozenset(
    (0x04, 0x10, 0x14, 0x20, 0x24, 0x26, 0x28, 0x2C, 0x32, 0x44, 0x82, 0x88, 0x89, 0xA2, 0xA4)
) | {0xAA, 0xC2, 0xD6, 0xDA, 0xDB, 0xDC, 0xE2}
"""Instructions whose P3 counts octets that go to the card (TS 102 221 table 10.5)."""


def read(datagram: bytes) -> tuple[bytes, bytes] | None:
    """The command and the answer in a datagram; None when it is no APDU."""
    if len(datagram) < 16 or datagram[2] != SIM or datagram[12] != APDU:
        return None
    tpdu = datagram[datagram[1] * 4 :]
    if len(tpdu) < 7:
        return None
    end = 5 + tpdu[4] if tpdu[1] in INCOMING else 5
    if len(tpdu) < end + 2:
        return None
    return tpdu[:end], tpdu[end:]


def write(command: bytes, answer: bytes) -> bytes:
    """The datagram for a command APDU and its answer, SW1 SW2 included.

    T=0 has no Le behind data, and a P3 of 0 where there is neither.
    """
    if len(command) == 4:
        command += b"\0"
    elif len(command) > 5:
        command = command[: 5 + command[4]]
    return HEADER + command + answer


def write_remark(text: str, at: int) -> bytes:
    """The datagram for a line of ours that belongs to no other packet; ``at`` in nanoseconds."""
    seconds, rest = divmod(at, 10**9)
    head = _LOG.pack(seconds, rest // 1000, b"sipua", 0, NOTICE, b"sipua", b"", 0)
    return LOG_HEADER + head + text.encode("utf-8", "replace")


def read_remark(datagram: bytes) -> str | None:
    """The line in a datagram of ``write_remark`` or of an osmocom program; None for others."""
    if len(datagram) < 16 or datagram[2] != LOG:
        return None
    text = datagram[datagram[1] * 4 + _LOG.size :]
    return text.rstrip(b"\0").decode("utf-8", "replace") or None
