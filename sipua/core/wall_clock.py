"""The time of day, as a network tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipua.sms.timestamp import Timestamp

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date() -> str:
    """The time now as the Date header gives it (RFC 3261 §20.17)."""
    now = time.gmtime()
    return (
        f"{_DAYS[now.tm_wday]}, {now.tm_mday:02} {_MONTHS[now.tm_mon - 1]} {now.tm_year}"
        f" {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} GMT"
    )


def timestamp() -> Timestamp:
    """The time now as short messages give it."""
    from sipua.sms.timestamp import Timestamp

    now = time.localtime()
    return Timestamp(*now[:6], now.tm_gmtoff // 900)
