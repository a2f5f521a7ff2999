"""What is told of short messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.events import Event

if TYPE_CHECKING:
    from sipua.sms.joining import Joined
    from sipua.sms.tpdu import Deliver, StatusReport


class TextSubmitted(Event):
    """The service centre has taken every part of text ``number``."""

    __slots__ = ("number", "parts")

    def __init__(self, number: int, parts: int) -> None:
        self.number = number
        self.parts = parts


class TextFailed(Event):
    """Text ``number`` was not taken; ``submitted`` of its ``parts`` were.

    ``status`` is that of the SIP response, ``cause`` RP-Cause; 0 where there was none.
    """

    __slots__ = ("cause", "number", "parts", "reason", "status", "submitted")

    def __init__(
        self, number: int, reason: str, parts: int, submitted: int, *, status: int, cause: int
    ) -> None:
        self.number = number
        self.reason = reason
        self.parts = parts
        self.submitted = submitted
        self.status = status
        self.cause = cause


class TextReported(Event):
    """What became of ``part`` of text ``number``: delivered, trying or failed, and ``why``."""

    __slots__ = ("discharged", "number", "outcome", "part", "parts", "recipient", "status", "why")

    def __init__(
        self, number: int, part: int, parts: int, report: StatusReport, outcome: str, why: str
    ) -> None:
        self.number = number
        self.part = part
        self.parts = parts
        self.recipient = str(report.recipient)
        self.discharged = str(report.discharged)
        self.status = report.status
        self.outcome = outcome
        self.why = why


class TextReceived(Event):
    """A text came; ``missing`` of its ``parts`` never did. ``sent`` is the service centre's
    time, and ``message_class`` 0 for what is shown at once and not kept, -1 for none; both are
    those of the part that came last, and empty or -1 for a text given up."""

    __slots__ = ("message_class", "missing", "originator", "parts", "sent", "text")

    def __init__(self, joined: Joined, last: Deliver | None = None) -> None:
        self.originator = joined.originator
        self.text = joined.text
        self.parts = joined.parts + joined.missing
        self.missing = joined.missing
        self.sent = str(last.sent) if last is not None else ""
        self.message_class = last.user_data.coding.message_class if last is not None else -1


class Discarded(Event):
    """Something came that means nothing here."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason
