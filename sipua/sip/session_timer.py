"""Session timers (RFC 4028), both roles: a call whose peer has vanished does not stay for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError
from sipua.sip.headers import parse_delta_seconds
from sipua.sip.inspection import Refused
from sipua.sip.parameters import Parameters

if TYPE_CHECKING:
    from sipua.sip.message import Message, Request, Response

TAG = "timer"
SMALLEST = 90
"""Seconds: no session interval may be shorter (§4)."""

# States
OFF = "off"
OURS = "ours"  # we refresh
ASKED = "asked"  # we have sent a refresh
THEIRS = "theirs"  # the peer refreshes

# What to do when the time has come
REFRESH = "refresh"
EXPIRED = "expired"

# state: next state, what is to be done, section
TRANSITIONS = {
    OURS: (ASKED, REFRESH, "RFC 4028 §7.4"),
    ASKED: (OFF, EXPIRED, "RFC 4028 §10"),
    THEIRS: (OFF, EXPIRED, "RFC 4028 §10"),
}

# (does the UAC support timers, refresher in the request): refresher in the 2xx (§9, table 2)
REFRESHER = {
    (False, ""): "uas",
    (False, "uas"): "uas",
    (True, ""): "uac",
    (True, "uac"): "uac",
    (True, "uas"): "uas",
}


class SessionTimer:
    """The timer of one session. ``wanted`` is the interval we ask for in seconds, 0 to do
    without; ``interval`` what was agreed, 0 for none."""

    __slots__ = ("_due", "_end", "interval", "min_se", "state", "wanted")

    def __init__(self, wanted: int, min_se: int = SMALLEST) -> None:
        self.wanted = wanted
        self.min_se = max(min_se, SMALLEST)
        self.interval = 0
        self.state = OFF
        self._due = self._end = 0.0

    # As UAC

    def asking(self) -> list[tuple[str, str]]:
        """Header fields for an INVITE or UPDATE of ours (§7.1, §7.4)."""
        if not self.wanted and not self.interval:
            return []
        refresher = ""
        if self.state != OFF:
            refresher = f";refresher={'uas' if self.state == THEIRS else 'uac'}"
        interval = max(self.interval or self.wanted, self.min_se)
        return [("Session-Expires", f"{interval}{refresher}"), ("Min-SE", str(self.min_se))]

    def too_small(self, response: Response) -> bool:
        """Take a 422; whether it is worth another try (§7.3). Raises ParseError."""
        asked = parse_delta_seconds(response.headers.get("Min-SE") or "")
        if asked <= max(self.interval or self.wanted, self.min_se):
            return False
        self.min_se = asked
        self.wanted = asked
        self.interval = max(self.interval, asked) if self.interval else 0
        return True

    def answered(self, response: Response, now: float) -> None:
        """Take the 2xx to an INVITE or UPDATE of ours (§7.2, §7.4)."""
        found = _session_expires(response)
        if found is None:
            self.state, self.interval = OFF, 0
            return
        interval, refresher = found
        self._start(interval, THEIRS if refresher == "uas" else OURS, now)

    # As UAS

    def check(self, request: Request) -> None:
        """Raise Refused 422 for an interval below ours, if the peer understands that (§9)."""
        found = _session_expires(request)
        if found is not None and found[0] < self.min_se and _supports(request):
            raise Refused(f"a session interval of {found[0]} s", 422, ("Min-SE", str(self.min_se)))

    def answer(self, request: Request, now: float) -> list[tuple[str, str]]:
        """Header fields for our 2xx, which starts the timer (§9)."""
        supported = _supports(request)
        found = _session_expires(request)
        if found is None and not self.wanted:
            self.state, self.interval = OFF, 0
            return []
        asked, refresher = found if found is not None else (0, "")
        interval = asked or max(self.wanted, self.min_se)
        chosen = REFRESHER.get((supported, refresher), "uas")
        self._start(interval, OURS if chosen == "uas" else THEIRS, now)
        fields = [("Session-Expires", f"{interval};refresher={chosen}")]
        return [*fields, ("Require", TAG)] if chosen == "uac" else fields

    # Time

    def _start(self, interval: int, state: str, now: float) -> None:
        interval = max(interval, SMALLEST)
        self.interval, self.state = interval, state
        self._end = now + interval - min(32, interval / 3)  # §10
        self._due = now + interval / 2 if state == OURS else self._end

    def stop(self) -> None:
        """The session is over."""
        self.state = OFF

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return None if self.state == OFF else self._due

    def tick(self, now: float) -> str:
        """REFRESH, EXPIRED, or "" while there is nothing to do."""
        row = TRANSITIONS.get(self.state)
        if row is None or now < self._due:
            return ""
        self.state, what, _ = row
        self._due = self._end
        return what


def _supports(request: Request) -> bool:
    return TAG in [tag.lower() for tag in request.headers.values("Supported")]


def _session_expires(message: Message) -> tuple[int, str] | None:
    """Seconds and refresher; None when there is none, or none that can be read."""
    value = message.headers.get("Session-Expires")
    if value is None:
        return None
    seconds, semicolon, params = value.partition(";")
    try:
        refresher = Parameters.parse(params).get("refresher") if semicolon else None
        return parse_delta_seconds(seconds), (refresher or "").lower()
    except ParseError:
        return None
