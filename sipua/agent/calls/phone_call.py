"""One call as a user sees it: its signalling, its voice, and what he wants of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sipua.agent.calls.digits import CallDigits
from sipua.agent.calls.line import CallLine
from sipua.agent.conversation import earliest
from sipua.agent.parties import read_party
from sipua.ims.call_events import (
    CallEnded,
    ChangeRefused,
    Established,
    InfoAnswered,
    InfoReceived,
    Invited,
    MediaChanged,
    Progress,
    ReferReceived,
)
from sipua.ims.events import Redirected

if TYPE_CHECKING:
    from sipua.agent.calls.log import CallLog
    from sipua.agent.calls.media import CallMedia
    from sipua.agent.equipment import Equipment
    from sipua.ims.call import Call
    from sipua.ims.events import Event
    from sipua.sip.hop import Hop

HEED: dict[type[Event], str] = {
    Invited: "invited",
    Progress: "progress",
    Redirected: "redirected",
    MediaChanged: "media_changed",
    Established: "established",
    ReferReceived: "refer",
    InfoReceived: "info_received",
    InfoAnswered: "info_answered",
    ChangeRefused: "change_refused",
    CallEnded: "over",
}
"""What is done about each event of the machine's."""

IN_CLEAR = "RTP goes in clear: IPsec protects SIP as far as the P-CSCF, not voice"

DIGITS_PATIENCE = 0.2
"""Seconds until it is looked again whether the digits are out, before we hang up."""


Transfer = Callable[["PhoneCall", str], Callable[[float], None] | None]
"""Gives what begins a call to this target; None when it cannot be called."""


class PhoneCall:
    """A call that goes on until it is ``settled``; ``ended`` tells how it ended then.

    ``transfer`` is asked what to do when the other side refers us to somebody.
    ``_times`` holds what is due when: a name, whose method is ``_due_…``.
    """

    def __init__(
        self,
        machine: Call,
        hop: Hop,
        equipment: Equipment,
        media: CallMedia,
        log: CallLog,
        digits: CallDigits,
    ) -> None:
        self.machine = machine
        self.log = log
        self.ended: CallEnded | None = None
        self.is_hanging_up = False
        self.transfer: Transfer | None = None
        self.line = CallLine(machine, hop, equipment, self._heed, log.result.exchange)
        self._media = media
        self._digits = digits
        self._times: dict[str, float] = {}

    @property
    def settled(self) -> bool:
        """Whether it is over."""
        return self.ended is not None

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        media = None if self.settled else self._media.deadline()
        return earliest(self.machine.deadline(), media, *self._times.values())

    def tick(self, now: float) -> None:
        """Let time pass."""
        for what, at in list(self._times.items()):
            if now >= at and self._times.pop(what, None) is not None:
                getattr(self, f"_due_{what}")(now)
        if not self.settled:
            self._media.tick(now)
            self._digits.listen()
        self.line.tick(now)

    def hang_up(self, now: float) -> None:
        """CANCEL, BYE or a refusal, as the call stands."""
        if not self.settled and not self.is_hanging_up:
            self.is_hanging_up = True
            self.log.tell("hanging-up")
            self.machine.hang_up(now)
            self.line.carry_on(now)

    def close(self) -> None:
        """Give back the port, and wait for no answers."""
        self._media.close()
        self.line.close()

    # What the machine tells ----------------------------------------------------------------

    def _heed(self, event: Event, now: float) -> None:
        getattr(self, f"_{HEED[type(event)]}")(event, now)

    def _invited(self, event: Invited, now: float) -> None:
        raise NotImplementedError

    def _progress(self, event: Progress, _now: float) -> None:
        self.log.tell("progress", status=event.status, reason=event.reason, branch=event.tag)

    def _redirected(self, event: Redirected, _now: float) -> None:
        self.log.tell("redirected", target=event.uri)

    def _media_changed(self, event: MediaChanged, now: float) -> None:
        stream = event.stream
        has_voice = stream is not None and stream.direction != "inactive"
        self._media.use(stream, now)
        self.log.tell(
            "media",
            early=event.early,
            codec=stream.codecs[0].name if stream and stream.codecs else None,
            direction=stream.direction if stream else None,
            remote=f"{stream.address}:{stream.port}" if stream else None,
            unprotected=IN_CLEAR if has_voice and self.line.is_protected else None,
        )

    def _established(self, event: Established, now: float) -> None:
        assert self.machine.session is not None
        self.log.answered(now, self.machine.session.dialog.remote, event.asserted)
        self._times.clear()
        self._digits.begin(now)

    def _refer(self, event: ReferReceived, now: float) -> None:
        """Unless the user wants it, nobody has us call where he likes (RFC 3515 §5)."""
        begin = self.transfer(self, event.target) if self.transfer is not None else None
        accepted = begin is not None
        by = read_party(event.referred_by) if event.referred_by else None
        self.log.tell(
            "refer",
            target=event.target,
            referred_by=by and by.uri,
            referred_by_name=by and by.name,
            accepted=accepted,
        )
        self.machine.refer_decided(now, accepted=accepted)
        if begin is not None:
            begin(now)

    def _info_received(self, event: InfoReceived, _now: float) -> None:
        self._digits.info_received(event)

    def _info_answered(self, event: InfoAnswered, now: float) -> None:
        self._digits.info_answered(event, now)

    def _change_refused(self, event: ChangeRefused, _now: float) -> None:
        self.log.tell("change-refused", status=event.status, reason=event.reason)

    def _over(self, event: CallEnded, now: float) -> None:
        self.ended = event
        self._times.clear()
        self._digits.listen()
        had_voice = self.machine.session is not None
        self.log.ended(event, now, self._media.statistics() if had_voice else None)
        self._media.close()

    # What is due ---------------------------------------------------------------------------

    def _due_hang_up(self, now: float) -> None:
        """After the time that the user gave it, and the digits he wanted dialled."""
        if self._digits.are_going_out:
            self._times["hang_up"] = now + DIGITS_PATIENCE
        else:
            self.hang_up(now)
