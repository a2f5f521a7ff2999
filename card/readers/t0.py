"""What a reader must do to a command for a card of protocol T=0."""

from __future__ import annotations


def without_le(command: bytes) -> bytes:
    """T=0 has no Le in a command with data: the answer is fetched (ISO/IEC 7816-3 §12.2)."""
    if len(command) > 5 and len(command) == 6 + command[4]:
        return command[:-1]
    return command
