"""SIP messages: order, case, unknown headers and the octets received all survive.

``parse`` splits a message and no more; header values are looked into when
somebody asks, or by ``wellformed.check`` all at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipua.errors import LocalError, ParseError
from sipua.sip.fields import Headers, read_lines
from sipua.sip.grammar import DIGITS, is_token, parse_number, split
from sipua.sip.headers import CSeq, NameAddr, Via
from sipua.sip.limits import MAX_HEAD, MAX_HEADERS, MAX_LINE, MAX_SHORTFALL
from sipua.sip.names import KEYS
from sipua.sip.status import REASON_PHRASES

__all__ = ["Headers", "MalformedMessage", "Message", "Request", "Response", "parse"]

VERSION = "SIP/2.0"
MAX_LENGTH = 2**31 - 1  # what Content-Length may say before it is taken for nonsense


class MalformedMessage(ParseError):
    """Octets that are no SIP message.

    ``message`` is what could be read of it, for a reply to be built from, or
    None when not even the kind of message is known.
    """

    def __init__(
        self, text: str, status: int = 400, message: Request | Response | None = None
    ) -> None:
        super().__init__(text, status)
        self.message = message


class Message:
    """What requests and responses have in common.

    ``raw`` is the message as received, b"" for one built here.
    """

    __slots__ = ("body", "headers", "raw")

    def __init__(
        self,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        raw: bytes = b"",
    ) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self.raw = raw

    @property
    def start_line(self) -> str:
        """The first line, without its line end."""
        raise NotImplementedError

    @property
    def call_id(self) -> str:
        """The Call-ID; raises ParseError when there is none."""
        return self._required("Call-ID")

    @property
    def cseq(self) -> CSeq:
        """The CSeq; raises ParseError when missing or malformed."""
        return CSeq.parse(self._required("CSeq"))

    @property
    def from_(self) -> NameAddr:
        """The From; raises ParseError when missing or malformed."""
        return NameAddr.parse(self._required("From"))

    @property
    def to(self) -> NameAddr:
        """The To; raises ParseError when missing or malformed."""
        return NameAddr.parse(self._required("To"))

    @property
    def top_via(self) -> Via:
        """The first Via value; raises ParseError when missing or malformed."""
        value = self._required("Via")
        return Via.parse(split(value, ",")[0] if "," in value else value)

    def _required(self, name: str) -> str:
        value = self.headers.get(name)
        if not value:
            raise ParseError(f"the {name} header is missing")
        return value

    def to_bytes(self, via: str = "") -> bytes:
        """The message as it goes on the wire, with the Content-Length of its body.

        ``via`` is a Via to stand before all other headers. Raises LocalError for a
        header name that is none, and for a line end inside a header, which would
        make two of it.
        """
        try:
            lines = [self.start_line, f"Via: {via}"] if via else [self.start_line]
            lines += [
                f"{name}: {value}" for name, value in self.headers if KEYS[name] != "content-length"
            ]
            if _line_end_inside(lines):
                raise LocalError("a line end inside the start line or a header")
            head = "\r\n".join(lines)
            head = f"{head}\r\nContent-Length: {len(self.body)}\r\n\r\n"
            return head.encode("utf-8", "surrogateescape") + self.body
        except (ParseError, UnicodeEncodeError) as error:
            raise LocalError(f"this message cannot be written: {error}") from error

    def __repr__(self) -> str:
        # bodies and headers may hold what is nobody's business
        return f"<{type(self).__name__} {self.start_line}>"


class Request(Message):
    """A request; ``uri`` is the Request-URI as text, unchanged.

    ``to_tag`` is the tag our responses to it carry, "" until there is one.
    """

    __slots__ = ("method", "to_tag", "uri")

    def __init__(
        self,
        method: str,
        uri: str,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        raw: bytes = b"",
    ) -> None:
        super().__init__(headers, body, raw)
        self.method = method
        self.uri = uri
        self.to_tag = ""

    @property
    def start_line(self) -> str:
        """Request-Line (RFC 3261 §7.1)."""
        return f"{self.method} {self.uri} {VERSION}"


class Response(Message):
    """A response; an empty ``reason`` given here becomes the standard one."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str = "",
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        raw: bytes = b"",
    ) -> None:
        super().__init__(headers, body, raw)
        self.status = status
        self.reason = reason if reason or raw else REASON_PHRASES.get(status, "")

    @property
    def start_line(self) -> str:
        """Status-Line (RFC 3261 §7.2)."""
        return f"{VERSION} {self.status} {self.reason}"


