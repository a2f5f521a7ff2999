"""What machines answer to requests of the peer's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.sip.message import Request, Response


class Reply(NamedTuple):
    """A response, and the request of the peer's that it answers."""

    request: Request
    response: Response
