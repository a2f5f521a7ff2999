"""Commands, answers and status words of a UICC (TS 102 221 §10, ISO/IEC 7816-4)."""

from __future__ import annotations

from typing import NamedTuple

SELECT = 0xA4
READ_BINARY = 0xB0
READ_RECORD = 0xB2
STATUS = 0xF2
AUTHENTICATE = 0x88
AUTHENTICATE_CHAINED = 0x89
GET_RESPONSE = 0xC0
VERIFY_PIN = 0x20
CHANGE_PIN = 0x24
DISABLE_PIN = 0x26
ENABLE_PIN = 0x28
UNBLOCK_PIN = 0x2C

GSM_CLASS = 0xA0  # TS 51.011: a SIM rather than a UICC
ALL = 256  # Le that asks for all there is; its octet is 00

PIN_INSTRUCTIONS = frozenset((VERIFY_PIN, CHANGE_PIN, DISABLE_PIN, ENABLE_PIN, UNBLOCK_PIN))

INSTRUCTION_NAMES = {
    0x04: "DEACTIVATE FILE",
    0x10: "TERMINAL PROFILE",
    0x12: "FETCH",
    0x14: "TERMINAL RESPONSE",
    VERIFY_PIN: "VERIFY PIN",
    CHANGE_PIN: "CHANGE PIN",
    DISABLE_PIN: "DISABLE PIN",
    ENABLE_PIN: "ENABLE PIN",
    UNBLOCK_PIN: "UNBLOCK PIN",
    0x32: "INCREASE",
    0x44: "ACTIVATE FILE",
    0x70: "MANAGE CHANNEL",
    0x84: "GET CHALLENGE",
    AUTHENTICATE: "AUTHENTICATE",
    AUTHENTICATE_CHAINED: "AUTHENTICATE",
    0xA2: "SEARCH RECORD",
    SELECT: "SELECT",
    READ_BINARY: "READ BINARY",
    READ_RECORD: "READ RECORD",
    GET_RESPONSE: "GET RESPONSE",
    0xC2: "ENVELOPE",
    0xD6: "UPDATE BINARY",
    0xDC: "UPDATE RECORD",
    STATUS: "STATUS",
}


class Command(NamedTuple):
    """One command APDU. ``data`` is at most 255 octets; ``le`` 1 to 256, None for no Le."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @property
    def name(self) -> str:
        """The instruction's name in TS 102 221 table 10.5, or its number."""
        return INSTRUCTION_NAMES.get(self.ins) or f"INS {self.ins:02X}"

    def to_bytes(self) -> bytes:
        """CLA INS P1 P2 [Lc data] [Le], short form. Raises ValueError for what does not fit."""
        cla, ins, p1, p2, data, le = self
        octets = bytes((cla, ins, p1, p2))
        if data:
            octets += bytes((len(data),)) + data
        if le is None:
            return octets
        if not 1 <= le <= ALL:
            raise ValueError(f"Le of {le} octets; it must be 1 to {ALL}")
        return octets + bytes((le & 0xFF,))

    def __repr__(self) -> str:
        """The header only: the data may be a PIN."""
        header = bytes(self[:4]).hex().upper()
        return f"Command({self.name} {header}, {len(self.data)} octets, le={self.le})"


def parse_command(octets: bytes) -> Command:
    """The short-form command in these octets (ISO/IEC 7816-4 §5.1); raises ValueError."""
    if len(octets) < 4:
        raise ValueError("a command APDU has at least 4 octets")
    header = octets[0], octets[1], octets[2], octets[3]
    if len(octets) == 4:
        return Command(*header)
    if len(octets) == 5:
        return Command(*header, le=octets[4] or ALL)
    end = 5 + octets[4]
    if len(octets) == end:
        return Command(*header, octets[5:end])
    if len(octets) == end + 1 and octets[4]:
        return Command(*header, octets[5:end], octets[end] or ALL)
    raise ValueError(f"Lc says {octets[4]} octets, the command has {len(octets) - 5}")


class Response(NamedTuple):
    """What a command ended in: data, and SW1 SW2 as one number."""

    data: bytes
    sw: int

    @property
    def ok(self) -> bool:
        """Normal ending: 9000, or 91xx where a proactive command waits."""
        return self.sw == 0x9000 or self.sw >> 8 == 0x91

    @property
    def warning(self) -> bool:
        """Ended, with a warning: 62xx or 63xx (but 63Cx is a refused PIN)."""
        return self.sw >> 8 in {0x62, 0x63}

    def __repr__(self) -> str:
        """Without the data: it may be RES, CK and IK."""
        return f"Response({len(self.data)} octets, {self.sw:04X} {meaning(self.sw)})"


