"""Failures of the SIP wing. Ours and the peer's are different classes."""

from __future__ import annotations


class SipuaError(Exception):
    """Any failure this wing raises on purpose."""


class LocalError(SipuaError):
    """The caller asked for something that cannot be sent or done."""


class EngineError(LocalError):
    """IPsec cannot be set up, or taken down, on this machine."""


class PeerError(SipuaError):
    """The peer sent something that cannot be used.

    ``status`` is what a server answers to a request with this fault (RFC 3261
    §21), ``reason`` its reason phrase or empty for the standard one.
    """

    def __init__(self, message: str, status: int = 400, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ParseError(PeerError):
    """Bytes that are not the SIP message, header or URI they should be."""


class ChallengeError(PeerError):
    """A WWW-Authenticate or Proxy-Authenticate that cannot be answered as it stands."""


class CredentialsError(PeerError):
    """An Authorization or Proxy-Authorization that cannot be read or is refused."""


class NetworkError(SipuaError):
    """The network refused, lost or distrusted what we tried to reach.

    ``cause`` is a word that ``sipua.agent.failure_advice`` knows, "" where no
    single one is known.
    """

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class Unreachable(NetworkError):
    """No route, connection refused, connection lost."""


class DnsFailure(NetworkError):
    """A name has no usable address."""


class TlsFailure(NetworkError):
    """The peer's certificate or handshake was not acceptable."""
