"""The seam between SIP and any way to carry AKA in it: its values and its interface.

A scheme is one file in ``schemes/`` with both sides in it. What it reads and
writes is told here, so that whoever answers a challenge need not know how it
travelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure

if TYPE_CHECKING:
    from sipua.sip.headers import Challenge

Outcome = AkaResponse | SynchronisationFailure | MacFailure
"""What the card said to RAND and AUTN."""

CHALLENGE_HEADERS = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}
CREDENTIALS_HEADERS = {
    "WWW-Authenticate": "Authorization",
    "Proxy-Authenticate": "Proxy-Authorization",
}


class AkaChallenge(NamedTuple):
    """One challenge that carries RAND and AUTN, whatever the scheme.

    ``scheme`` is its name in ``schemes/``, ``algorithm`` the canonical token,
    ``nonce`` the text as received, ``qop_options`` what the server offers,
    ``header`` the field it came in.
    """

    scheme: str
    algorithm: str
    rand: bytes
    autn: bytes
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    qop_options: tuple[str, ...] = ()
    stale: bool = False
    header: str = "WWW-Authenticate"

    @property
    def qop(self) -> str:
        """The protection that is answered with: auth before auth-int, empty for none."""
        options = self.qop_options
        if "auth" in options:
            return "auth"
        return "auth-int" if "auth-int" in options else ""


class Answer(NamedTuple):
    """What a user agent says to one challenge.

    ``nc`` counts the requests that use this nonce, from 1; ``cnonce`` stays the
    same for all of them. ``plain_res`` answers AKAv2 with RES itself as the
    password, as some servers expect under that name.
    """

    challenge: AkaChallenge
    outcome: Outcome
    username: str
    cnonce: str
    nc: int = 1
    plain_res: bool = False

    @property
    def is_reusable(self) -> bool:
        """Whether a later request may carry it too: RES was sent, and qop counts the uses."""
        return isinstance(self.outcome, AkaResponse) and bool(self.challenge.qop)


class Credentials(NamedTuple):
    """What a server read from Authorization or Proxy-Authorization.

    ``nc`` is 0 when it was not sent; ``auts`` is 14 octets or empty.
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = ""
    cnonce: str = ""
    opaque: str | None = None
    qop: str = ""
    nc: int = 0
    auts: bytes = b""

    @property
    def is_initial(self) -> bool:
        """The empty credentials of a first REGISTER (TS 24.229 §5.1.1.2.2)."""
        return not self.nonce and not self.response and not self.auts

    @property
    def is_reject(self) -> bool:
        """The card refused AUTN: empty response and no AUTS (TS 33.203 §6.1.2.2)."""
        return bool(self.nonce) and not self.response and not self.auts


class Scheme(Protocol):
    """One file of ``schemes/``. A module with these functions is one."""

    NAME: str
    PREFERENCE: tuple[str, ...]
    """Algorithm tokens, the one to answer first standing first."""

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

    def write_challenge(self, challenge: AkaChallenge) -> str:
        """Header value with which a server asks."""
        ...

    def read_credentials(self, value: str) -> Credentials:
        """Raises CredentialsError when the header value cannot be read."""
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
        """Raises CredentialsError, with the status to answer, for anything but ``expected``."""
        ...
