"""The values between SIP and any way to carry AKA in it.

A scheme is one file in ``schemes/`` with both sides in it; ``scheme_interface``
tells what it can do. What it reads and writes is told here, so that whoever
answers a challenge need not know how it travelled.
"""

from __future__ import annotations

from typing import NamedTuple

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure

Outcome = AkaResponse | SynchronisationFailure | MacFailure
"""What the card said to RAND and AUTN."""

CHALLENGE_HEADERS = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}
CREDENTIALS_HEADERS = {
    "WWW-Authenticate": "Authorization",
    "Proxy-Authenticate": "Proxy-Authorization",
}


class AkaChallenge(NamedTuple):
    """One challenge that carries RAND and AUTN, whatever the scheme.

    ``scheme`` is its name in ``schemes/``, ``algorithm`` the canonical token ("" where
    the scheme has none), ``nonce`` the text as received (RAND and AUTN in hexadecimal
    where the scheme has none), ``qop_options`` what the server offers, ``header`` the
    field it came in.
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

    def repeats(self, other: AkaChallenge) -> bool:
        """Whether the server has sent the same challenge again."""
        return self.nonce == other.nonce and self.autn == other.autn and self.rand == other.rand

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

    def counted(self) -> Answer:
        """The same for one request more."""
        challenge, outcome, username, cnonce, nc, plain_res = self
        return Answer(challenge, outcome, username, cnonce, nc + 1, plain_res)

    @property
    def is_reusable(self) -> bool:
        """Whether a later request may carry it too: RES was sent, and qop counts the uses."""
        return isinstance(self.outcome, AkaResponse) and bool(self.challenge.qop)


class Credentials(NamedTuple):
    """What a server read from Authorization or Proxy-Authorization.

    What the scheme does not carry is empty. ``response`` is a digest, or RES itself in
    lower-case hexadecimal; ``nc`` is 0 when it was not sent; ``auts`` is 14 octets or
    empty; ``cause`` is why the card refused AUTN, 0 where that is not told (the
    numbers are those of TS 24.008 §10.5.3.6 and TS 24.301 §9.9.3.9).
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
    cause: int = 0

    @property
    def is_initial(self) -> bool:
        """The empty credentials of a first REGISTER (TS 24.229 §5.1.1.2.2)."""
        return not (self.nonce or self.response or self.auts or self.cause)

    @property
    def is_reject(self) -> bool:
        """The card refused AUTN: a cause, or neither response nor AUTS (TS 33.203 §6.1.2.2)."""
        return not (self.response or self.auts) and bool(self.nonce or self.cause)

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, realm={self.realm!r}, response=<hidden>)"


Vectors = tuple[tuple[int, str, str, str, str], ...]
"""Examples to the octet: number of a test set of TS 35.208 §4.3, algorithm, what the card
says (RES, AUTS or AUTH-REJECT), challenge, credentials. All are for REGISTER
sip:ims.example by user@ims.example; where there is a cnonce, it is 0a4f113b."""
