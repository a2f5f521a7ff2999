"""Octets read one after another, and the end noticed."""

from __future__ import annotations

from sipua.errors import ParseError


class Reader:
    """Takes octets from the front. ``what`` names the message in errors."""

    __slots__ = ("_data", "_place", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._place = 0
        self._what = what

    @property
    def left(self) -> int:
        """How many octets there are still."""
        return len(self._data) - self._place

    def take(self, count: int, what: str) -> bytes:
        """The next octets; raises ParseError when there are fewer."""
        if count > self.left:
            raise ParseError(
                f"the {self._what} ends {count - self.left} octets before the end of its {what}"
            )
        self._place += count
        return self._data[self._place - count : self._place]

    def octet(self, what: str) -> int:
        """The next octet; raises ParseError at the end."""
        return self.take(1, what)[0]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left, "rest")