def parse(data: bytes) -> Request | Response:
    """Read the message a datagram holds, or one that StreamFramer has cut out.

    The body ends where Content-Length says and octets after it are ignored;
    without one it is all the rest (RFC 3261 §18.3). Line ends are CRLF; a head
    written with LF alone is taken too, as there is only one way to read it,
    while one that mixes both is refused. The empty line after the last header
    may be missing when the datagram ends there.

    Raises MalformedMessage, whose status is the answer to a request: 400, 505
    for another version, 513 for a head beyond the limits.
    """
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
    head, body = data[:end], data[end + 4 :]
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    stray = _line_end_inside(lines)
    if end <= 0 or not lines[0] or stray:
        head, body = _split_odd_head(data)
        text = head.decode("utf-8", "surrogateescape")
        lines = text.split("\r\n")
        stray = _line_end_inside(lines)
    headers, problem = read_lines(lines)
    message = _read_start_line(lines[0], headers, data)
    if len(lines) > MAX_HEADERS or (len(head) > MAX_LINE and _too_large(head, lines[0], headers)):
        raise MalformedMessage("the head is larger than is accepted here", 513, message)
    if problem or stray:
        raise MalformedMessage(problem or "a CR or LF which ends no line", 400, message)
    message.body = _cut_body(body, message)
    return message


def _split_odd_head(data: bytes) -> tuple[bytes, bytes]:
    """Head with CRLF line ends and no empty line, and what follows the empty line."""
    data = data.lstrip(b"\r\n")  # RFC 3261 §7.5
    line_end = data.find(b"\n", 0, MAX_HEAD)
    bare = line_end > 0 and data[line_end - 1 : line_end] != b"\r"
    empty_line = b"\n\n" if bare else b"\r\n\r\n"
    end = data.find(empty_line, 0, MAX_HEAD)
    if end < 0:
        head, body = data[:MAX_HEAD].rstrip(b"\r\n"), b""
    else:
        head, body = data[:end], data[end + len(empty_line) :]
    if bare and b"\r" not in head:
        head = head.replace(b"\n", b"\r\n")
    return head, body


def _line_end_inside(lines: list[str]) -> bool:
    """Whether a CR or LF stands in one of the lines."""
    together = "".join(lines)
    return "\n" in together or "\r" in together


def _too_large(head: bytes, start_line: str, headers: Headers) -> bool:
    longest = max((len(value) for _, value in headers), default=0)
    return len(head) >= MAX_HEAD or longest > MAX_LINE or len(start_line) > MAX_LINE


def _read_start_line(line: str, headers: Headers, raw: bytes) -> Request | Response:
    """The message without its body; raises MalformedMessage with as much as is readable."""
    method, _, rest = line.partition(" ")
    if method[:4].upper() == "SIP/":
        code, _, reason = rest.partition(" ")
        if method.upper() != VERSION or len(code) != 3 or code.strip(DIGITS):
            raise MalformedMessage(f"not a status line: {line[:60]!r}")
        status = int(code)
        if not 100 <= status <= 699:
            raise MalformedMessage(f"no such status code: {code}")
        return Response(status, reason, headers, raw=raw)
    uri, _, version = rest.partition(" ")
    request = Request(method, uri, headers, raw=raw)
    if version != VERSION and version.upper() != VERSION:
        known = version[:4].upper() == "SIP/" and " " not in version
        raise MalformedMessage(
            f"not SIP/2.0: {line[:60]!r}",
            505 if known else 400,
            request if is_token(method) else None,
        )
    if not is_token(method) or not uri:
        raise MalformedMessage(f"not a request line: {line[:60]!r}")
    return request


def _cut_body(body: bytes, message: Request | Response) -> bytes:
    """The octets Content-Length speaks of; all of them without one."""
    lengths = message.headers.all("Content-Length")
    if not lengths:
        return body
    if len(lengths) > 1:
        raise MalformedMessage("more than one Content-Length", 400, message)
    try:
        length = parse_number(lengths[0], MAX_LENGTH, "Content-Length")
    except ParseError as error:
        raise MalformedMessage(str(error), 400, message) from error
    if length > len(body) and not _is_whole_sdp(body, length, message):
        raise MalformedMessage(
            f"Content-Length is {length}, but {len(body)} octets follow", 400, message
        )
    return body[:length]


def _is_whole_sdp(body: bytes, length: int, message: Request | Response) -> bool:
    """Whether only the counting went wrong: RFC 5118 §4.6 announces 268 octets of its 251.

    Datagrams arrive whole or not at all, so a session description that is a few
    octets short and ends with a whole line is all there is.
    """
    content_type = (message.headers.get("Content-Type") or "").partition(";")[0]
    return (
        length - len(body) <= MAX_SHORTFALL
        and body.endswith(b"\n")
        and content_type.strip().lower() == "application/sdp"
    )
