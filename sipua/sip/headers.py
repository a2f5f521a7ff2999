"""Header values as types: Via, addresses, CSeq, challenges and credentials."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.grammar import (
    TOKEN,
    WHITE_SPACE,
    end_of_quoted,
    format_host,
    is_token,
    parse_host_port,
    parse_number,
    quote,
    split,
    unquote,
)
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri, check_uri, scheme_of

MAX_CSEQ = 2**31 - 1  # RFC 3261 §8.1.1.5
MAX_DELTA = 2**32 - 1  # seconds; RFC 3261 §20.19
MAGIC_COOKIE = "z9hG4bK"  # RFC 3261 §8.1.1.7


class Via:
    """One hop of the way a request has taken (RFC 3261 §20.42).

    ``host`` is without brackets; ``port`` None when it was not written.
    """

    __slots__ = ("host", "params", "port", "transport", "version")

    def __init__(
        self,
        transport: str,
        host: str,
        port: int | None = None,
        params: Parameters | None = None,
        version: str = "2.0",
    ) -> None:
        self.version = version
        self.transport = transport
        self.host = host
        self.port = port
        self.params = params if params is not None else Parameters()

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value; raises ParseError."""
        protocol, semicolon, params = text.partition(";")
        pieces = protocol.split("/")
        if len(pieces) != 3 or pieces[0].strip(" \t").upper() != "SIP":
            raise ParseError(f"not a Via: {text[:60]!r}")
        transport, _, sent_by = pieces[2].strip(" \t").replace("\t", " ").partition(" ")
        if not is_token(transport):
            raise ParseError(f"not a Via transport: {text[:60]!r}")
        host, port = parse_host_port(sent_by.strip(" "))
        return cls(
            transport,
            host,
            port,
            Parameters.parse(params) if semicolon else None,
            pieces[1].strip(" \t"),
        )

    @property
    def branch(self) -> str:
        """The branch, "" when there is none."""
        return self.params.get("branch") or ""

    @property
    def received(self) -> str | None:
        """The address the request came from, without brackets (RFC 5118 §4.5)."""
        received = self.params.get("received")
        return received.strip("[]") if received else None

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host in lower case and port, the transport's default where none is written."""
        return self.host.lower(), self.port or default_port(self.transport)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/{self.version}/{self.transport} {format_host(self.host)}{port}{self.params}"

    def __repr__(self) -> str:
        return f"Via({str(self)!r})"


