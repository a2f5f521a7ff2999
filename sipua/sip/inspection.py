"""What a UAS checks before it acts on a request (RFC 3261 §8.2)."""

from __future__ import annotations

from sipua.errors import PeerError
from sipua.sip import wellformed
from sipua.sip.message import Request
from sipua.sip.methods import KNOWN_METHODS
from sipua.sip.uri import scheme_of

# Methods whose answer carries a body, so that Accept has to allow it
ANSWERED_WITH = {"INVITE": "application/sdp"}


class Abilities:
    """What a UAS can do. All names as they stand in headers, types in lower case."""

    __slots__ = ("content_types", "extensions", "methods")

    def __init__(
        self,
        methods: frozenset[str],
        extensions: frozenset[str] = frozenset(),
        content_types: frozenset[str] = frozenset(),
    ) -> None:
        self.methods = methods
        self.extensions = extensions
        self.content_types = content_types


class Refused(PeerError):
    """A well-formed request this UAS does not take; ``headers`` go into the answer."""

    def __init__(self, message: str, status: int, *headers: tuple[str, str]) -> None:
        super().__init__(message, status)
        self.headers = list(headers)


def inspect(request: Request, abilities: Abilities) -> None:
    """Return for a request to be carried out; raise what is to be answered otherwise.

    Raises ParseError (400) for one that is malformed and Refused for the others:
    405, 501, 416, 400, 420, 415, 406. In the order of RFC 3261 §8.2. An ACK is not
    to be answered whatever is raised.
    """
    wellformed.check(request)
    _check_method(request, abilities)
    _check_addresses(request)
    _check_require(request, abilities)
    _check_content(request, abilities)
    _check_accept(request)


def _check_method(request: Request, abilities: Abilities) -> None:
    """§8.2.1."""
    method = request.method
    if method in abilities.methods:
        return
    allow = ("Allow", ", ".join(sorted(abilities.methods)))
    if method in KNOWN_METHODS:
        raise Refused(f"{method} is not allowed here", 405, allow)
    raise Refused(f"{method} is not a known method", 501, allow)


def _check_addresses(request: Request) -> None:
    """§8.2.2.1, and §10.3 for a registrar."""
    scheme = scheme_of(request.uri)
    if scheme not in ("sip", "sips"):
        raise Refused(f"URIs of scheme {scheme} are not served", 416)
    if request.method == "REGISTER" and request.to.scheme not in ("sip", "sips"):
        raise Refused("the address of record is not a SIP URI", 400)


def _check_require(request: Request, abilities: Abilities) -> None:
    """§8.2.2.3; ACK and CANCEL are exempt."""
    if request.method in ("ACK", "CANCEL"):
        return
    unknown = [
        extension
        for extension in request.headers.values("Require")
        if extension.lower() not in abilities.extensions
    ]
    if unknown:
        listed = ", ".join(unknown)
        raise Refused(f"extensions not supported: {listed}", 420, ("Unsupported", listed))


def _check_content(request: Request, abilities: Abilities) -> None:
    """§8.2.3."""
    headers = request.headers
    if not request.body or _is_optional(headers.get("Content-Disposition")):
        return
    content_type = headers.get("Content-Type")
    if content_type is None:
        raise Refused("a body without Content-Type", 400)
    encodings = [each for each in headers.values("Content-Encoding") if each != "identity"]
    if encodings:
        raise Refused(
            f"content encoded as {encodings[0][:40]}", 415, ("Accept-Encoding", "identity")
        )
    media_type = content_type.partition(";")[0].replace(" ", "").lower()
    if media_type not in abilities.content_types:
        accept = ("Accept", ", ".join(sorted(abilities.content_types)))
        raise Refused(f"content of type {media_type[:60]}", 415, accept)


def _is_optional(disposition: str | None) -> bool:
    return bool(disposition) and "handling=optional" in (disposition or "").replace(" ", "").lower()


def _check_accept(request: Request) -> None:
    """§21.4.7: the answer has to be of a type the peer accepts."""
    needed = ANSWERED_WITH.get(request.method)
    if needed is None or "Accept" not in request.headers:
        return
    kind = needed.partition("/")[0]
    accepted = {
        value.partition(";")[0].replace(" ", "").lower()
        for value in request.headers.values("Accept")
    }
    if not accepted & {needed, f"{kind}/*", "*/*"}:
        raise Refused(f"the answer would be of type {needed}", 406)
