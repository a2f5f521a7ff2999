"""Which server transaction a request belongs to (RFC 3261 §17.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sipua.sip.headers import MAGIC_COOKIE

if TYPE_CHECKING:
    from sipua.sip.headers import Via
    from sipua.sip.message import Request, Response

ServerKey: TypeAlias = "tuple[object, ...]"

_BY_BRANCH = "3261"
_BY_CONTENT = "2543"


def server_key(request: Request, via: Via) -> ServerKey:
    """Branch, sent-by and method; ACK counts as the INVITE it is for.

    A Via without an RFC 3261 branch (none, or the magic cookie and nothing
    after it) falls back to the comparison RFC 2543 peers need. There the ACK
    carries the To tag of our response; see ``answered_key``.
    Raises ParseError when one of the headers compared cannot be read.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return _BY_BRANCH, branch, via.sent_by, method
    return (
        _BY_CONTENT,
        request.to.tag,
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        method,
        request.uri,
        str(via),
    )


def answered_key(key: ServerKey, response: Response) -> ServerKey:
    """What the ACK for this response will match; another key only with RFC 2543 peers."""
    if key[0] is _BY_BRANCH:
        return key
    return (_BY_CONTENT, response.to.tag, *key[2:])
