"""What this program writes into packet comments for itself to read again."""

from __future__ import annotations

TLS = "TLS, here in clear"
"""A line in the comment of a TCP segment whose octets crossed the network inside TLS."""

ESP = "ESP, here in clear"
"""The same for what IPsec protected."""


def is_tls(comment: str) -> bool:
    """Whether a packet's comment says so."""
    return TLS in comment.split("\n")
