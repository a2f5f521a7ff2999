"""Times in TPDUs (TS 23.040 §9.2.3.11) and how long a message is valid (§9.2.3.12)."""

from __future__ import annotations

from typing import NamedTuple

LENGTH = 7  # octets
CENTURY = 70  # two digits below it are of this century

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800


class Timestamp(NamedTuple):
    """Local time and its distance from GMT in quarters of an hour, as the octets have it.

    It is not checked: what a service centre writes is shown, never refused.
    """

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    quarters: int = 0

    def to_octets(self) -> bytes:
        """Seven octets with their semi-octets swapped."""
        fields = (self.year % 100, *self[1:6])
        zone = _swapped(abs(self.quarters)) | (0x08 if self.quarters < 0 else 0)
        return bytes([*map(_swapped, fields), zone])

    def __str__(self) -> str:
        hours, quarter = divmod(abs(self.quarters), 4)
        sign = "-" if self.quarters < 0 else "+"
        return (
            f"{self.year:04}-{self.month:02}-{self.day:02}"
            f"T{self.hour:02}:{self.minute:02}:{self.second:02}{sign}{hours:02}:{15 * quarter:02}"
        )


def read_timestamp(octets: bytes) -> Timestamp:
    """Seven octets as a time."""
    year, month, day, hour, minute, second = map(_number, octets[:6])
    zone = _number(octets[6] & 0xF7)
    year += 2000 if year < CENTURY else 1900
    return Timestamp(year, month, day, hour, minute, second, -zone if octets[6] & 0x08 else zone)


def validity_octet(seconds: float) -> int:
    """TP-Validity-Period in relative format, at least as long as asked for if there is one."""
    for first, unit, begin, last in (
        (0, 5 * MINUTE, 0, 143),
        (144, 30 * MINUTE, 12 * HOUR, 167),
        (168, DAY, DAY, 196),
        (197, WEEK, 4 * WEEK, 255),
    ):
        steps = max(1, -(-(seconds - begin) // unit))
        octet = int(first + steps - 1)
        if octet <= last:
            return octet
    return 255


def validity_seconds(octet: int) -> int:
    """Seconds of a TP-Validity-Period in relative format."""
    if octet < 144:
        return (octet + 1) * 5 * MINUTE
    if octet < 168:
        return 12 * HOUR + (octet - 143) * 30 * MINUTE
    if octet < 197:
        return (octet - 166) * DAY
    return (octet - 192) * WEEK


def _swapped(number: int) -> int:
    return number // 10 | number % 10 << 4


def _number(octet: int) -> int:
    return 10 * (octet & 0xF) + (octet >> 4)
