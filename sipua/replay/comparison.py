"""Where a message of today differs from the one that was recorded.

What must differ is not compared: branches, tags, Call-ID, the numbers in an SDP
origin, and a digest whose RES or cnonce is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.explain.credentials import kind_of, read_told, scheme_of
from sipua.sip.headers import CSeq
from sipua.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.sip.message import Response

    Message = Request | Response

ANYTHING = "*"
UNCOMPARED = frozenset({"content-length", "call-id", "date", "timestamp", "rseq"})
LISTS = frozenset({"supported", "allow", "require", "proxy-require", "accept", "route", "via"})
CREDENTIALS = {"authorization": "Authorization", "proxy-authorization": "Proxy-Authorization"}
SDP = "application/sdp"


AGREED = frozenset({"security-client", "security-verify", "via"})
SEC_AGREE = "sec-agree"


def differences(
    recorded: Message,
    today: Message,
    first: tuple[int, int],
    *,
    digest_known: bool,
    protected: bool = False,
) -> list[str]:
    """One sentence a difference. ``first`` are the first CSeq numbers of both sides. With
    ``protected`` what a security agreement adds is not compared."""
    found: list[str] = []
    if isinstance(recorded, Request) and isinstance(today, Request) and recorded.uri != today.uri:
        found.append(f"Request-URI: recorded {recorded.uri}, today {today.uri}")
    theirs = _fields(recorded, first[0], digest_known=digest_known)
    ours = _fields(today, first[1], digest_known=digest_known)
    if protected:
        theirs = _without_agreement(theirs)
        ours = _without_agreement(ours)
    names = {name.lower(): name for message in (today, recorded) for name, _ in message.headers}
    for key in dict.fromkeys((*theirs, *ours)):
        name = names.get(key, key)
        if key not in ours:
            found.append(f"{name} is not sent today: {'; '.join(theirs[key])}")
        elif key not in theirs:
            found.append(f"{name} is new: {'; '.join(ours[key])}")
        elif theirs[key] != ours[key]:
            found += _between(name, theirs[key], ours[key])
    return found + list(_body_differences(recorded, today))


def _fields(message: Message, first: int, *, digest_known: bool) -> dict[str, list[str]]:
    """Header values by name in small letters, without what must differ."""
    fields: dict[str, list[str]] = {}
    for name in dict.fromkeys(name.lower() for name, _ in message.headers):
        if name in UNCOMPARED:
            continue
        values = message.headers.values(name) if name in LISTS else message.headers.all(name)
        long_name = _LONG.get(name, name)
        if name in CREDENTIALS:
            header = CREDENTIALS[name]
            fields[name] = [
                part for value in values for part in _credentials(header, value, digest_known)
            ]
        else:
            fields[long_name] = [_neutral(long_name, value, first) for value in values]
    return fields


def _without_agreement(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    kept = {
        name: [value for value in values if value != SEC_AGREE]
        for name, values in fields.items()
        if name not in AGREED
    }
    return {name: values for name, values in kept.items() if values}


_LONG = {
    "v": "via", "f": "from", "t": "to", "m": "contact", "k": "supported", "c": "content-type",
    "i": "call-id", "l": "content-length", "x": "session-expires", "r": "refer-to",
}  # fmt: skip


def _neutral(name: str, value: str, first: int) -> str:
    if name == "via":
        protocol, space, rest = _without(value, "branch", "received", "rport").partition(" ")
        # by which transport it goes is decided behind the machines: see stage.NO_LIMIT
        return f"{protocol.rpartition('/')[0]}/{ANYTHING}{space}{rest}"
    if name in ("from", "to"):
        return _without(value, "tag")
    if name == "cseq":
        try:
            cseq = CSeq.parse(value)
        except ParseError:
            return value
        return f"+{cseq.number - first} {cseq.method}"
    if name == "rack":
        rseq, _, rest = value.strip().partition(" ")
        return f"{rseq} {rest.partition(' ')[2]}"
    return value.strip()


def _without(value: str, *names: str) -> str:
    """The value with ``*`` in place of these parameters' values."""
    head, *params = value.split(";")
    kept = [head.strip()]
    for param in params:
        key, equals, _ = param.partition("=")
        kept.append(
            f"{key.strip()}={ANYTHING}"
            if key.strip().lower() in names and equals
            else param.strip()
        )
    return ";".join(kept)


def _credentials(header: str, value: str, digest_known: bool) -> Iterator[str]:
    told = read_told(header, value)
    yield f"{told.get('')} {kind_of(told)}"
    for name in sorted(told.params):
        text = told.params[name]
        if not name:
            continue
        hashed = digest_known and scheme_of(told) == "aka"  # RES itself is never shown
        if name == "cnonce" or (name in _MADE_OF_RES and text and not hashed):
            text = ANYTHING
        yield f"{name}={text}"


_MADE_OF_RES = ("response", "res", "signature")


def _between(name: str, theirs: list[str], ours: list[str]) -> Iterator[str]:
    of_them, of_us = set(theirs), set(ours)
    gone = [each for each in theirs if each not in of_us]
    new = [each for each in ours if each not in of_them]
    if not gone and not new:
        yield f"{name}: the same values in another order or number"
        return
    recorded = "; ".join(gone) or "nothing"
    yield f"{name}: recorded {recorded}, today {'; '.join(new) or 'nothing'}"


def _body_differences(recorded: Message, today: Message) -> Iterator[str]:
    if recorded.body == today.body:
        return
    content_type = (today.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != SDP or not recorded.body or not today.body:
        yield f"the body: recorded {len(recorded.body)} octets, today {len(today.body)} others"
        return
    theirs, ours = _sdp_lines(recorded.body), _sdp_lines(today.body)
    of_them, of_us = set(theirs), set(ours)
    for line in theirs:
        if line not in of_us:
            yield f"SDP without {line}"
    for line in ours:
        if line not in of_them:
            yield f"SDP with {line}"


def _sdp_lines(body: bytes) -> list[str]:
    lines = body.decode("utf-8", "replace").splitlines()
    return [_neutral_origin(line) for line in lines if line]


def _neutral_origin(line: str) -> str:
    if not line.startswith("o="):
        return line
    user, *rest = line.split(" ")
    return " ".join([user, ANYTHING, ANYTHING, *rest[2:]])
