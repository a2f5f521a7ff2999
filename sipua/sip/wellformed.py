"""Whether every header that is known here can be read, all at once.

``parse`` leaves values alone; a server that is about to act on a request, or a
test, looks at them with ``check``.
"""

from __future__ import annotations

from collections.abc import Callable

from sipua.errors import ParseError
from sipua.sip.grammar import is_token, parse_number, split
from sipua.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    parse_delta_seconds,
    split_auth_params,
    split_challenges,
)
from sipua.sip.message import VERSION, Message, Request
from sipua.sip.methods import KNOWN_METHODS
from sipua.sip.names import LISTS
from sipua.sip.parameters import Parameters
from sipua.sip.uri import check_uri

REQUIRED = ("via", "to", "from", "call-id", "cseq")  # RFC 3261 §8.1.1; Max-Forwards may be missing

MAX_MAX_FORWARDS = 255  # RFC 3261 §20.22


def check(message: Message) -> None:
    """Raise ParseError for the first header that is missing, doubled or malformed.

    Headers not listed in CHECKS are not looked at, nor is Date: what cannot be
    read there does no harm (RFC 4475 §3.1.2.12).
    """
    headers = message.headers.by_key()
    for name in REQUIRED:
        if not headers.get(name):
            raise ParseError(f"the {name} header is missing")
    for name, lines in headers.items():
        read = CHECKS.get(name)
        if read is None:
            continue
        if len(lines) > 1 and name not in LISTS and name not in REPEATED:
            raise ParseError(f"more than one {name} header")
        for value in message.headers.values(name):
            read(value)
    if isinstance(message, Request):
        check_uri(message.uri)
        if "?" in message.uri.rpartition("@")[2] and message.uri[:3].lower() == "sip":
            raise ParseError("headers in the Request-URI")  # RFC 3261 §19.1.1
        method = message.cseq.method
        # an unknown method is answered 501, whatever its CSeq says (RFC 4475 §3.1.2.18)
        if method != message.method and message.method in KNOWN_METHODS:
            raise ParseError(f"CSeq names {method}, the request line {message.method}")


def _via(value: str) -> None:
    via = Via.parse(value)
    if via.version != VERSION[4:]:
        raise ParseError(f"a Via of SIP version {via.version[:20]!r}")


def _contact(value: str) -> None:
    if value != "*":
        NameAddr.parse(value)


def _call_id(value: str) -> None:
    if not value or " " in value or "\t" in value:
        raise ParseError(f"not a Call-ID: {value[:60]!r}")


def _max_forwards(value: str) -> None:
    parse_number(value, MAX_MAX_FORWARDS, "Max-Forwards")


def _media_type(value: str) -> None:
    media_type, semicolon, params = value.partition(";")
    kind, slash, subtype = media_type.partition("/")
    if not slash or not is_token(kind.strip(" \t")) or not is_token(subtype.strip(" \t")):
        raise ParseError(f"not a media type: {value[:60]!r}")
    if semicolon:
        Parameters.parse(params)


def _accept(value: str) -> None:
    if value:
        _media_type(value)


def _retry_after(value: str) -> None:
    parse_delta_seconds(split(value.partition("(")[0], ";")[0])


def _credentials(value: str) -> None:
    """RFC 3261 §25.1 for its own schemes; others, as RFC 2543's PGP, have their own grammar."""
    try:
        split_challenges(value)
    except ParseError:
        scheme = value.replace("\t", " ").replace(";", " ").partition(" ")[0]
        if not is_token(scheme) or scheme.lower() in ("basic", "digest"):
            raise


CHECKS: dict[str, Callable[[str], object]] = {
    "accept": _accept,
    "authentication-info": split_auth_params,
    "authorization": _credentials,
    "call-id": _call_id,
    "contact": _contact,
    "content-type": _media_type,
    "cseq": CSeq.parse,
    "expires": parse_delta_seconds,
    "from": NameAddr.parse,
    "max-forwards": _max_forwards,
    "min-expires": parse_delta_seconds,
    "path": NameAddr.parse,
    "proxy-authenticate": split_challenges,
    "proxy-authorization": _credentials,
    "record-route": NameAddr.parse,
    "retry-after": _retry_after,
    "route": NameAddr.parse,
    "service-route": NameAddr.parse,
    "to": NameAddr.parse,
    "via": _via,
    "www-authenticate": split_challenges,
}

# No lists, and yet allowed more than once (RFC 3261 §7.3.1)
REPEATED = frozenset(
    {"authorization", "proxy-authenticate", "proxy-authorization", "www-authenticate"}
)
