"""Session descriptions (RFC 4566): kept line by line, understood where asked.

``parse`` checks the shape of every line and the grammar of the few that calls
depend on. Lines of unknown types survive, in their place.
"""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.sip.grammar import is_token, parse_number

MAX_OCTETS = 64 * 1024
MAX_LINES = 2048
MAX_MEDIA = 32
MAX_FORMATS = 128

MAX_SESSION = 10**20 - 1  # of session id and version; RFC 3264 §5 wants 63 bits
DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
CONTENT_TYPE = "application/sdp"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Lines = list[tuple[str, str]]
"""Type letter and value of each line, in order."""


class Origin(NamedTuple):
    """``o=`` (§5.2). ``kind`` is IP4 or IP6."""

    user: str
    session: int
    version: int
    kind: str
    address: str

    @classmethod
    def parse(cls, value: str) -> Origin:
        """Read the value of ``o=``; raises ParseError."""
        words = value.split(" ")
        if len(words) != 6 or not all(words) or words[3] != "IN":
            raise ParseError(f"not an origin: {value[:60]!r}")
        return cls(
            words[0],
            parse_number(words[1], MAX_SESSION, "the session id"),
            parse_number(words[2], MAX_SESSION, "the session version"),
            words[4],
            words[5],
        )

    def __str__(self) -> str:
        return f"{self.user} {self.session} {self.version} IN {self.kind} {self.address}"


class RtpMap(NamedTuple):
    """``a=rtpmap`` without its payload type (§6)."""

    name: str
    rate: int
    channels: int = 1


# Payload types that need no rtpmap (RFC 3551 table 4), as far as phones know them
STATIC = {
    "0": RtpMap("PCMU", 8000),
    "3": RtpMap("GSM", 8000),
    "8": RtpMap("PCMA", 8000),
    "9": RtpMap("G722", 8000),
    "18": RtpMap("G729", 8000),
}


class Media:
    """One ``m=`` line (§5.14) and the lines below it.

    ``port`` is 0 for a stream that is refused or over. ``formats`` are the
    payload types as text.
    """

    __slots__ = ("formats", "kind", "lines", "port", "port_count", "protocol")

    def __init__(
        self,
        kind: str,
        port: int,
        protocol: str,
        formats: list[str],
        lines: Lines | None = None,
        port_count: int = 1,
    ) -> None:
        self.kind = kind
        self.port = port
        self.protocol = protocol
        self.formats = formats
        self.lines: Lines = lines if lines is not None else []
        self.port_count = port_count

    @classmethod
    def parse(cls, value: str) -> Media:
        """Read the value of ``m=``; raises ParseError."""
        kind, *words = value.split()
        if len(words) < 3 or not is_token(kind):
            raise ParseError(f"not a media line: {value[:60]!r}")
        ports, protocol, *formats = words
        port, slash, count = ports.partition("/")
        if len(formats) > MAX_FORMATS:
            raise ParseError(f"a stream of {len(formats)} formats")
        if not all(is_token(part) for part in protocol.split("/")):
            raise ParseError(f"not a transport protocol: {protocol[:40]!r}")
        return cls(
            kind,
            parse_number(port, 65535, "the media port"),
            protocol,
            formats,
            port_count=parse_number(count, 65535, "the number of ports") if slash else 1,
        )

    def attribute(self, name: str) -> str | None:
        """Value of the first attribute of this name, "" for one without, None for none."""
        return attribute(self.lines, name)

    def attributes(self, name: str) -> list[str]:
        """Values of all attributes of this name."""
        return attributes(self.lines, name)

    def rtpmaps(self) -> dict[str, RtpMap]:
        """What each payload type stands for, static ones included; raises ParseError."""
        known = {number: STATIC[number] for number in self.formats if number in STATIC}
        for value in self.attributes("rtpmap"):
            number, _, encoding = value.partition(" ")
            known[number] = _rtpmap(encoding)
        return known

    def fmtps(self) -> dict[str, str]:
        """The format parameters by payload type."""
        found: dict[str, str] = {}
        for value in self.attributes("fmtp"):
            number, _, parameters = value.partition(" ")
            found[number] = parameters.strip(" ")
        return found

    def __str__(self) -> str:
        ports = f"{self.port}/{self.port_count}" if self.port_count != 1 else str(self.port)
        return " ".join([self.kind, ports, self.protocol, *self.formats])


