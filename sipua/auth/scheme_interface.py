"""What every way to carry AKA in SIP can do: the interface of the files in ``schemes/``.

Only type checkers read it: importing a Protocol takes longer than any scheme does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from sipua.auth.scheme import AkaChallenge, Answer, Credentials, Vectors
    from sipua.sip.headers import Challenge


class Scheme(Protocol):
    """One file of ``schemes/``. A module with these names in it is one."""

    NAME: str
    AUTH_SCHEME: str
    """First word of the header values, in lower case."""
    PREFERENCE: tuple[str, ...]
    """Algorithm tokens, the one to answer first standing first; "" where there are none."""
    DEFAULT_ALGORITHM: str
    """What a server asks for when nobody has named an algorithm."""
    VECTORS: Vectors

    # User agent

    def recognises(self, challenge: Challenge) -> bool:
        """Whether this challenge is of this scheme and of a known algorithm."""
        ...

    def read(self, challenge: Challenge, header: str) -> AkaChallenge:
        """Raises ChallengeError when the challenge is of this scheme but malformed."""
        ...

    def write_credentials(
        self, answer: Answer, method: str, uri: str, body: bytes = b""
    ) -> tuple[str, str]:
        """Name and value of the header field that answers a challenge."""
        ...

    def check_authentication_info(
        self, value: str, answer: Answer, uri: str, body: bytes = b""
    ) -> None:
        """Raises CredentialsError when the server's own proof is present and wrong."""
        ...

    # Server

    def make_challenge(
        self,
        realm: str,
        rand: bytes,
        autn: bytes,
        algorithm: str = "",
        *,
        qop_options: tuple[str, ...] = (),
        header: str = "WWW-Authenticate",
    ) -> AkaChallenge:
        """A challenge of ours; RAND and AUTN are 16 octets each.

        What the scheme has no place for is left out.
        """
        ...

    def write_challenge(self, challenge: AkaChallenge) -> str:
        """Header value with which a server asks."""
        ...

    def read_credentials(self, value: str) -> Credentials:
        """Raises CredentialsError when the header value cannot be read."""
        ...

    def waiting_key(self, said: AkaChallenge | Credentials, call_id: str) -> str:
        """What tells which of one user's challenges it is, the same for challenge and answer."""
        ...

    def verify(
        self,
        credentials: Credentials,
        challenge: AkaChallenge,
        expected: AkaResponse,
        *,
        username: str,
        method: str,
        uri: str,
        body: bytes = b"",
        nc: int = 1,
    ) -> None:
        """Raises CredentialsError, with the status to answer, for anything but ``expected``.

        An AUTS, which only the holder of K can check, is let through.
        """
        ...

    def write_authentication_info(
        self,
        credentials: Credentials,
        challenge: AkaChallenge,
        expected: AkaResponse,
        body: bytes = b"",
    ) -> str:
        """Value of Authentication-Info for verified credentials; "" proves nothing."""
        ...
