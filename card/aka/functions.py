"""What every algorithm set for AKA offers (TS 33.102 §6.3.2); for type checkers only."""

from __future__ import annotations

from typing import Protocol


class AkaFunctions(Protocol):
    """f1…f5* of one subscriber: Milenage, TUAK or another set."""

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A, 8 octets."""
        ...

    def f1star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-S, 8 octets."""
        ...

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES (4 to 16 octets), CK (16), IK (16), AK (6)."""
        ...

    def f5star(self, rand: bytes) -> bytes:
        """AK of a resynchronisation, 6 octets."""
        ...