class SessionDescription:
    """A whole description: ``lines`` of the session from ``v=`` on, then its ``media``."""

    __slots__ = ("lines", "media")

    def __init__(self, lines: Lines, media: list[Media]) -> None:
        self.lines = lines
        self.media = media

    @property
    def origin(self) -> Origin:
        """Who made it, and which version it is."""
        return Origin.parse(_value(self.lines, "o") or "")

    def address(self, media: Media) -> str:
        """Where this stream is to be sent, its own ``c=`` before the session's; "" for none."""
        value = _value(media.lines, "c") or _value(self.lines, "c")
        return _address(value) if value else ""

    def direction(self, media: Media) -> str:
        """What the describing side does with the stream (RFC 3264 §5.1)."""
        for lines in (media.lines, self.lines):
            for letter, value in lines:
                if letter == "a" and value in DIRECTIONS:
                    return value
        return "sendrecv"

    def to_bytes(self) -> bytes:
        """The description with CRLF line ends; raises LocalError for one inside a value."""
        lines = list(self.lines)
        for media in self.media:
            lines += [("m", str(media)), *media.lines]
        text = "".join([f"{letter}={value}\r\n" for letter, value in lines])
        if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
            raise LocalError("a line end or NUL inside a session description's value")
        return text.encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return f"SessionDescription({[str(media) for media in self.media]})"


def parse(data: bytes) -> SessionDescription:
    """Read a description; line ends may be CRLF or LF, the last one may be missing.

    ``s=`` and ``t=`` may be missing, as nothing depends on them. Raises ParseError.
    """
    if len(data) > MAX_OCTETS:
        raise ParseError(f"a session description of {len(data)} octets")
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n")
    if "\r" in text or "\0" in text:
        raise ParseError("a CR or NUL inside a session description")
    rows = text.split("\n")
    if len(rows) > MAX_LINES:
        raise ParseError(f"a session description of {len(rows)} lines")
    session: Lines = []
    media: list[Media] = []
    lines = session
    for row in rows:
        letter, value = row[:1], row[2:]
        if row[1:2] != "=" or letter not in _LETTERS:
            raise ParseError(f"not a line of a session description: {row[:40]!r}")
        if letter == "m":
            if len(media) >= MAX_MEDIA:
                raise ParseError(f"more than {MAX_MEDIA} streams")
            media.append(Media.parse(value) if value.strip(" ") else _no_media())
            lines = media[-1].lines
            continue
        if letter == "c":
            _address(value)
        lines.append((letter, value))
    if session[:1] != [("v", "0")]:
        raise ParseError("a session description has to begin with v=0")
    description = SessionDescription(session, media)
    if len([letter for letter, _ in session if letter == "o"]) != 1:
        raise ParseError("a session description needs one o=")
    _ = description.origin
    return description


def attribute(lines: Lines, name: str) -> str | None:
    """Value of the first ``a=name:value``, "" for a mere ``a=name``, None for none."""
    found = attributes(lines, name)
    return found[0] if found else None


def attributes(lines: Lines, name: str) -> list[str]:
    """Values of all attributes of this name; names are case-sensitive (§9)."""
    return [
        value.partition(":")[2]
        for letter, value in lines
        if letter == "a" and value.partition(":")[0] == name
    ]


def _no_media() -> Media:
    raise ParseError("an empty media line")


def _value(lines: Lines, letter: str) -> str | None:
    for each, value in lines:
        if each == letter:
            return value
    return None


def _address(value: str) -> str:
    """The address of a ``c=`` (§5.7) without TTL and count."""
    words = value.split()
    if len(words) != 3 or words[0] != "IN":
        raise ParseError(f"not a connection: {value[:60]!r}")
    return words[2].partition("/")[0]


def _rtpmap(text: str) -> RtpMap:
    name, *numbers = text.strip(" ").split("/")
    if not is_token(name) or len(numbers) not in (1, 2):
        raise ParseError(f"not an rtpmap: {text[:60]!r}")
    rate = parse_number(numbers[0], 2**31, "the clock rate")
    channels = parse_number(numbers[1], 255, "the number of channels") if numbers[1:] else 1
    return RtpMap(name, rate, channels)
