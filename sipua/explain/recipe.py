"""Everything that goes into a response, so that one ingredient can be exchanged at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from card.aka.result import AkaResponse
from sipua.auth.digest import Hash, octets

PasswordForm = Callable[[Hash, AkaResponse], bytes]
"""What is hashed in a password's place, from the digest's hash and the card's answer."""


class Recipe(NamedTuple):
    """The ingredients of one response (RFC 7616 §3.4.1).

    ``clear`` marks the schemes that hash nothing and show RES itself. ``upper``
    has each hash written in capitals before it is hashed again.
    """

    hash: Hash
    aka: AkaResponse
    form: PasswordForm
    username: str = ""
    realm: str = ""
    nonce: str = ""
    method: str = ""
    uri: str = ""
    qop: str = ""
    nc: str = ""
    cnonce: str = ""
    body: bytes = b""
    session: bool = False
    upper: bool = False
    clear: bool = False

    def __repr__(self) -> str:
        return f"Recipe({self.hash.token}, {self.method} {self.uri!r}, secrets hidden)"

    def response(self) -> str:
        """The response, in lower-case hexadecimal."""
        password = self.form(self.hash, self.aka)
        if self.clear:
            return password.hex()
        a1 = octets(f"{self.username}:{self.realm}:") + password
        if self.session:
            a1 = octets(f"{self._hashed(a1)}:{self.nonce}:{self.cnonce}")
        a2 = f"{self.method}:{self.uri}"
        if self.qop.strip('"') == "auth-int":
            a2 = f"{a2}:{self._hashed(self.body)}"
        middle = f"{self.nonce}:{self.nc}:{self.cnonce}:{self.qop}" if self.qop else self.nonce
        whole = f"{self._hashed(a1)}:{middle}:{self._hashed(octets(a2))}"
        return self.hash.hexdigest(octets(whole))

    def _hashed(self, data: bytes) -> str:
        digest = self.hash.hexdigest(data)
        return digest.upper() if self.upper else digest
