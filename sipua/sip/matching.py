"""Which server transaction a request belongs to (RFC 3261 §17.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.sip.headers import MAGIC_COOKIE

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sipua.sip.headers import Via
    from sipua.sip.message import Request, Response


class LegacyKey(NamedTuple):
    """What RFC 2543 peers' requests are compared by."""

    to_tag: str | None
    from_tag: str | None
    call_id: str
    number: int
    method: str
    uri: str
    via: str


def server_key(request: Request, via: Via) -> Hashable:
    """Branch, sent-by and method; ACK counts as the INVITE it is for.

    A Via without an RFC 3261 branch (none, or the magic cookie and nothing
    after it) falls back to the comparison RFC 2543 peers need. There the ACK
    carries the To tag of our response; see ``answered_key``.
    Raises ParseError when one of the headers compared cannot be read.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.sent_by, method
    return LegacyKey(
        request.to.tag,
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        method,
        request.uri,
        str(via),
    )


def answered_key(key: Hashable, response: Response) -> LegacyKey | None:
    """What the ACK of an RFC 2543 peer will match, None when branches do it."""
    if isinstance(key, LegacyKey):
        return key._replace(to_tag=response.to.tag)
    return None
