"""What the proxy writes into a message on its way (RFC 3261 §16.6 and §16.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.identity import assert_identity
from sipua.core.reply import own_uri
from sipua.sip.grammar import format_host, split
from sipua.sip.message import Request, Response

if TYPE_CHECKING:
    from sipua.core.routing import Way
    from sipua.core.subscriber import Subscriber
    from sipua.sip.hop import Hop

DIALOG_METHODS = frozenset({"INVITE", "NOTIFY", "REFER", "SUBSCRIBE"})
"""Methods by which a dialog may arise; the proxy stays on its way by Record-Route."""


def onward_request(
    request: Request,
    way: Way,
    left: int,
    caller: Subscriber,
    source: Hop,
    sent_by: tuple[str, int],
) -> Request:
    """The copy of a request that goes one way (§16.6 steps 1 to 7).

    ``left`` is its Max-Forwards as received, ``sent_by`` our address towards
    the way's hop.
    """
    onward = Request(request.method, way.uri, request.headers.copy(), request.body)
    headers = onward.headers
    headers.set("Max-Forwards", str(left - 1))
    headers.set("Max-Breadth", str(way.breadth))
    if request.method in DIALOG_METHODS:
        for value in reversed(record_routes(source, way.hop, sent_by)):
            headers.prepend("Record-Route", value)
    for value in way.path:
        headers.add("Route", value)
    assert_identity(onward, caller)
    return onward


def onward_response(received: Response, callee: Subscriber) -> Response:
    """The copy of a response that goes back (§16.7 step 3)."""
    response = Response(received.status, received.reason, received.headers.copy(), received.body)
    first, *lines = response.headers.all("Via")
    below = split(first, ",")[1:] if "," in first else []
    response.headers.replace("Via", [*below, *lines])
    assert_identity(response, callee)
    return response


def record_routes(source: Hop, hop: Hop, sent_by: tuple[str, int]) -> list[str]:
    """Record-Route values, the topmost first: one, or two where we change sides (RFC 5658)."""
    host, port = sent_by
    transport = "" if hop.transport == "UDP" else f";transport={hop.transport.lower()}"
    onward = f"<sip:{format_host(host)}:{port}{transport};lr>"
    back = f"<{own_uri(source, '')};lr>"
    return [back] if onward == back else [onward, back]
