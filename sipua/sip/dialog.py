"""Dialogs: what two user agents share between the requests of one call (RFC 3261 §12).

A dialog writes the requests inside it and judges those of the peer. It knows
nothing of transactions and nothing of what the requests are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError, PeerError
from sipua.sip.headers import MAX_CSEQ, NameAddr
from sipua.sip.message import Request, Response
from sipua.sip.uri import SipUri, scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.sip.message import Message

# Methods whose Contact moves the remote target, in requests and in their 2xx
TARGET_REFRESH = {
    "INVITE": "RFC 3261 §12.2",
    "UPDATE": "RFC 3311 §5.1",
    "SUBSCRIBE": "RFC 6665 §4.4.1",
    "NOTIFY": "RFC 6665 §4.4.1",
    "REFER": "RFC 3515 §2.2",
}
UNCOUNTED = frozenset({"ACK", "CANCEL"})
"""Methods that repeat the CSeq number of their INVITE (RFC 3261 §12.2.1.1)."""

MAX_ROUTES = 32  # of a route set; a way that long is a loop


class NoDialog(PeerError):
    """A request for a dialog that does not exist: 481 (RFC 3261 §12.2.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 481)


class OutOfOrder(PeerError):
    """A request with a CSeq below that of an earlier one: 500 (RFC 3261 §12.2.2)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 500)


class Dialog:
    """One dialog, early until ``confirmed``.

    ``local`` and ``remote`` are From and To as our requests carry them, tags
    included; ``target`` is where they go, by way of ``routes``. The CSeq numbers
    are the last ones used, ``remote_cseq`` None before the peer's first.
    """

    __slots__ = (
        "call_id",
        "confirmed",
        "local",
        "local_cseq",
        "local_tag",
        "remote",
        "remote_cseq",
        "remote_tag",
        "routes",
        "target",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: str,
        remote: str,
        target: str,
        routes: tuple[str, ...],
        local_cseq: int,
        remote_cseq: int | None,
        confirmed: bool,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.local_tag = tag_of(local)
        self.remote = remote
        self.remote_tag = tag_of(remote)
        self.target = target
        self.routes = routes
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.confirmed = confirmed

    @classmethod
    def of_caller(cls, request: Request, response: Response) -> Dialog:
        """The dialog a response to our request makes (§12.1.2).

        A Contact that cannot be used leaves the target where the request went.
        """
        try:
            target = contact_of(response)
        except ParseError:
            target = request.uri
        return cls(
            call_id=request.call_id,
            local=request.headers.get("From") or "",
            remote=response.headers.get("To") or "",
            target=target,
            routes=recorded(response)[::-1],
            local_cseq=request.cseq.number,
            remote_cseq=None,
            confirmed=response.status >= 200,
        )

    @classmethod
    def of_called(cls, request: Request, local_tag: str) -> Dialog:
        """The dialog that our response with this To tag makes (§12.1.1).

        Raises ParseError (400) when the request cannot begin one.
        """
        to = request.to
        to.params.set("tag", local_tag)
        return cls(
            call_id=request.call_id,
            local=str(to),
            remote=request.headers.get("From") or "",
            target=contact_of(request),
            routes=recorded(request),
            local_cseq=0,
            remote_cseq=request.cseq.number,
            confirmed=False,
        )

    # Our requests

    def request(
        self, method: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Request:
        """The next request of ours (§12.2.1.1); Via is left to the transaction layer."""
        if self.local_cseq >= MAX_CSEQ:
            raise LocalError("this dialog has used up its CSeq numbers")
        self.local_cseq += 1
        return self._write(method, self.local_cseq, headers, body)

    def ack(
        self, number: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Request:
        """The ACK for a 2xx to our INVITE with this CSeq number (§13.2.2.4)."""
        return self._write("ACK", number, headers, body)

    def _write(
        self, method: str, number: int, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Request:
        uri, routes = self._way()
        lines = [
            ("Max-Forwards", "70"),
            *[("Route", route) for route in routes],
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            *headers,
        ]
        return Request(method, uri, lines, body)

    def _way(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route values; a strict router is written to as it wants."""
        if not self.routes:
            return self.target, ()
        first = NameAddr.parse(self.routes[0]).sip_uri()
        if first.parameter("lr") is not None:
            return self.target, self.routes
        first.headers = ""
        first.parameters = [item for item in first.parameters if item[0].lower() != "method"]
        return str(first), (*self.routes[1:], f"<{self.target}>")

    # The peer's messages

    def owns(self, request: Request) -> bool:
        """Whether a request of the peer's carries this dialog's Call-ID and tags."""
        return (
            request.headers.get("Call-ID") == self.call_id
            and tag_of(request.headers.get("To") or "") == self.local_tag
            and tag_of(request.headers.get("From") or "") == self.remote_tag
        )

    def check(self, request: Request) -> None:
        """Take note of a new request of the peer's (§12.2.2).

        Raises NoDialog, OutOfOrder, or ParseError for a Contact that cannot be used.
        """
        if not self.owns(request):
            raise NoDialog("the request belongs to no dialog here")
        if request.method in UNCOUNTED:
            return
        number = request.cseq.number
        if self.remote_cseq is not None and number < self.remote_cseq:
            raise OutOfOrder(f"CSeq {number} came after {self.remote_cseq}")
        if request.method in TARGET_REFRESH and "Contact" in request.headers:
            self.target = contact_of(request)
        self.remote_cseq = number

    def answered(self, response: Response, method: str) -> None:
        """Take note of a 2xx to a request of ours inside the dialog (§12.2.1.2)."""
        if method in TARGET_REFRESH and 200 <= response.status < 300:
            try:
                self.target = contact_of(response)
            except ParseError:
                return  # where the target was, it can still be reached

    def confirm(self, response: Response) -> None:
        """The 2xx to the INVITE that made the dialog, which has the last word on the
        route set (§13.2.2.4)."""
        self.confirmed = True
        self.routes = recorded(response)[::-1]
        self.answered(response, "INVITE")

    def __repr__(self) -> str:
        state = "confirmed" if self.confirmed else "early"
        return f"<Dialog {self.call_id} {self.local_tag} {self.remote_tag} {state}>"


