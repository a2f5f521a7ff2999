"""What the peer asks for inside a call, one function for each method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, PeerError
from sipua.ims.call_events import InfoReceived, ReferReceived
from sipua.ims.call_settings import ALLOW
from sipua.sip.headers import NameAddr
from sipua.sip.inspection import Refused
from sipua.sip.methods import KNOWN_METHODS
from sipua.sip.offer_answer import IDLE, OFFERED
from sipua.sip.sdp import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.ims.session import Session
    from sipua.sip.message import Request

Fields = list[tuple[str, str]]

MAX_RETRY = 10  # seconds of the Retry-After of a 500 (RFC 3261 §14.2)


def receive(session: Session, request: Request, now: float) -> None:
    """Answer a request inside the dialog, whatever it is; ACK is none of them."""
    call = session.call
    try:
        session.dialog.check(request)
        row = HANDLERS.get(request.method)
        if row is None:
            status = 405 if request.method in KNOWN_METHODS else 501
            raise Refused(f"{request.method} is not for a call", status, ("Allow", ALLOW))
        row[0](session, request, now)
    except Refused as error:
        call.respond(request, error.status, error.headers)
    except PeerError as error:
        fields: Fields = []
        if error.status == 500:
            fields.append(("Retry-After", str(call.rng.getrandbits(16) % (MAX_RETRY + 1))))
        call.respond(request, error.status, fields, reason=error.reason)


def _bye(session: Session, request: Request, now: float) -> None:
    session.call.respond(request, 200)
    session.call.peer_left(session, now)


def _invite(session: Session, request: Request, now: float) -> None:
    call = session.call
    if not session.dialog.confirmed and call.is_caller:
        raise Refused("an INVITE of ours is under way", 491)
    if not session.dialog.confirmed or session.unacknowledged:
        raise PeerError("the INVITE before this one is not over", 500)
    if session.changes.is_inviting:
        raise Refused("an INVITE of ours is under way", 491)
    session.timer.check(request)
    if description(request):
        session.take_offer(request.body)
        body = session.answer()
    else:
        body = _offer(session)
    session.learn(request)
    response = call.response(
        request, 200, [*_target_fields(session), *session.timer.answer(request, now)], body
    )
    session.repeat_until_acknowledged(request, response, now)
    call.reply(request, response)


def _offer(session: Session) -> bytes:
    if session.media.state == OFFERED:
        raise Refused("an offer of ours waits for its answer", 491)
    try:
        return session.media.offer(session.wanted())
    except LocalError as error:
        raise PeerError(str(error), 500) from error


def _update(session: Session, request: Request, now: float) -> None:
    call = session.call
    session.timer.check(request)
    body = b""
    if description(request):
        if session.media.state == IDLE:
            raise PeerError("nothing was offered before", 500)
        session.take_offer(request.body)
        body = session.answer()
    session.learn(request)
    fields = [*_target_fields(session), *session.timer.answer(request, now)]
    call.reply(request, call.response(request, 200, fields, body))
    session.changes.release(now)
    call.session_changed(session, now)


def _prack(session: Session, request: Request, now: float) -> None:
    call = session.call
    rack = request.headers.get("RAck") or ""
    if session.reliable is None or not session.reliable.acknowledge(rack, now):
        raise Refused("no response waits for this PRACK", 481)
    body = b""
    if description(request):
        if session.media.state == OFFERED:
            session.take_answer(request.body)
        else:
            session.take_offer(request.body)
            body = session.answer()
    call.reply(request, call.response(request, 200, [], body))
    session.send_reliable()
    session.changes.release(now)
    call.session_changed(session, now)


def _info(session: Session, request: Request, _now: float) -> None:
    call = session.call
    call.respond(request, 200)
    call.tell(InfoReceived(request.headers.get("Content-Type") or "", request.body))


def _options(session: Session, request: Request, _now: float) -> None:
    call = session.call
    fields = [
        ("Allow", ALLOW),
        ("Accept", CONTENT_TYPE),
        ("Supported", call.settings.supported),
    ]
    call.respond(request, 200, fields)


def _refer(session: Session, request: Request, _now: float) -> None:
    targets = request.headers.all("Refer-To")
    if len(targets) != 1:
        raise Refused(f"{len(targets)} Refer-To fields where there has to be one", 400)
    target = NameAddr.parse(targets[0]).uri
    if session.refer is not None:
        raise Refused("another REFER is being decided on", 603)
    session.refer = request
    session.call.tell(ReferReceived(target, request.headers.get("Referred-By") or ""))


def _notify(_session: Session, _request: Request, _now: float) -> None:
    raise Refused("nothing was subscribed to", 481)


HANDLERS: dict[str, tuple[Callable[[Session, Request, float], None], str]] = {
    "BYE": (_bye, "RFC 3261 §15.1.2"),
    "INFO": (_info, "RFC 6086 §4.2.2"),
    "INVITE": (_invite, "RFC 3261 §14.2"),
    "NOTIFY": (_notify, "RFC 6665 §4.1.3"),
    "OPTIONS": (_options, "RFC 3261 §11.2"),
    "PRACK": (_prack, "RFC 3262 §3"),
    "REFER": (_refer, "RFC 3515 §2.4.2"),
    "UPDATE": (_update, "RFC 3311 §5.2"),
}


def description(request: Request) -> bool:
    """Whether the request carries a session description; raises Refused for another body."""
    if not request.body:
        return False
    content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != CONTENT_TYPE:
        raise Refused(f"content of type {content_type[:60]!r}", 415, ("Accept", CONTENT_TYPE))
    return True


def _target_fields(session: Session) -> Fields:
    return [
        session.contact(),
        ("Allow", ALLOW),
        ("Supported", session.call.settings.supported),
    ]
