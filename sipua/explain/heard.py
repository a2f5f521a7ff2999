"""A message on its way to being explained, wherever it came from."""

from __future__ import annotations

from typing import NamedTuple

from sipua.sip.message import Request, Response


class Heard(NamedTuple):
    """``at`` is in seconds since 1970, -1 where no time is known; addresses may be empty."""

    message: Request | Response
    at: float = -1.0
    source: str = ""
    destination: str = ""
    transport: str = ""
