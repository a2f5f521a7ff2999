"""The methods that are known, whether or not anybody here carries them out."""

from __future__ import annotations

# RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086, 6665
KNOWN_METHODS = frozenset(
    {
        "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS",
        "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE",
    }
)  # fmt: skip