# TS 102 221 §10.2.1, TS 31.102 §7.3; those of TS 51.011 §9.4 are marked GSM.
MEANINGS = {
    0x9000: "normal ending",
    0x9300: "the card's toolkit is busy",
    0x9240: "memory problem (GSM)",
    0x9400: "no EF selected (GSM)",
    0x9402: "out of range, no such record (GSM)",
    0x9404: "file not found (GSM)",
    0x9408: "file does not fit the command (GSM)",
    0x9802: "no CHV initialised (GSM)",
    0x9804: "access condition not fulfilled, or wrong CHV (GSM)",
    0x9808: "contradicts the CHV's status (GSM)",
    0x9810: "contradicts the invalidation status (GSM)",
    0x9840: "CHV blocked (GSM)",
    0x9850: "cannot be increased, the highest value is reached",
    0x9862: "authentication error, incorrect MAC",
    0x9863: "security session or association expired",
    0x9864: "authentication error, security context not supported",
    0x9865: "key freshness failure",
    0x9866: "authentication error, no memory space available",
    0x9867: "authentication error, no memory space available in EF_MUK",
    0x6200: "warning, no information given",
    0x6281: "warning, part of the data may be corrupted",
    0x6282: "warning, end of file reached before Le octets were read",
    0x6283: "warning, the selected file is deactivated",
    0x6285: "warning, the selected file is in termination state",
    0x62F1: "warning, more data available",
    0x62F2: "warning, more data available and a proactive command pending",
    0x62F3: "warning, response data available",
    0x6300: "warning, no information given; verification failed",
    0x63F1: "warning, more data expected",
    0x63F2: "warning, more data expected and a proactive command pending",
    0x6400: "execution error, memory unchanged",
    0x6500: "execution error, memory changed",
    0x6581: "memory problem",
    0x6700: "wrong length",
    0x6800: "function in CLA not supported",
    0x6881: "logical channel not supported",
    0x6882: "secure messaging not supported",
    0x6900: "command not allowed",
    0x6981: "command does not fit the file's structure",
    0x6982: "security status not satisfied",
    0x6983: "authentication or PIN method blocked",
    0x6984: "referenced data invalidated",
    0x6985: "conditions of use not satisfied",
    0x6986: "command not allowed, no EF selected",
    0x6989: "command not allowed, secure channel not satisfied",
    0x6A80: "incorrect data",
    0x6A81: "function not supported",
    0x6A82: "file or application not found",
    0x6A83: "record not found",
    0x6A84: "not enough memory space",
    0x6A86: "incorrect P1 or P2",
    0x6A87: "Lc does not fit P1 and P2",
    0x6A88: "referenced data not found",
    0x6B00: "wrong P1 or P2",
    0x6D00: "instruction not supported",
    0x6E00: "class not supported",
    0x6F00: "technical problem, no diagnosis given",
}

FAMILIES = {
    0x61: "{} more octets available",
    0x62: "warning {:02X}",
    0x63: "warning {:02X}",
    0x64: "execution error {:02X}, memory unchanged",
    0x65: "execution error {:02X}, memory changed",
    0x67: "wrong length {:02X}",
    0x68: "function in CLA not supported, {:02X}",
    0x69: "command not allowed, {:02X}",
    0x6A: "wrong parameters, {:02X}",
    0x6C: "wrong Le, {} octets are available",
    0x6F: "technical problem {:02X}",
    0x91: "normal ending, a proactive command of {} octets is pending",
    0x92: "ended after {} internal retries (GSM)",
    0x93: "the card is busy, {:02X}",
    0x9E: "{} octets of error data available (GSM)",
    0x9F: "{} octets available (GSM)",
}


def meaning(sw: int) -> str:
    """What the specification says about a status word."""
    if sw in MEANINGS:
        return MEANINGS[sw]
    if sw & 0xFFF0 == 0x63C0:
        return f"verification failed, {sw & 0x0F} tries left"
    family = FAMILIES.get(sw >> 8)
    if family is None:
        return "unknown status word"
    low = sw & 0xFF
    return family.format(low or ALL if sw >> 8 in {0x61, 0x6C, 0x91, 0x9F} else low)