def tag_of(value: str) -> str:
    """The tag of a From or To value, "" for one of an RFC 2543 peer or one unreadable."""
    try:
        return NameAddr.parse(value).tag or ""
    except ParseError:
        return ""


def contact_of(message: Message) -> str:
    """The one SIP URI of the Contact (§8.1.1.8, §12.1.1); raises ParseError."""
    contacts = message.headers.values("Contact")
    if len(contacts) != 1:
        raise ParseError(f"{len(contacts)} Contacts where there has to be one")
    uri = NameAddr.parse(contacts[0]).uri
    SipUri.parse(uri)
    return uri


def own_contact(contact: str, uri: str, routes: tuple[str, ...]) -> str:
    """Our Contact URI for a message with this Request-URI and these Route or Record-Route
    values: SIPS where the topmost Route, or without one the URI is (§8.1.1.8, §12.1.1)."""
    way = [NameAddr.parse(routes[0]).scheme] if routes else []
    if "sips" in (*way, scheme_of(uri)) and scheme_of(contact) == "sip":
        return "sips" + contact[3:]
    return contact


class Forks:
    """The dialogs of one INVITE of ours, one for each To tag that answered (§12.1.2)."""

    __slots__ = ("dialogs", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.dialogs: dict[str, Dialog] = {}

    def dialog(self, response: Response) -> Dialog | None:
        """The dialog this response belongs to, made or confirmed by it as its status says.

        None for a 100, a 1xx without a To tag, and failures, which make none.
        """
        tag = tag_of(response.headers.get("To") or "")
        if response.status == 100 or response.status >= 300:
            return None
        if response.status < 200 and not tag:
            return None
        dialog = self.dialogs.get(tag)
        if dialog is None:
            dialog = self.dialogs[tag] = Dialog.of_caller(self.request, response)
        elif response.status >= 200 and not dialog.confirmed:
            dialog.confirm(response)
        return dialog


def recorded(message: Message) -> tuple[str, ...]:
    """Record-Route values as they stand; raises ParseError for what is none."""
    values = tuple(message.headers.values("Record-Route"))
    if len(values) > MAX_ROUTES:
        raise ParseError(f"a route set of {len(values)}")
    for value in values:
        NameAddr.parse(value).sip_uri()
    return values
