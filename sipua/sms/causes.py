"""What the numbers mean by which messages are refused, and reports tell of them."""

from __future__ import annotations

MEMORY_EXCEEDED = 22
NORMAL_UNSPECIFIED = 41  # temporary failure
INVALID_MESSAGE = 95
MANDATORY_INFORMATION = 96
PROTOCOL_ERROR = 111
INTERWORKING = 127

RP_CAUSES = {
    1: "unassigned number",
    8: "operator determined barring",
    10: "call barred",
    11: "reserved",
    21: "short message transfer rejected",
    22: "memory capacity exceeded",
    27: "destination out of order",
    28: "unidentified subscriber",
    29: "facility rejected",
    30: "unknown subscriber",
    38: "network out of order",
    41: "temporary failure",
    42: "congestion",
    47: "resources unavailable",
    50: "requested facility not subscribed",
    69: "requested facility not implemented",
    81: "invalid short message transfer reference value",
    95: "semantically incorrect message",
    96: "invalid mandatory information",
    97: "message type non-existent or not implemented",
    98: "message not compatible with the short message protocol state",
    99: "information element non-existent or not implemented",
    111: "protocol error",
    127: "interworking",
}
"""RP-Cause (TS 24.011 table 8.4)."""

TP_MEMORY_EXCEEDED = 0xD3
TP_UNSPECIFIED = 0xFF

TP_FAILURES = {
    0x80: "telematic interworking not supported",
    0x81: "short message type 0 not supported",
    0x82: "cannot replace the short message",
    0x90: "data coding scheme not supported",
    0x91: "message class not supported",
    0xA0: "command cannot be actioned",
    0xA1: "command not supported",
    0xB0: "TPDU not supported",
    0xC0: "service centre busy",
    0xC1: "no subscription at the service centre",
    0xC2: "service centre failure",
    0xC3: "invalid address",
    0xC4: "destination barred",
    0xC5: "rejected: duplicate",
    0xC6: "validity period format not supported",
    0xC7: "validity period not supported",
    0xD0: "SIM storage full",
    0xD1: "no storage in the SIM",
    0xD2: "error in the telephone",
    0xD3: "memory capacity exceeded",
    0xD4: "SIM application toolkit busy",
    0xD5: "SIM data download error",
    0xFF: "unspecified",
}
"""TP-Failure-Cause (TS 23.040 §9.2.3.22)."""

DELIVERED = "delivered"
TRYING = "trying"
FAILED = "failed"

TP_STATUSES = {
    0x00: "received by the recipient",
    0x01: "forwarded, but not confirmed",
    0x02: "replaced by the service centre",
    0x20: "congestion, still trying",
    0x21: "recipient busy, still trying",
    0x22: "no response from the recipient, still trying",
    0x23: "service rejected, still trying",
    0x24: "quality of service not available, still trying",
    0x25: "error in the recipient, still trying",
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "connection rejected by the recipient",
    0x43: "not obtainable",
    0x44: "quality of service not available",
    0x45: "no interworking available",
    0x46: "validity period expired",
    0x47: "deleted by the sender",
    0x48: "deleted by the service centre",
    0x49: "does not exist",
    0x60: "congestion, no more attempts",
    0x61: "recipient busy, no more attempts",
    0x62: "no response from the recipient, no more attempts",
    0x63: "service rejected, no more attempts",
    0x64: "quality of service not available, no more attempts",
    0x65: "error in the recipient, no more attempts",
}
"""TP-Status (TS 23.040 §9.2.3.15)."""


def outcome(status: int) -> str:
    """DELIVERED, TRYING or FAILED; a reserved value is a failure (§9.2.3.15)."""
    if status < 0x20:
        return DELIVERED
    return TRYING if 0x20 <= status < 0x40 else FAILED


def explain(table: dict[int, str], number: int) -> str:
    """A number in words, as far as it has any."""
    return table.get(number, f"reason {number}")
