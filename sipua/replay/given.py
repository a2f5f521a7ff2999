"""What was given to the user agent, read off what it sent: identity, address, its user's wishes.

Header fields that this program writes by itself are not among it: there today's
program speaks for itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.agent.machine_settings import (
    CAPABILITIES,
    Content,
    registration_settings,
    text_message,
)
from sipua.errors import ParseError
from sipua.explain.credentials import INITIAL, kind_of, read_told
from sipua.ims.call_settings import CallSettings
from sipua.ims.identity import Identity
from sipua.ims.request import RequestSettings
from sipua.ims.subscription_settings import SubscriptionSettings
from sipua.replay.comparison import CREDENTIALS
from sipua.settings import DEFAULT_EXPIRES, AgentSettings
from sipua.sip.headers import NameAddr, parse_delta_seconds
from sipua.sip.message import Request, Response
from sipua.sip.offer_answer import LocalMedia
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.ims.register_request import RegistrationSettings
    from sipua.replay.recording import RecordedDialog

OURS = frozenset(
    (
        *("via", "v", "max-forwards", "from", "f", "to", "t", "call-id", "i", "cseq", "route"),
        *("contact", "m", "expires", "supported", "k", "allow", "user-agent", "authorization"),
        *("proxy-authorization", "content-length", "l", "content-type", "c", "accept"),
        *("p-preferred-identity", "session-expires", "x", "min-se", "require", "proxy-require"),
        *("security-client", "security-verify", "rack", "rseq", "date", "timestamp"),
    )
)
"""Header fields which the program writes by itself; every other one is a user's wish."""


ANSWERED_BY = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
"""What who wants all answers an offer of each direction (RFC 3264 §6.1)."""


def registration_settings_of(dialog: RecordedDialog) -> RegistrationSettings:
    """How this registration was asked for. Raises ParseError."""
    opening = dialog.opening
    headers = opening.headers
    domain = SipUri.parse(opening.uri).host
    impu = opening.to.uri
    impi = username_of(dialog) or impu.partition(":")[2]
    contact = NameAddr.parse(headers.get("Contact") or "")
    algorithm = ""
    for value in headers.all("Authorization"):
        told = read_told("Authorization", value)
        if kind_of(told) == INITIAL:
            algorithm = told.get("algorithm")
    settings = AgentSettings(
        expires=_expires(dialog, contact),
        algorithm=algorithm,
        user_agent=headers.get("User-Agent") or "",
        headers=tuple(wishes(opening)),
        gruu=_supports(opening, "gruu"),
    )
    made = registration_settings(settings, Identity(impi, impu, domain), contact.uri)
    return made._replace(contact_params=_params(headers.get("Contact") or ""))


def call_settings_of(dialog: RecordedDialog) -> CallSettings:
    """How this call was asked for. Raises ParseError."""
    opening = dialog.opening
    headers = opening.headers
    contact = NameAddr.parse(headers.get("Contact") or "")
    session_expires = (headers.get("Session-Expires") or "0").partition(";")[0].strip()
    return CallSettings(
        impi=username_of(dialog) or opening.from_.uri.partition(":")[2],
        impu=opening.from_.uri,
        contact=contact.uri,
        contact_params=_params(headers.get("Contact") or ""),
        media=media_of(opening.body),
        display_name=opening.from_.display_name,
        routes=tuple(headers.values("Route")),
        headers=tuple(wishes(opening)),
        user_agent=headers.get("User-Agent") or "",
        session_expires=_seconds(session_expires),
        preconditions=_supports(opening, "precondition"),
    )


def answering_settings_of(dialog: RecordedDialog) -> CallSettings:
    """How calls were to be taken, read off the answer to this one. Raises ParseError."""
    answers = [each for each in dialog.sent if isinstance(each, Response)]
    with_body = [each for each in answers if each.body] or answers
    if not with_body:
        raise ParseError("nothing was answered to it")
    answer = with_body[-1]
    contact = next(filter(None, (each.headers.get("Contact") for each in answers)), "")
    impu = dialog.opening.to.uri
    return CallSettings(
        impi=username_of(dialog) or impu.partition(":")[2],
        impu=impu,
        contact=NameAddr.parse(contact).uri if contact else f"sip:{dialog.ue.address}",
        contact_params=_params(contact),
        media=_answered(dialog.opening.body, answer.body)
        if answer.body
        else LocalMedia(dialog.ue.address, 9),
        user_agent=answer.headers.get("User-Agent") or "",
        preconditions=any(_supports(each, "precondition") for each in answers),
    )


