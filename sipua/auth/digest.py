"""HTTP digest (RFC 7616, with the forms of RFC 2617 and RFC 2069 it still allows).

Pure arithmetic: which password is used, and how the values travel, is the
business of the schemes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NC_LIMIT = 0xFFFFFFFF
"""Largest nonce count that eight hexadecimal digits can carry."""


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha512_256(data: bytes) -> str:
    return hashlib.new("sha512_256", data).hexdigest()


class Hash:
    """One row of the IANA registry of digest hashes (RFC 7616 §6.1).

    ``hmac_name`` is what the standard library's hmac module calls it.
    """

    __slots__ = ("hexdigest", "hmac_name", "token")

    def __init__(self, token: str, hexdigest: Callable[[bytes], str], hmac_name: str) -> None:
        self.token = token
        self.hexdigest = hexdigest
        self.hmac_name = hmac_name


MD5 = Hash("MD5", _md5, "md5")
SHA_256 = Hash("SHA-256", _sha256, "sha256")
SHA_512_256 = Hash("SHA-512-256", _sha512_256, "sha512_256")


def count_text(nc: int) -> str:
    """Nonce count as it is hashed and sent: eight hexadecimal digits (RFC 7616 §3.4)."""
    return f"{nc:08x}"


def octets(text: str) -> bytes:
    """Header text as it stood on the wire (the parser keeps stray octets as surrogates)."""
    return text.encode("utf-8", "surrogateescape")


def digest(
    hash_: Hash,
    *,
    username: str,
    realm: str,
    password: bytes,
    nonce: str,
    method: str,
    uri: str,
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
    body: bytes = b"",
    session: bool = False,
) -> str:
    """Request-digest in lower-case hexadecimal (RFC 7616 §3.4.1 to §3.4.3).

    ``qop`` is empty (the form of RFC 2069, without ``nc`` and ``cnonce``),
    "auth" or "auth-int"; ``session`` chooses the -sess form of A1. With an
    empty ``method`` the result is the rspauth of Authentication-Info (§3.5).
    """
    hexdigest = hash_.hexdigest
    a1 = octets(f"{username}:{realm}:") + password
    if session:
        a1 = octets(f"{hexdigest(a1)}:{nonce}:{cnonce}")
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 = f"{a2}:{hexdigest(body)}"
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return hexdigest(octets(f"{hexdigest(a1)}:{middle}:{hexdigest(octets(a2))}"))
