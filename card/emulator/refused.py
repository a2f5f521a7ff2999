"""How a command handler ends a command with a status word other than success."""

from __future__ import annotations

OK = b"\x90\x00"


class Refused(Exception):
    """The card answers with this status word and no data."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw
