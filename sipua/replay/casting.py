"""Which of today's machines plays a recorded dialog, or why none does; and what it passes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.agent.calls import telephone
from sipua.agent.reg_event_watch import RegEventWatch
from sipua.agent.switchboard import joined
from sipua.agent.texts import texting
from sipua.errors import LocalError, ParseError
from sipua.replay.call_roles import AnsweringRole, CallingRole, method_of
from sipua.replay.request_roles import AskingRole, ServingRole, SubscribingRole
from sipua.replay.roles import RegisteringRole
from sipua.sip.message import Request
from sipua.sms.rpdu import CONTENT_TYPE as SHORT_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sipua.replay.recording import RecordedDialog
    from sipua.replay.roles import Role
    from sipua.sip.inspection import Abilities
    from sipua.sip.message import Response

EVENT = "reg"
USSD = "g.3gpp.ussd"
SECURITY = ("Security-Client", "Security-Verify")
SENT_INSIDE_CALLS = frozenset(
    {"ACK", "BYE", "CANCEL", "INFO", "INVITE", "NOTIFY", "PRACK", "UPDATE"}
)


def cast(dialog: RecordedDialog) -> Role | str:
    """The machine for a dialog with what was asked of it, or a sentence why there is none."""
    opening = dialog.opening
    method = opening.method
    try:
        if method != "REGISTER" and opening.to.tag:
            return f"it was begun before the capture was: {method} is the first of it"
        if dialog.incoming:
            return AnsweringRole(dialog) if method == "INVITE" else ServingRole()
        if len(opening.headers.values("Via")) != 1:
            return "it was begun by somebody else, or was captured inside the network"
        if method == "REGISTER":
            return RegisteringRole(dialog)
        if method == "INVITE":
            if USSD in (opening.headers.get("Recv-Info") or ""):
                return "it is USSD (TS 24.390), which is not played"
            return CallingRole(dialog)
        if method == "SUBSCRIBE":
            event = (opening.headers.get("Event") or "").partition(";")[0].strip().lower()
            if event != EVENT:
                return f"SUBSCRIBE is played for the reg event only, and this is for {event!r}"
            return SubscribingRole(dialog)
        if method in ("MESSAGE", "OPTIONS"):
            return AskingRole(dialog)
    except (ParseError, LocalError) as error:
        return f"it cannot be asked for again: {error}"
    return f"{method} is not played: the program sends none outside of a call"


def abilities_in(dialogs: Iterable[RecordedDialog]) -> Abilities:
    """What the user agent had been told to take, as it called, followed its registration, or
    told that it takes short messages; how each of them is put into words is today's."""
    found = []
    sent = [message for dialog in dialogs for message in dialog.sent]
    if any(_takes_calls(message) for message in sent):
        found.append(telephone.ABILITIES)
    if any(_is_subscribing(message) for message in sent):
        found.append(RegEventWatch.abilities)
    if any(
        "+g.3gpp.smsip" in (message.headers.get("Contact") or "")
        or _mentions(message, "Accept", SHORT_MESSAGE)
        for message in sent
    ):
        found.append(texting.ABILITIES)
    return joined(found)


def passed_over(dialog: RecordedDialog) -> Iterator[str]:
    """Sentences about what is in a dialog that is played and is not played with it."""
    if is_protected(dialog):
        yield "the security agreement (RFC 3329): its header fields and ports are not compared"
    opening = dialog.opening
    if (opening.headers.get("Content-Type") or "").strip().lower() == SHORT_MESSAGE:
        yield "the short message inside: it is taken as it was, and what follows from it, too"
    if dialog.left_out:
        last = "message" if dialog.left_out == 1 else f"{dialog.left_out} messages"
        yield f"the last {last}: there are too many"
    sent = {each.method for each in dialog.sent if isinstance(each, Request)}
    if opening.method == "INVITE":
        for method in sorted(sent - SENT_INSIDE_CALLS):
            yield f"{method} inside of the call: the program sends none"


def is_protected(dialog: RecordedDialog) -> bool:
    """Whether the user agent agreed on IPsec, or tried to."""
    return any(name in message.headers for message in dialog.sent for name in SECURITY)


def _takes_calls(message: Request | Response) -> bool:
    if _mentions(message, "Allow", "INVITE"):
        return True
    if method_of(message) != "INVITE":
        return False
    return isinstance(message, Request) or message.status not in (405, 501)


def _mentions(message: Request | Response, name: str, value: str) -> bool:
    try:
        values = message.headers.values(name)
    except ParseError:
        return False
    return value.lower() in [each.lower() for each in values]


def _is_subscribing(message: Request | Response) -> bool:
    return isinstance(message, Request) and message.method == "SUBSCRIBE"
