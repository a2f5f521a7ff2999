"""What is given for short messages, and the MESSAGEs that come of it."""

from __future__ import annotations

from typing import NamedTuple

from sipua.sms.tpdu import Validity

REPORT_WAIT = 40.0
"""Seconds in which RP-ACK has to come: TR1M, 35 to 45 s (TS 24.011 §10)."""


class SmsSettings(NamedTuple):
    """``psi`` is the URI of the service centre (EF_PSISMSC), empty where nothing is sent to it;
    ``service_centre`` is its number as EF_SMSP has it, or empty. ``validity`` and ``wide`` are as
    in Submit and Part."""

    psi: str = ""
    service_centre: str = ""
    status_wanted: bool = False
    validity: Validity = None
    wide: bool = False
    report_wait: float = REPORT_WAIT


class Outgoing(NamedTuple):
    """A MESSAGE to be sent; ``number`` is that of the message whose fate it decides, 0 for an
    answer that decides none."""

    number: int
    uri: str
    body: bytes
    in_reply_to: str = ""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Header fields beside those of every MESSAGE."""
        return (("In-Reply-To", self.in_reply_to),) if self.in_reply_to else ()
