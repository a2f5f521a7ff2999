"""From the 3G values to those of GSM (TS 33.102 §6.8.1.2, functions c2 and c3)."""

from __future__ import annotations


def sres_from_res(res: bytes) -> bytes:
    """c2: SRES, 4 octets, the XOR of RES's 32-bit words; RES is padded with zeros to 16."""
    return _fold(res.ljust(16, b"\x00"), 4)


def kc_from_keys(ck: bytes, ik: bytes) -> bytes:
    """c3: Kc, 8 octets, the XOR of the four 64-bit halves of CK and IK."""
    return _fold(ck + ik, 8)


def _fold(octets: bytes, width: int) -> bytes:
    folded = 0
    for start in range(0, len(octets), width):
        folded ^= int.from_bytes(octets[start : start + width], "big")
    return folded.to_bytes(width, "big")
