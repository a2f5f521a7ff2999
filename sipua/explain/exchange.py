"""One request and what was answered to it: the facts kept of them, not the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.scheme import CREDENTIALS_HEADERS
from sipua.auth.selection import Offer, offered
from sipua.errors import ParseError
from sipua.explain.credentials import INITIAL, kind_of, read_told
from sipua.sip.headers import NameAddr, split_auth_params, split_challenges
from sipua.sip.limits import MAX_LINE

if TYPE_CHECKING:
    from sipua.explain.case import Told
    from sipua.explain.heard import Heard
    from sipua.sip.message import Request, Response

MAX_CREDENTIALS = 8
MAX_ADDRESSES = 16
"""Credentials, and URIs, that are kept of one request."""

TELLING = (
    *("Warning", "Reason", "Unsupported", "Require", "Retry-After", "Min-Expires"),
    *("Security-Server", "P-Asserted-Service", "Error-Info"),
)
"""Header fields of a refusal that may say why."""

NOT_OF_THEIR_OWN = ("ACK", "CANCEL")
"""Requests that repeat the credentials of their INVITE (RFC 3261 §22.1)."""

_NAMING = ("To", "From", "Contact", "P-Preferred-Identity", "Route")


class Exchange:
    """A request and its final response. ``status`` is 0 while there is none.

    ``told`` holds its credentials, ``asked`` the challenges of the response.
    ``copies`` counts how often the request was seen, ``initial_algorithm`` is
    the algorithm that credentials without an answer asked for. ``is_ringing``:
    a provisional response came. ``secured``: the challenge came with the
    server's half of a security agreement, so that its answer goes through IPsec.
    ``next_nonce`` is what the server gave for the requests to come.
    """

    __slots__ = (
        "answered_at",
        "asked",
        "at",
        "body",
        "copies",
        "cseq",
        "destination",
        "hosts",
        "initial_algorithm",
        "is_ringing",
        "keys_shown",
        "method",
        "names",
        "next_nonce",
        "reason",
        "request_known",
        "secured",
        "source",
        "status",
        "telling",
        "told",
        "transport",
        "uri",
        "uris",
    )

    def __init__(self, method: str, cseq: int, heard: Heard) -> None:
        self.method = method
        self.cseq = cseq
        self.at = heard.at
        self.source = heard.source
        self.destination = heard.destination
        self.transport = heard.transport
        self.uri = ""
        self.body = b""
        self.copies = 0
        self.names: tuple[str, ...] = ()
        self.uris: tuple[str, ...] = ()
        self.hosts: tuple[str, ...] = ()
        self.told: list[Told] = []
        self.initial_algorithm: str | None = None
        self.request_known = False
        self.status = 0
        self.reason = ""
        self.answered_at = -1.0
        self.asked: list[Offer] = []
        self.keys_shown = False
        self.secured = False
        self.next_nonce = ""
        self.is_ringing = False
        self.telling: list[tuple[str, str]] = []

    def take_request(self, request: Request, destination: str) -> None:
        """Keep what matters of the request; one seen again, on its next hop perhaps, is counted."""
        self.copies += 1
        if self.copies > 1:
            return
        self.request_known = bool(request.method)  # pasted credentials come without
        self.uri = request.uri
        self.uris = _uris(request)
        self.names = tuple(uri for uri in self.uris if "@" in uri or uri.startswith("tel:"))
        self.hosts = tuple(filter(None, (destination, destination.rpartition(":")[0])))
        if request.method not in NOT_OF_THEIR_OWN:
            self.take_credentials(request)
        if self.told:
            self.body = request.body

    def take_credentials(self, request: Request) -> None:
        """The credentials in a request, those of a first REGISTER apart."""
        for header in CREDENTIALS_HEADERS.values():
            for value in request.headers.all(header)[:MAX_CREDENTIALS]:
                told = read_told(header, value)
                if kind_of(told) == INITIAL:
                    self.initial_algorithm = told.get("algorithm")
                else:
                    self.told.append(told)

    def take_response(self, response: Response, at: float) -> None:
        """Keep what matters of a final response; the first one counts."""
        if response.status < 200:
            self.is_ringing = True
            return
        if self.status:
            return
        self.status = response.status
        self.reason = response.reason
        self.answered_at = at
        if response.status in (401, 407):
            self.asked = offered(response)
            self.secured = "Security-Server" in response.headers
            self.keys_shown = any(
                _shows_keys(value)
                for name in CREDENTIALS_HEADERS
                for value in response.headers.all(name)
            )
        elif response.status < 300:
            self.next_nonce = _next_nonce(response)
        else:
            self.telling = [
                (name, value[:MAX_LINE])
                for name in TELLING
                for value in response.headers.all(name)[:4]
            ]


def _shows_keys(value: str) -> bool:
    """Whether a challenge holds ck or ik, as it does on its way from S-CSCF to P-CSCF."""
    if "ck=" not in value.lower() and "ik=" not in value.lower():
        return False
    try:
        challenges = split_challenges(value)
    except ParseError:
        return False
    return any("ck" in challenge or "ik" in challenge for challenge in challenges)


def _next_nonce(response: Response) -> str:
    """nextnonce of Authentication-Info (RFC 7616 §3.5), "" where there is none."""
    value = response.headers.get("Authentication-Info")
    try:
        return (split_auth_params(value).get("nextnonce") or "") if value else ""
    except ParseError:
        return ""


def _uris(request: Request) -> tuple[str, ...]:
    found: list[str] = []
    for header in _NAMING:
        for value in request.headers.all(header)[:MAX_ADDRESSES]:
            try:
                found.append(NameAddr.parse(value).uri)
            except ParseError:
                continue
    return tuple(dict.fromkeys(found[:MAX_ADDRESSES]))