class NameAddr:
    """A display name, a URI as text, and header parameters: From, To, Contact, Route …"""

    __slots__ = ("display_name", "params", "uri")

    def __init__(self, uri: str, display_name: str = "", params: Parameters | None = None) -> None:
        self.uri = uri
        self.display_name = display_name
        self.params = params if params is not None else Parameters()

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read a ``name-addr`` or ``addr-spec`` with parameters; raises ParseError.

        Without angle brackets the parameters belong to the header, and "," and
        "?" may not stand in the URI (RFC 3261 §20.10).
        """
        text = text.strip(" \t")
        if text.startswith('"'):
            end = end_of_quoted(text, 0)
            name, rest = unquote(text[:end]), text[end:].lstrip(" \t")
            if not rest.startswith("<"):
                raise ParseError(f"no <URI> after a quoted name: {text[:60]!r}")
            rest = rest[1:]
        else:
            name, bracket, rest = text.partition("<")
            if not bracket:
                return cls._parse_addr_spec(text)
            name = name.rstrip(" \t")
            if name and name.isascii() and name.strip(TOKEN + " \t"):
                raise ParseError(f"a name with special characters needs quotes: {text[:60]!r}")
        uri, bracket, rest = rest.partition(">")
        if not bracket:
            raise ParseError(f"no closing > in {text[:60]!r}")
        check_uri(uri)
        rest = rest.lstrip(" \t")
        if rest and rest[0] != ";":
            raise ParseError(f"text after <URI>: {text[:60]!r}")
        return cls(uri, name, Parameters.parse(rest[1:]) if rest else None)

    @classmethod
    def _parse_addr_spec(cls, text: str) -> NameAddr:
        uri, semicolon, params = text.partition(";")
        uri = uri.rstrip(" \t")
        if "?" in uri or "," in uri:
            raise ParseError(f"this URI must be enclosed in <>: {text[:60]!r}")
        check_uri(uri)
        return cls(uri, "", Parameters.parse(params) if semicolon else None)

    @property
    def tag(self) -> str | None:
        """The tag parameter of a From or To."""
        return self.params.get("tag")

    @property
    def scheme(self) -> str:
        """Scheme of the URI in lower case."""
        return scheme_of(self.uri)

    def sip_uri(self) -> SipUri:
        """The URI in its parts; raises ParseError when it is not a SIP URI."""
        return SipUri.parse(self.uri)

    def __str__(self) -> str:
        name = f"{quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{self.params}"

    def __repr__(self) -> str:
        return f"NameAddr({str(self)!r})"


class CSeq:
    """Sequence number and method (RFC 3261 §20.16)."""

    __slots__ = ("method", "number")

    def __init__(self, number: int, method: str) -> None:
        self.number = number
        self.method = method

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read a CSeq value; raises ParseError, also when the number is too large."""
        pieces = text.split()
        if len(pieces) != 2 or not is_token(pieces[1]):
            raise ParseError(f"not a CSeq: {text[:60]!r}")
        return cls(parse_number(pieces[0], MAX_CSEQ, "the CSeq number"), pieces[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"

    def __repr__(self) -> str:
        return f"CSeq({self.number}, {self.method!r})"


class Challenge:
    """A scheme with parameters: one challenge, or the credentials for one.

    ``params`` are the values without quotes by name in lower case, in their
    order; of two with one name the first counts.
    """

    __slots__ = ("params", "scheme")

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.params: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """Value of the parameter of this name, whatever its case."""
        return self.params.get(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.params

    def __repr__(self) -> str:
        # the values may hold keys (ck, ik), so only the names are shown
        return f"Challenge({self.scheme!r}, {list(self.params)})"

    def read(self, name: str, text: str) -> None:
        """Take a parameter as it stands in the header; raises ParseError."""
        if not is_token(name):
            raise ParseError(f"not a parameter name: {name[:20]!r}")
        if text[:1] == '"':
            if "\\" not in text and text.find('"', 1) == len(text) - 1:
                text = text[1:-1]
            elif end_of_quoted(text, 0) == len(text):
                text = unquote(text)
            else:
                raise ParseError(f"text after the quoted value of {name}")
        self.params.setdefault(name.lower(), text)


def split_challenges(value: str) -> list[Challenge]:
    """The challenges of one WWW-Authenticate or Authorization value (RFC 7235 §4.1).

    A new one begins where two words stand before "=", or one word alone.
    Raises ParseError.
    """
    found: list[Challenge] = []
    for part in split(value, ",", brackets=False):
        name, equals, text = part.partition("=")
        name = name.rstrip(WHITE_SPACE)
        if not equals or " " in name or "\t" in name:
            if not part:
                continue
            words = name.split()
            if len(words) not in (1, 2) or not is_token(words[0]):
                raise ParseError(f"not a challenge: {part[:20]!r}")
            found.append(Challenge(words[0]))
            if not equals:
                found[-1].params.update(dict.fromkeys(words[1:], ""))  # token68 without padding
                continue
            name = words[-1]
        elif not found:
            raise ParseError(f"not a challenge: {part[:20]!r}")
        found[-1].read(name, text.lstrip(WHITE_SPACE))
    if not found:
        raise ParseError("an empty challenge")
    return found


def split_auth_params(value: str) -> Challenge:
    """The parameters of an Authentication-Info, whose ``scheme`` is "" (RFC 7615)."""
    info = Challenge("")
    for part in split(value, ",", brackets=False):
        name, equals, text = part.partition("=")
        if part and not equals:
            raise ParseError(f"not a parameter: {part[:20]!r}")
        if part:
            info.read(name.rstrip(WHITE_SPACE), text.lstrip(WHITE_SPACE))
    return info


def parse_delta_seconds(text: str) -> int:
    """Expires, Min-Expires, ``expires=``: seconds (RFC 3261 §20.19)."""
    return parse_number(text, MAX_DELTA, "the number of seconds")


def default_port(transport: str) -> int:
    """5061 for TLS, 5060 for all others (RFC 3261 §18.2.2, §19.1.2)."""
    return 5061 if transport.upper() == "TLS" else 5060
