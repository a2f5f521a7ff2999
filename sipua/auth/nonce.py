"""RAND and AUTN inside a nonce, AUTS inside a parameter (RFC 3310 §3.2, §3.4).

Servers write base64 in either alphabet, with and without padding, and may put
data of their own behind AUTN. Whatever comes is read; one form is written.
"""

from __future__ import annotations

import binascii

from sipua.errors import PeerError

RAND_SIZE = 16
AUTN_SIZE = 16
AUTS_SIZE = 14


def _first_octets(text: str, size: int) -> bytes:
    """Decode the first ``size`` octets, neither 0 modulo 3; what follows is not looked at.

    Raises PeerError when there are fewer, or characters that are not base64.
    """
    characters = -(-size * 4 // 3)
    head = text.strip().rstrip("=")[:characters].replace("-", "+").replace("_", "/")
    if len(head) < characters:
        raise PeerError(f"it holds {len(head) * 3 // 4} octets where {size} are needed")
    try:
        octets = binascii.a2b_base64(head + "=" * (-characters % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:  # ValueError: not ASCII
        raise PeerError("it is not base64") from error
    if len(octets) != size:  # padding in its midst
        raise PeerError("it is not base64")
    return octets


def encode_nonce(rand: bytes, autn: bytes, server_data: bytes = b"") -> str:
    """RAND (16 octets), AUTN (16 octets) and whatever the server adds, as base64."""
    return binascii.b2a_base64(rand + autn + server_data, newline=False).decode("ascii")


def decode_nonce(text: str) -> tuple[bytes, bytes]:
    """RAND and AUTN, 16 octets each; raises PeerError with the reason."""
    octets = _first_octets(text, RAND_SIZE + AUTN_SIZE)
    return octets[:RAND_SIZE], octets[RAND_SIZE:]


def encode_auts(auts: bytes) -> str:
    """AUTS (14 octets) as 20 characters of base64."""
    return binascii.b2a_base64(auts, newline=False).decode("ascii")


def decode_auts(text: str) -> bytes:
    """AUTS, 14 octets; raises PeerError with the reason."""
    if len(text.strip().rstrip("=")) > -(-AUTS_SIZE * 4 // 3):
        raise PeerError(f"it holds more than {AUTS_SIZE} octets")
    return _first_octets(text, AUTS_SIZE)
