"""REFER answered, and its sender told what came of it (RFC 3515)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError

if TYPE_CHECKING:
    from sipua.ims.call_request import Failure
    from sipua.ims.session import Session
    from sipua.sip.message import Response

LIFETIME = 180
"""Seconds that the subscription lasts which a REFER makes (§2.4.4)."""

CONTENT_TYPE = "message/sipfrag;version=2.0"


def decide(session: Session, now: float, *, accepted: bool) -> None:
    """202 and a first NOTIFY, or 603 (§2.4.2); raises LocalError without a REFER."""
    request = session.refer
    if request is None:
        raise LocalError("the peer has referred us to nobody")
    session.call.respond(request, 202 if accepted else 603)
    if accepted:
        report(session, 100, "Trying", now)
    else:
        session.refer = None


def report(session: Session, status: int, reason: str, now: float) -> None:
    """NOTIFY with the status of the call we were referred to (§2.4.4, §2.4.5)."""
    request = session.refer
    if request is None:
        raise LocalError("the peer has referred us to nobody")
    over = status >= 200
    state = "terminated;reason=noresource" if over else f"active;expires={LIFETIME}"
    fields = [
        session.contact(),
        ("Event", f"refer;id={request.cseq.number}"),
        ("Subscription-State", state),
        ("Content-Type", CONTENT_TYPE),
    ]
    body = f"SIP/2.0 {status} {reason}\r\n".encode()
    if over:
        session.refer = None

    def hear(response: Response, _now: float) -> None:
        if response.status >= 300:
            session.refer = None  # nobody wants to know any more

    def lose(_failure: Failure, _now: float) -> None:
        session.refer = None

    session.send("NOTIFY", hear, lose, now, fields, body)
