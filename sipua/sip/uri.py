"""SIP and SIPS URIs (RFC 3261 §19.1, §25.1)."""

from __future__ import annotations

from sipua.errors import ParseError
from sipua.sip.grammar import (
    ALPHANUM,
    HEX_DIGITS,
    format_host,
    is_token,
    made_of,
    parse_host_port,
)

_UNRESERVED = ALPHANUM + "-_.!~*'()"
_USER = _UNRESERVED + "%&=+$,;?/"
_PASSWORD = _UNRESERVED + "%&=+$,"
_PARAMETER = _UNRESERVED + "%[]/:&+$"
_HEADER = _UNRESERVED + "%[]/?:+$="
_SCHEME = ALPHANUM + "+-."


class SipUri:
    """A SIP or SIPS URI in its parts, escapes (``%41``) left as received.

    ``host`` is without brackets, ``parameters`` a list of (name, value or
    None), ``headers`` the text after "?".
    """

    __slots__ = ("headers", "host", "parameters", "password", "port", "scheme", "user")

    def __init__(
        self,
        scheme: str,
        host: str,
        *,
        user: str | None = None,
        password: str | None = None,
        port: int | None = None,
        parameters: list[tuple[str, str | None]] | None = None,
        headers: str = "",
    ) -> None:
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.parameters = parameters if parameters is not None else []
        self.headers = headers

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read one URI; raises ParseError 400, or 416 for another scheme."""
        scheme, _, rest = text.partition(":")
        scheme = scheme.lower()
        if scheme not in ("sip", "sips"):
            check_absolute(text)
            raise ParseError(f"{scheme!r} is not a SIP URI scheme", 416)
        user = password = None
        user_info, at, host_part = rest.rpartition("@")
        if at:
            user, password = _split_user(user_info)
        host_part, question, headers = host_part.partition("?")
        host_port, *parameters = host_part.split(";")
        host, port = parse_host_port(host_port)
        uri = cls(scheme, host, user=user, password=password, port=port, headers=headers)
        if host_port != host_port.strip():
            raise ParseError(f"white space in a URI: {text[:60]!r}")
        if parameters:
            uri.parameters = [_parameter(part) for part in parameters]
        if question:
            _check(headers, _HEADER + "&", "URI header")
        return uri

    def parameter(self, name: str) -> str | None:
        """The unescaped value, "" for one without "=", None when absent."""
        name = name.lower()
        for known, value in self.parameters:
            if unescape(known).lower() == name:
                return unescape(value or "")
        return None

    @property
    def user_text(self) -> str:
        """The user part with escapes decoded; empty when there is none."""
        return unescape(self.user or "")

    def __str__(self) -> str:
        text = self.scheme + ":"
        if self.user is not None:
            text += self.user
            if self.password is not None:
                text += ":" + self.password
            text += "@"
        text += format_host(self.host)
        if self.port is not None:
            text += f":{self.port}"
        for name, value in self.parameters:
            text += f";{name}" if value is None else f";{name}={value}"
        return f"{text}?{self.headers}" if self.headers else text

    def __repr__(self) -> str:
        return f"SipUri({str(self)!r})"


def unescape(text: str) -> str:
    """``%41`` becomes ``A``; the octets are read as UTF-8."""
    if "%" not in text:
        return text
    first, *rest = text.encode("utf-8", "surrogateescape").split(b"%")
    octets = [first]
    for part in rest:
        digits = part[:2].decode("latin-1")
        if len(digits) == 2 and made_of(digits, HEX_DIGITS):
            octets.append(bytes((int(digits, 16),)) + part[2:])
        else:
            octets.append(b"%" + part)
    return b"".join(octets).decode("utf-8", "surrogateescape")


def scheme_of(text: str) -> str:
    """The URI's scheme in lower case; raises ParseError when there is none."""
    scheme, colon, _ = text.partition(":")
    if not colon or not made_of(scheme, _SCHEME) or not scheme[0].isalpha():
        raise ParseError(f"not a URI: {text[:60]!r}")
    return scheme.lower()


def check_absolute(text: str) -> None:
    """Refuse what is no URI of any scheme: no scheme, nothing after it, white space."""
    scheme = scheme_of(text)
    if len(text) == len(scheme) + 1:
        raise ParseError(f"nothing after the scheme of {text[:60]!r}")
    if not text.isprintable() or any(character in text for character in ' <>"'):
        raise ParseError(f"a character which is not allowed in a URI: {text[:60]!r}")


def check_uri(text: str) -> None:
    """Refuse a malformed URI; schemes other than SIP are looked at only in outline."""
    if text[:4].lower() == "sip:" or text[:5].lower() == "sips:":
        SipUri.parse(text)
    else:
        check_absolute(text)


def _split_user(text: str) -> tuple[str, str | None]:
    user, colon, password = text.partition(":")
    _check(user, _USER, "user part")
    if colon and password:
        _check(password, _PASSWORD, "password")
    return user, password if colon else None


def _parameter(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not is_token(name):
        _check(name, _PARAMETER, "URI parameter")
    if not equals:
        return name, None
    if not is_token(value):
        _check(value, _PARAMETER, "URI parameter")
    return name, value


def _check(text: str, alphabet: str, what: str) -> None:
    if not made_of(text, alphabet):
        raise ParseError(f"not a {what}: {text[:60]!r}")
    if "%" in text:
        for part in text.split("%")[1:]:
            if not made_of(part[:2], HEX_DIGITS) or len(part) < 2:
                raise ParseError(f"a broken escape in a {what}: {text[:60]!r}")
