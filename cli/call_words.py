"""What happens in a call, and what came of it, in words for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.render import shown

if TYPE_CHECKING:
    from sipua.agent.call_report import CallReport
    from sipua.result import CallResult

_WAYS = {
    "sendrecv": "both ways",
    "sendonly": "sending only",
    "recvonly": "receiving only",
    "inactive": "inactive",
}
MISLEADING = frozenset('<>"')

MAX_URI = 256
"""Characters of a URI that a person is shown."""

_ODDITIES = {
    "duplicates": "twice",
    "out_of_order": "out of order",
    "malformed": "malformed",
    "foreign": "from elsewhere than agreed",
    "unknown_payload": "in formats not agreed",
}
_CAUSES = {
    "hung-up": "we hung up",
    "peer-hung-up": "the other side hung up",
    "cancelled": "cancelled before the answer",
    "busy": "busy",
    "declined": "declined",
    "no-answer": "nobody answered",
    "moved": "moved to where we do not follow",
    "refused": "refused",
    "not-authenticated": "not authenticated",
    "timeout": "not a word from the other side",
    "unreachable": "not reached",
    "lost": "the other side vanished",
    "failed": "the other side said what cannot be understood",
}


def line(report: CallReport, *, numbered: bool = False) -> str:
    """One report on one line: seconds since the start, what happened, the particulars.

    ``numbered`` puts the call's number before it, where there can be several.
    """
    number = f"#{report.call}" if report.call else ""
    word, particulars = describe(report)
    call = f"{number:<4}" if numbered else ""
    return f"{report.at:8.1f}  {call}{word:<14}  {particulars}".rstrip()


def describe(report: CallReport) -> tuple[str, str]:
    """A word for the event, and its particulars; nothing in them can steer a terminal."""
    details = report.details
    word, particulars = _DESCRIBED.get(report.event, _anything)(report.event, details)
    return shown(word), shown(particulars)


def who(uri: str | None, name: str | None = None) -> str:
    """The other side: ``Bob <sip:bob@x>``, or the URI alone where there is no name.

    A name in which an address might seem to stand is quoted.
    """
    shortened = uri or ""
    if len(shortened) > MAX_URI:
        shortened = f"{shortened[:MAX_URI]}…"
    if not name:
        return shortened
    if not MISLEADING.isdisjoint(name):
        name = '"{}"'.format(name.replace('"', "'"))
    return f"{name} <{shortened}>"


def call_facts(result: CallResult) -> list[tuple[str, str]]:
    """Names and values of what is known of a call that is over."""
    media = result.media or {}
    times = _times(result.ring_ms, result.talk_ms)
    facts = [
        ("answered by", who(result.peer, result.peer_name)),
        ("asserted", _identities(result.asserted, result.asserted_name, ", ")),
        ("ended", _CAUSES.get(result.cause or "", result.cause or "")),
        ("time", times),
        ("codec", media.get("codec") or ""),
        ("packets in", _received(media) if media else ""),
        ("packets out", str(media["packets_sent"]) if media else ""),
        ("digits heard", result.digits_received),
    ]
    return [(name, shown(value)) for name, value in facts]


def clock(seconds: float) -> str:
    """``1:05`` for 65 seconds, ``1:01:05`` for an hour more."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


# Particulars, one function an event -----------------------------------------------------

Details = dict[str, Any]


def _registered(_event: str, details: Details) -> tuple[str, str]:
    expires = details["expires"]
    lasting = f" for {expires} s" if expires is not None else ""
    return "registered", f"{details['impu']} at {details['registrar']}{lasting}"


def _target(event: str, details: Details) -> tuple[str, str]:
    return event, details["target"]


def _invited(_event: str, details: Details) -> tuple[str, str]:
    return "call from", f"{who(details['from'], details['from_name'])}{_asserted(details)}"


def _progress(_event: str, details: Details) -> tuple[str, str]:
    status = details["status"]
    return ("ringing" if status == 180 else "progress"), f"{status} {details['reason']}"


def _media(_event: str, details: Details) -> tuple[str, str]:
    word = "early media" if details["early"] else "media"
    if not details["codec"]:
        return word, "none"
    way = _WAYS.get(details["direction"], details["direction"])
    caution = f"; {details['unprotected']}" if details["unprotected"] else ""
    return word, f"{details['codec']}, {way}, {details['remote']}{caution}"


def _established(_event: str, details: Details) -> tuple[str, str]:
    peer = who(details["peer"], details["peer_name"])
    return "answered", f"in call with {peer}{_asserted(details)}"


def _digit(_event: str, details: Details) -> tuple[str, str]:
    ms = details["ms"]
    held = f" for {ms:.0f} ms" if ms is not None else ""
    return "digit heard", f"{details['digit']}{held}, by {_carrier(details['by'])}"


def _digits_sent(_event: str, details: Details) -> tuple[str, str]:
    return "digits sent", f"{details['digits']}, by {_carrier(details['by'])}"


