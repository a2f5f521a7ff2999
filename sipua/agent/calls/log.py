"""What is told of a call: reports while it goes on, and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipua.agent.parties import asserted_parties, read_party

if TYPE_CHECKING:
    from sipua.agent.reporter import Reporter
    from sipua.ims.call_events import CallEnded
    from sipua.result import CallResult


class CallLog:
    """Tells ``reporter`` of one call, which gets its number here, and fills in ``result``."""

    def __init__(self, reporter: Reporter, result: CallResult) -> None:
        self.result = result
        self._number = reporter.next_call()
        self._reporter = reporter
        self._invited_at = 0.0
        self._answered_at: float | None = None

    def tell(self, event: str, **details: Any) -> None:
        """Report one of call_report.EVENTS."""
        self._reporter.tell(event, details, self._number)

    def begins(self, now: float) -> None:
        """INVITE was sent, or came."""
        self._invited_at = now

    def invited(self, sender: str, asserted: tuple[str, ...], target: str) -> None:
        """Somebody calls; ``sender`` and ``asserted`` as the header fields have it."""
        result, peer = self.result, read_party(sender)
        result.peer, result.peer_name = peer
        result.asserted, result.asserted_name = asserted_parties(asserted)
        self.tell(
            "invited",
            **{"from": peer.uri, "from_name": peer.name},
            asserted=result.asserted,
            asserted_name=result.asserted_name,
            target=target,
        )

    def answered(self, now: float, peer: str, asserted: tuple[str, ...]) -> None:
        """Both sides are in the call; ``peer`` and ``asserted`` as the header fields have it."""
        self._answered_at = now
        result = self.result
        result.final_status = 200
        result.ring_ms = _ms(now - self._invited_at)
        result.peer, result.peer_name = read_party(peer)
        if asserted:
            result.asserted, result.asserted_name = asserted_parties(asserted)
        self.tell(
            "established",
            peer=result.peer,
            peer_name=result.peer_name,
            asserted=result.asserted,
            asserted_name=result.asserted_name,
        )

    def ended(self, how: CallEnded, now: float, media: dict[str, Any] | None) -> None:
        """The call is over."""
        result = self.result
        result.cause = how.cause
        result.media = media
        if self._answered_at is not None:
            result.talk_ms = _ms(now - self._answered_at)
        else:
            result.ring_ms = _ms(now - self._invited_at)
            result.final_status = how.status or None
        self.tell(
            "ended",
            cause=how.cause,
            status=result.final_status,
            reason=how.reason,
            ring_ms=result.ring_ms,
            talk_ms=result.talk_ms,
            media=media,
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
