"""Where a subscriber can be reached, and how REGISTER changes it (RFC 3261 §10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.core.contact_events import REFRESHED, REGISTERED
from sipua.core.gruu import INSTANCE, OPTION_TAG, instance_of
from sipua.core.subscriber import address_of_record
from sipua.errors import ParseError, PeerError
from sipua.sip.headers import NameAddr, parse_delta_seconds
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri
from sipua.sip.uri_equality import same_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

MAX_BINDINGS = 16
"""Contacts that one subscriber may have at a time."""

MALFORMED_EXPIRES = 3600  # what a malformed expiry counts as (RFC 3261 §20.10)
ONE_HOUR = 3600

_NOT_KEPT = ("expires", "pub-gruu", "temp-gruu")  # nobody gives himself a GRUU (RFC 5627 §5.1)


class ExpiryPolicy(NamedTuple):
    """Seconds: what is granted at least and at most, and when nothing is asked.

    Less than ``least`` is refused with 423, more than ``most`` cut down.
    ``strict`` refuses even an hour and more, which RFC 3261 does not allow.
    """

    least: int = 60
    default: int = 3600
    most: int = 600_000  # TS 24.229 §5.1.1.2.1: what a user agent asks for
    strict: bool = False


class IntervalTooBrief(PeerError):
    """Less was asked for than is granted; ``min_expires`` goes into Min-Expires."""

    def __init__(self, min_expires: int) -> None:
        super().__init__(f"registrations here last {min_expires} s or more", 423)
        self.min_expires = min_expires


class Binding(NamedTuple):
    """One contact. ``until`` is when it expires, ``path`` the Path of its REGISTER,
    ``source`` where that came from; ``params`` are those of Contact, without expires.

    ``id`` lasts as long as it stays bound, ``since`` being the time of the first
    REGISTER; ``event`` is what happened to it last. ``aor`` is the public identity
    that was registered, as it was written, and ``has_gruu`` whether a GRUU leads here (RFC 5627).
    """

    uri: str
    params: Parameters
    until: float
    call_id: str
    cseq: int
    path: tuple[str, ...]
    source: Hop
    id: int = 0
    since: float = 0.0
    event: str = REGISTERED
    aor: str = ""
    has_gruu: bool = False
    display_name: str = ""


def active(bindings: Sequence[Binding], now: float) -> list[Binding]:
    """Those which have not expired."""
    return [each for each in bindings if each.until > now]


def seconds_left(binding: Binding, now: float) -> int:
    """Until it expires, rounded up."""
    return -int(-(binding.until - now) // 1)


def contact_value(binding: Binding, now: float, gruu: str = "") -> str:
    """The Contact of a 200, with the seconds that are left and the public GRUU."""
    told = f';pub-gruu="{gruu}"' if gruu else ""
    return f"<{binding.uri}>;expires={seconds_left(binding, now)}{binding.params}{told}"


class Asked(NamedTuple):
    """What a REGISTER asks for: each contact with the seconds granted to it, 0 to
    remove it, or ``everything`` to go (Contact: "*")."""

    contacts: list[tuple[NameAddr, int]]
    everything: bool = False


def read_contacts(request: Request, policy: ExpiryPolicy) -> Asked:
    """The Contact headers of a REGISTER under a policy.

    Raises PeerError 400 for what cannot be read, IntervalTooBrief for 423.
    """
    values = request.headers.values("Contact")
    expires = request.headers.get("Expires")
    asked_for_all = policy.default if expires is None else parse_delta_seconds(expires)
    if "*" in values:
        if len(values) > 1 or expires is None or asked_for_all != 0:
            raise PeerError('Contact: "*" stands alone and with Expires: 0', 400)
        return Asked([], everything=True)
    contacts = [NameAddr.parse(value) for value in values]
    return Asked([(each, _granted(each, asked_for_all, policy)) for each in contacts])


def update(
    bindings: Sequence[Binding],
    asked: Asked,
    request: Request,
    source: Hop,
    now: float,
    ids: Iterator[int],
) -> list[Binding]:
    """The bindings after a REGISTER; all of its changes or, with an exception, none.

    The oldest make room where there would be more than MAX_BINDINGS. ``ids``
    numbers the new ones.

    Raises PeerError with the status to answer.
    """
    current = active(bindings, now)
    call_id, cseq = request.call_id, request.cseq.number
    if asked.everything:
        for binding in current:
            _check_order(binding, call_id, cseq)
        return []
    path = tuple(request.headers.values("Path"))
    aor = request.to.uri
    wants_gruu = asks_for_gruu(request)
    changed = list(current)
    for contact, expires in asked.contacts:
        existing = _find(changed, contact.uri)
        event = REGISTERED
        if existing is not None:
            if existing in current:
                _check_order(existing, call_id, cseq)
                event = REFRESHED
            changed.remove(existing)
        if expires:
            _check_instance(contact, aor)
            made = Binding(
                contact.uri,
                _kept_parameters(contact.params),
                now + expires,
                call_id,
                cseq,
                path,
                source,
                existing.id if existing is not None else next(ids),
                existing.since if existing is not None else now,
                event,
                aor,
                display_name=contact.display_name,
            )
            has_gruu = wants_gruu and bool(instance_of(made))
            changed.append(made._replace(has_gruu=has_gruu))
    if len(asked.contacts) > MAX_BINDINGS:
        raise PeerError(f"more than {MAX_BINDINGS} contacts", 403, "Too Many Contacts")
    # Who starts again and again from new ports must not lock himself out: the oldest go.
    return changed[-MAX_BINDINGS:]


def _check_instance(contact: NameAddr, aor: str) -> None:
    """RFC 5627 §5.1: a device is not registered by what leads to the registrar again."""
    if INSTANCE not in contact.params:
        return
    if contact.scheme not in ("sip", "sips"):
        raise PeerError(f"{contact.uri} is no SIP URI, and yet a device", 403)
    if address_of_record(contact.uri) == address_of_record(aor):
        raise PeerError(f"{contact.uri} leads to itself", 403)


def asks_for_gruu(request: Request) -> bool:
    """Whether who registers wants to know his GRUU (RFC 5627 §4.2)."""
    headers = request.headers
    lines = " ".join([*headers.all("Supported"), *headers.all("Require")])
    return OPTION_TAG in lines.lower() and OPTION_TAG in [
        each.lower() for each in headers.values("Supported") + headers.values("Require")
    ]


def _check_order(existing: Binding, call_id: str, cseq: int) -> None:
    """A REGISTER that was overtaken by a later one changes nothing (steps 6 and 7)."""
    if existing.call_id == call_id and cseq <= existing.cseq:
        raise PeerError(f"CSeq {existing.cseq} came before", 500, "CSeq Out Of Order")


def _seconds(text: str) -> int:
    try:
        return parse_delta_seconds(text)
    except ParseError:
        return MALFORMED_EXPIRES


def _granted(contact: NameAddr, asked_for_all: int, policy: ExpiryPolicy) -> int:
    own = contact.params.get("expires")
    asked = asked_for_all if own is None else _seconds(own)
    if 0 < asked < policy.least and (asked < ONE_HOUR or policy.strict):
        raise IntervalTooBrief(policy.least)
    return min(asked, policy.most)


def _find(bindings: list[Binding], uri: str) -> Binding | None:
    """The binding with this contact address (RFC 3261 §19.1.4; other schemes as text)."""
    for binding in bindings:
        if binding.uri == uri:
            return binding
    parsed = _sip_uri(uri) if bindings else None
    for binding in bindings:
        other = _sip_uri(binding.uri)
        if parsed is not None and other is not None and same_uri(parsed, other):
            return binding
    return None


def _sip_uri(uri: str) -> SipUri | None:
    return SipUri.parse(uri) if uri[:5].lower().startswith(("sip:", "sips:")) else None


def _kept_parameters(params: Parameters) -> Parameters:
    return Parameters([item for item in params.items if item[0].lower() not in _NOT_KEPT])