def _digits_refused(_event: str, details: Details) -> tuple[str, str]:
    status = f"{details['status']} " if details["status"] else ""
    return "digits refused", f"{status}{details['reason']}"


def _info(_event: str, details: Details) -> tuple[str, str]:
    return "INFO", f"{details['content_type']}: {details['body']}"


def _refer(_event: str, details: Details) -> tuple[str, str]:
    referrer = who(details["referred_by"], details["referred_by_name"])
    by = f", referred by {referrer}" if referrer else ""
    decision = "accepted" if details["accepted"] else "refused"
    return "transfer", f"to {who(details['target'])}{by}: {decision}"


def _change_refused(_event: str, details: Details) -> tuple[str, str]:
    return "change refused", f"{details['status']} {details['reason']}"


def _message(_event: str, details: Details) -> tuple[str, str]:
    return "message", f"{who(details['from'], details['from_name'])}: {details['text']}"


def _sms(_event: str, details: Details) -> tuple[str, str]:
    notes = ["flash"] if details["flash"] else []
    if details["missing"]:
        notes.append(f"{details['missing']} of {details['parts']} parts missing")
    noted = f" ({', '.join(notes)})" if notes else ""
    return "SMS", f"{details['from']}, sent {details['sent']}{noted}: {details['text']}"


def _reported(_event: str, details: Details) -> tuple[str, str]:
    part = f"part {details['part']}: " if details["parts"] > 1 else ""
    return "SMS report", f"{details['recipient']}, {part}{details['why']}"


def _discarded(_event: str, details: Details) -> tuple[str, str]:
    return "SMS discarded", details["reason"]


def _ussd_reason(event: str, details: Details) -> tuple[str, str]:
    return f"USSD {event.partition('-')[2]}", details["reason"]


def _ussd_text(event: str, details: Details) -> tuple[str, str]:
    return f"USSD {event.partition('-')[2]}", details["text"]


def _ussd_over(_event: str, details: Details) -> tuple[str, str]:
    cause: str = details["cause"]
    return "USSD over", _CAUSES.get(cause, cause)


def _hanging_up(_event: str, _details: Details) -> tuple[str, str]:
    return "hanging up", ""


def _ended(_event: str, details: Details) -> tuple[str, str]:
    cause = _CAUSES.get(details["cause"], details["cause"])
    refused = (details["status"] or 0) >= 300
    answer = f" ({details['status']} {details['reason']})" if refused else ""
    parts = [f"{cause}{answer}", _times(details["ring_ms"], details["talk_ms"])]
    media = details["media"]
    if media is not None:
        parts += [media["codec"] or "", f"received {_received(media)}"]
        parts.append(f"sent {media['packets_sent']}")
    return "ended", ", ".join(part for part in parts if part)


def _anything(event: str, details: Details) -> tuple[str, str]:
    return event, ", ".join(f"{name} {value}" for name, value in details.items())


_DESCRIBED = {
    "registered": _registered,
    "calling": _target,
    "redirected": _target,
    "invited": _invited,
    "progress": _progress,
    "media": _media,
    "established": _established,
    "digit": _digit,
    "digits-sent": _digits_sent,
    "digits-refused": _digits_refused,
    "info": _info,
    "refer": _refer,
    "change-refused": _change_refused,
    "message": _message,
    "sms": _sms,
    "reported": _reported,
    "discarded": _discarded,
    "ussd-question": _ussd_text,
    "ussd-answer": _ussd_text,
    "ussd-declined": _ussd_reason,
    "ussd-news": _ussd_text,
    "ussd-result": _ussd_text,
    "ussd-unreadable": _ussd_reason,
    "ussd-over": _ussd_over,
    "hanging-up": _hanging_up,
    "ended": _ended,
}


def _asserted(details: Details) -> str:
    """What the network vouches for, which From does not (RFC 3325)."""
    identities = _identities(details["asserted"], details["asserted_name"], " and ")
    return f", asserted {identities}" if identities else ""


def _identities(uris: list[str], name: str | None, between: str) -> str:
    """All that are asserted; the name stands with the first."""
    names = [name, *[None] * len(uris)]
    return between.join(map(who, uris, names))


def _carrier(by: str) -> str:
    return by.upper()


def _times(ring_ms: float | None, talk_ms: float | None) -> str:
    parts = [
        f"{word} {ms / 1000:.1f} s"
        for word, ms in (("rang", ring_ms), ("talked", talk_ms))
        if ms is not None
    ]
    return ", ".join(parts)


def _received(media: dict[str, Any]) -> str:
    """Packets that came, those that did not, and how unevenly they came (RFC 3550 §6.4.1)."""
    got, lost = media["packets_received"], media["packets_lost"]
    text = "nothing"
    if got:
        expected = got - media["duplicates"] + lost
        share = 100 * lost / expected if lost > 0 else 0.0
        text = f"{got}, lost {lost} ({share:.1f} %), jitter {media['jitter_ms']:.1f} ms"
    odd = [f"{media[name]} {word}" for name, word in _ODDITIES.items() if media[name]]
    return ", ".join([text, *odd])
