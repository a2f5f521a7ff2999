"""The protocol between vsmartcard's vpcd and a card, without I/O.

Each message is a length of 2 octets, big endian, and that many octets. One
octet is a control; more are a command APDU, which the card answers. The card
answers GET_ATR, too, and none of the other controls.
"""

from __future__ import annotations

POWER_OFF, POWER_ON, RESET, GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"

LENGTH_OCTETS = 2


def framed(message: bytes) -> bytes:
    """The octets that carry a message, to be sent in one write."""
    return len(message).to_bytes(LENGTH_OCTETS, "big") + message


class Unframer:
    """Messages out of a stream. What is not complete yet takes at most 64 KiB."""

    __slots__ = ("_received",)

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, octets: bytes) -> list[bytes]:
        """The messages that these octets complete, in order."""
        received = self._received
        received += octets
        messages = []
        while len(received) >= LENGTH_OCTETS:
            end = LENGTH_OCTETS + int.from_bytes(received[:LENGTH_OCTETS], "big")
            if len(received) < end:
                break
            messages.append(bytes(received[LENGTH_OCTETS:end]))
            del received[:end]
        return messages

    @property
    def announced(self) -> int:
        """Octets that the message which is under way says it has; 0 before it says so."""
        if len(self._received) < LENGTH_OCTETS:
            return 0
        return int.from_bytes(self._received[:LENGTH_OCTETS], "big")

    @property
    def under_way(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._received)
