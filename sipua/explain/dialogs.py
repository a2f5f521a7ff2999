"""Messages grouped by Call-ID, in bounded memory, handed out in the order they began."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.explain.exchange import Exchange
from sipua.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.auth.scheme import AkaChallenge
    from sipua.explain.heard import Heard

MAX_OPEN = 4096
"""Dialogs that are followed at a time; the oldest is handed out when there are more."""

MAX_EXCHANGES = 64
"""Requests kept of one dialog; those that follow are counted only."""

IDLE = 64.0
"""Seconds of the capture after which nothing more is expected (twice 64·T1, RFC 3261 §17)."""

MAX_REMEMBERED = 4096
"""Challenges remembered of dialogs that were handed out already."""


class Dialog:
    """All that was seen with one Call-ID. ``omitted`` counts requests beyond the limit.

    ``before`` is the last challenge of an earlier part of the same Call-ID;
    ``went_silent`` tells that the capture went on for long after its last message.
    """

    __slots__ = ("before", "call_id", "exchanges", "last_at", "omitted", "went_silent")

    def __init__(self, call_id: str, before: AkaChallenge | None = None) -> None:
        self.call_id = call_id
        self.exchanges: list[Exchange] = []
        self.omitted = 0
        self.last_at = -1.0
        self.before = before
        self.went_silent = False

    def exchange(self, method: str, cseq: int, heard: Heard) -> Exchange | None:
        """The one that this message belongs to; None beyond the limit."""
        for each in reversed(self.exchanges):
            if each.cseq == cseq and each.method == method:
                return each
        if len(self.exchanges) >= MAX_EXCHANGES:
            self.omitted += 1
            return None
        made = Exchange(method, cseq, heard)
        self.exchanges.append(made)
        return made


class Dialogs:
    """Takes messages, gives dialogs that have come to an end."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Dialog] = OrderedDict()
        self._remembered: OrderedDict[str, AkaChallenge] = OrderedDict()

    def take(self, heard: Heard) -> Iterator[Dialog]:
        """Take one message; a message without Call-ID or CSeq is a dialog of its own."""
        message = heard.message
        call_id = message.headers.get("Call-ID") or ""
        dialog = self._open.get(call_id)
        if dialog is None:
            dialog = self._open[call_id] = Dialog(call_id, self._remembered.get(call_id))
        dialog.last_at = heard.at
        try:
            cseq = message.cseq
            number, method = cseq.number, cseq.method
        except ParseError:
            number = 0
            method = message.method if isinstance(message, Request) else "REGISTER"
        exchange = dialog.exchange(method, number, heard)
        if exchange is not None and isinstance(message, Request):
            exchange.take_request(message, heard.destination)
        elif exchange is not None and not isinstance(message, Request):
            exchange.take_response(message, heard.at)
        yield from self._ended(heard.at)

    def finish(self) -> Iterator[Dialog]:
        """Everything that is still open."""
        while self._open:
            yield self._close()

    def _ended(self, now: float) -> Iterator[Dialog]:
        while len(self._open) > MAX_OPEN:
            yield self._close()
        while self._open:
            oldest = next(iter(self._open.values()))
            if now < 0 or now - oldest.last_at < IDLE:
                return
            oldest.went_silent = True
            yield self._close()

    def _close(self) -> Dialog:
        call_id, dialog = self._open.popitem(last=False)
        for exchange in reversed(dialog.exchanges):
            usable = [each.challenge for each in exchange.asked if each.challenge is not None]
            if usable and call_id:
                self._remembered[call_id] = usable[-1]
                self._remembered.move_to_end(call_id)
                if len(self._remembered) > MAX_REMEMBERED:
                    self._remembered.popitem(last=False)
                break
        return dialog
