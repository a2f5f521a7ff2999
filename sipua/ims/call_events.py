"""What a call tells whoever drives it; AuthenticationRequired and Redirected come besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.events import Event

if TYPE_CHECKING:
    from sipua.sip.message import Request
    from sipua.sip.offer_answer import Stream
    from sipua.verdict import Verdict


class Cause:
    """Why a call is over."""

    HUNG_UP = "hung-up"  # by us
    PEER_HUNG_UP = "peer-hung-up"
    CANCELLED = "cancelled"  # by the caller
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no-answer"
    MOVED = "moved"  # to where we do not follow
    REFUSED = "refused"  # for any other reason
    NOT_AUTHENTICATED = "not-authenticated"
    TIMEOUT = "timeout"  # not a word from the peer
    UNREACHABLE = "unreachable"
    LOST = "lost"  # the peer no longer knows of the call, or does not answer
    FAILED = "failed"  # the peer said what cannot be understood


class Invited(Event):
    """Somebody calls, and may be told that it rings. ``peer`` is From, ``asserted`` what the
    network vouches for (RFC 3325), empty when it does not."""

    __slots__ = ("asserted", "peer", "request")

    def __init__(self, request: Request, peer: str, asserted: tuple[str, ...]) -> None:
        self.request = request
        self.peer = peer
        self.asserted = asserted


class Progress(Event):
    """A provisional response above 100; ``tag`` tells the branches of a forked call apart."""

    __slots__ = ("reason", "status", "tag")

    def __init__(self, status: int, reason: str, tag: str) -> None:
        self.status = status
        self.reason = reason
        self.tag = tag


class MediaChanged(Event):
    """What is agreed about the voice stream, None for none; ``early`` before the answer."""

    __slots__ = ("early", "stream", "tag")

    def __init__(self, stream: Stream | None, tag: str, *, early: bool) -> None:
        self.stream = stream
        self.tag = tag
        self.early = early


class Established(Event):
    """Both sides are in the call; ``tag`` is that of the branch which answered."""

    __slots__ = ("asserted", "tag")

    def __init__(self, tag: str, asserted: tuple[str, ...] = ()) -> None:
        self.tag = tag
        self.asserted = asserted


class ChangeRefused(Event):
    """The peer did not take our re-INVITE or UPDATE; all is as it was."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason


class ReferReceived(Event):
    """The peer wants us to call ``target``; answered with ``refer_decided``."""

    __slots__ = ("referred_by", "target")

    def __init__(self, target: str, referred_by: str) -> None:
        self.target = target
        self.referred_by = referred_by


class InfoReceived(Event):
    """An INFO, which was answered 200."""

    __slots__ = ("body", "content_type")

    def __init__(self, content_type: str, body: bytes) -> None:
        self.content_type = content_type
        self.body = body


class InfoAnswered(Event):
    """The answer to an INFO of ours; status 0 when none came."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason


class CallEnded(Event):
    """The call is over. ``status`` is that of the response which ended it, else 0;
    ``verdict`` tells how authentication or security agreement failed, None when neither did."""

    __slots__ = ("cause", "reason", "status", "verdict")

    def __init__(
        self, cause: str, status: int = 0, reason: str = "", verdict: Verdict | None = None
    ) -> None:
        self.cause = cause
        self.status = status
        self.reason = reason
        self.verdict = verdict
