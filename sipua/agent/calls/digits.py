"""DTMF of one call: the digits that we dial once it stands, and those that we hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.ims import dtmf_info

if TYPE_CHECKING:
    from sipua.agent.calls.log import CallLog
    from sipua.agent.calls.media import CallMedia
    from sipua.ims.call import Call
    from sipua.ims.call_events import InfoAnswered, InfoReceived


class CallDigits:
    """``digits`` go out by ``rtp`` (RFC 4733) or by ``info``, one INFO after the other."""

    def __init__(self, machine: Call, media: CallMedia, log: CallLog, digits: str, by: str) -> None:
        self._machine = machine
        self._media = media
        self._log = log
        self._digits = digits
        self._by = by
        self._left: list[str] = []

    def begin(self, now: float) -> None:
        """The call stands."""
        if not self._digits:
            return
        if self._by == "info":
            self._left = list(self._digits)
            self._next(now)
            return
        try:
            self._media.send_digits(self._digits, now)
        except LocalError as error:  # the other side takes none
            self._log.tell("digits-refused", status=0, reason=str(error))
        else:
            self._log.tell("digits-sent", digits=self._digits, by="rtp")

    @property
    def are_going_out(self) -> bool:
        """Whether some are still to be sent."""
        return bool(self._left) or self._media.port.is_sending_digits

    def info_answered(self, event: InfoAnswered, now: float) -> None:
        """The next digit, if this one was taken."""
        if 200 <= event.status < 300:
            self._left.pop(0)
            self._next(now)
        else:
            self._left.clear()
            self._log.tell("digits-refused", status=event.status, reason=event.reason)

    def info_received(self, event: InfoReceived) -> None:
        """A digit, or something else."""
        heard = dtmf_info.read(event.content_type, event.body)
        if heard is not None:
            self._heard(*heard, "info")
        else:
            body = event.body[:1000].decode("utf-8", "replace")
            self._log.tell("info", content_type=event.content_type, body=body)

    def listen(self) -> None:
        """Tell of what came by RTP."""
        for digit, ms in self._media.port.take_digits():
            self._heard(digit, ms, "rtp")

    def _next(self, now: float) -> None:
        if self._left:
            body = dtmf_info.write(self._left[0])
            self._machine.send_info(dtmf_info.CONTENT_TYPE, body, now)
        else:
            self._log.tell("digits-sent", digits=self._digits, by="info")

    def _heard(self, digit: str, ms: float, by: str) -> None:
        self._log.result.digits_received += digit
        self._log.tell("digit", digit=digit, ms=round(ms, 1), by=by)
