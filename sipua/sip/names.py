"""Header names: compact forms, and which headers are comma-separated lists."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.grammar import is_token

# RFC 3261 §7.3.3 and §20; RFC 3265, 3515, 3841, 3892, 4028, 8224
COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

# Headers whose grammar is a list, so that one line with commas equals several
# lines (RFC 3261 §7.3.1). The four authentication headers also use commas, but
# inside one value; see headers.split_challenges.
LISTS = frozenset(
    {
        "accept", "accept-contact", "accept-encoding", "accept-language", "alert-info",
        "allow", "allow-events", "call-info", "contact", "content-encoding",
        "content-language", "diversion", "error-info", "feature-caps", "geolocation",
        "history-info", "in-reply-to", "p-access-network-info", "p-asserted-identity",
        "p-associated-uri", "p-preferred-identity", "p-visited-network-id", "path",
        "privacy", "proxy-require", "reason", "record-route", "recv-info",
        "reject-contact", "require", "route", "security-client", "security-server",
        "security-verify", "service-route", "supported", "unsupported", "via", "warning",
    }
)  # fmt: skip

# spellings remembered, and their length: hostile input cannot make the table grow further
_CACHE_SIZE = 512
_CACHED_LENGTH = 40


class _Keys(dict[str, str]):
    """Spelling to key, filled as spellings are met: each header line needs one look-up."""

    def __missing__(self, name: str) -> str:
        bare = name.rstrip(" \t")  # HCOLON allows white space before the colon
        if not is_token(bare):
            raise ParseError(f"{name[:40]!r} is not a header name")
        key = bare.lower()
        key = COMPACT.get(key, key)
        if len(self) < _CACHE_SIZE and len(name) <= _CACHED_LENGTH:
            self[name] = key
        return key


# The one key under which every spelling of a header name is found. Raises
# ParseError when the text is no header name.
KEYS = _Keys()