def request_settings_of(dialog: RecordedDialog) -> RequestSettings:
    """How this request outside a dialog was asked for. Raises ParseError."""
    opening = dialog.opening
    headers = opening.headers
    content_type = headers.get("Content-Type") or ""
    what = Content(opening.method, (), opening.body, content_type)
    if opening.method == "OPTIONS":
        what = CAPABILITIES
    elif content_type.partition(";")[0].strip().lower() == "text/plain":
        what = text_message(opening.body.decode("utf-8", "surrogateescape"))
    else:
        what.headers = tuple(("Accept", value) for value in headers.all("Accept"))
    impu = opening.from_.uri
    return RequestSettings(
        method=opening.method,
        uri=opening.uri,
        impi=username_of(dialog) or impu.partition(":")[2],
        impu=impu,
        domain=impu.partition("@")[2],
        headers=(*wishes(opening), *what.headers),
        body=what.body,
        content_type=what.content_type,
        route=tuple(headers.values("Route")),
        user_agent=headers.get("User-Agent") or "",
    )


def subscription_settings_of(dialog: RecordedDialog) -> SubscriptionSettings:
    """How the reg event was asked for; for how long, today's program decides. Raises
    ParseError."""
    opening = dialog.opening
    headers = opening.headers
    contact = headers.get("Contact") or ""
    impu = opening.from_.uri
    wished = tuple(each for each in wishes(opening) if each[0].lower() not in ("event", "o"))
    return SubscriptionSettings(
        uri=opening.uri,
        impi=username_of(dialog) or impu.partition(":")[2],
        impu=impu,
        contact=NameAddr.parse(contact).uri,
        contact_params=_params(contact),
        route=tuple(headers.values("Route")),
        headers=wished,
        user_agent=headers.get("User-Agent") or "",
    )


def username_of(dialog: RecordedDialog) -> str:
    """The private identity in the first credentials that name one."""
    for recorded in dialog.messages:
        if recorded.sent and isinstance(recorded.message, Request):
            for header in CREDENTIALS.values():
                for value in recorded.message.headers.all(header):
                    name = read_told(header, value).get("username")
                    if name:
                        return name
    return ""


def wishes(request: Request) -> Iterator[tuple[str, str]]:
    """Header fields that the user must have asked for."""
    for name, value in request.headers:
        if name.lower() not in OURS:
            yield name, value


def _expires(dialog: RecordedDialog, contact: NameAddr) -> int:
    """Seconds asked for in the first REGISTER that does not take anything back."""
    for recorded in dialog.messages:
        if recorded.sent and isinstance(recorded.message, Request):
            headers = recorded.message.headers
            asked = _seconds(headers.get("Expires") or "")
            if asked:
                return asked
    return _seconds(contact.params.get("expires") or "") or DEFAULT_EXPIRES


def _seconds(text: str) -> int:
    """What a header says in seconds, 0 for nothing that can be read (RFC 3261 §20.19)."""
    try:
        return parse_delta_seconds(text.strip())
    except ParseError:
        return 0


def _supports(message: Request | Response, tag: str) -> bool:
    return tag in [each.lower() for each in message.headers.values("Supported")]


def _params(contact: str) -> str:
    """What stands behind the URI of a Contact, without what is said of time."""
    _, closed, rest = contact.partition(">")
    params = [each.strip() for each in rest.split(";") if each.strip()] if closed else []
    return ";".join(each for each in params if not each.lower().startswith("expires="))


def media_of(body: bytes) -> LocalMedia:
    """Where we take the voice stream, and in which directions it goes, out of an offer or answer
    of ours. Raises ParseError without one."""
    address, port, direction = "", 0, "sendrecv"
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("c=IN ") and not address:
            address = line.split()[-1]
        elif line.startswith("m=audio ") and not port:
            port = _port(line.split()[1:2])
        elif line[2:] in ANSWERED_BY and line.startswith("a="):
            direction = line[2:]
    if not address or not port:
        raise ParseError("the INVITE offers no stream that could be offered again")
    return LocalMedia(address, port, direction=direction)


def _answered(offer: bytes, answer: bytes) -> LocalMedia:
    """The stream as we wanted it, whose direction the offer may have narrowed."""
    wanted = media_of(answer)
    with suppress(ParseError):
        if wanted.direction == ANSWERED_BY[media_of(offer).direction]:
            return wanted._replace(direction="sendrecv")
    return wanted


def _port(words: list[str]) -> int:
    """The port in these words, 0 for none."""
    text = "".join(words).partition("/")[0]
    return int(text) if len(text) <= 5 and text.isdecimal() and int(text) < 65536 else 0
