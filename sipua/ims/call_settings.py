"""What is given for a call."""

from __future__ import annotations

from typing import NamedTuple

from sipua.sip.offer_answer import LocalMedia
from sipua.sip.timers import TimerValues

ALLOW = "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE"
EXTENSIONS = frozenset({"100rel", "timer", "precondition"})
"""What a call understands in Require (see sipua.sip.inspection.Abilities)."""


class CallSettings(NamedTuple):
    """One call of one subscriber.

    ``impu`` is our identity, ``contact`` our URI as the peer can reach it.
    ``routes`` are Route values of an INVITE, as the registrar's Service-Route told.
    ``media`` is our side of the voice stream. ``session_expires`` and ``min_se``
    are seconds (RFC 4028), the first 0 for no session timer of ours. ``reliable``
    offers and uses RFC 3262, ``preconditions`` RFC 3312. ``schemes`` and
    ``plain_res`` are as in RegistrationSettings; ``refusal_wait`` seconds are
    left to a server that was told of a bad AUTN.
    """

    impi: str
    impu: str
    contact: str
    media: LocalMedia
    contact_params: str = ""
    display_name: str = ""
    routes: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str = ""
    session_expires: int = 1800
    min_se: int = 90
    reliable: bool = True
    preconditions: bool = False
    schemes: tuple[str, ...] = ()
    plain_res: bool = False
    refusal_wait: float = 4.0
    timers: TimerValues = TimerValues()

    @property
    def supported(self) -> str:
        """Value of our Supported."""
        tags = ["timer"]
        if self.reliable:
            tags.insert(0, "100rel")
        if self.preconditions:
            tags.append("precondition")
        return ", ".join(tags)
