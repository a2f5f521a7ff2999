"""How much of a peer's input is taken before it is refused."""

from __future__ import annotations

MAX_HEAD = 32 * 1024  # octets of start line and headers
MAX_HEADERS = 256  # header lines, folded ones counted once
MAX_LINE = 8 * 1024  # characters of one unfolded header line
MAX_BODY = 1024 * 1024  # octets; a datagram cannot reach it, a stream can
MAX_SERVER_TRANSACTIONS = 20_000  # requests being answered at one time
