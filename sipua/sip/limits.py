"""How much of a peer's input is taken before it is refused."""

from __future__ import annotations

MAX_HEAD = 32 * 1024  # octets of start line and headers
MAX_HEADERS = 256  # header lines, folded ones counted once
MAX_LINE = 8 * 1024  # characters of one unfolded header line
MAX_BODY = 1024 * 1024  # octets; a datagram cannot reach it, a stream can
# Over UDP an answered request is remembered for 32 s, so this is 3000 requests a second
MAX_SERVER_TRANSACTIONS = 100_000
MAX_SERVER_OCTETS = 64 * 1024 * 1024  # of requests that have no final answer yet
MAX_SHORTFALL = 32  # octets that a session description may be shorter than announced
