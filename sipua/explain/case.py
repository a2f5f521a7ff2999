"""One answer to one challenge, with everything that may have to do with it."""

from __future__ import annotations

from typing import NamedTuple

from card.aka.result import AkaResponse
from sipua.auth.algorithm import Algorithm, algorithm_of, password
from sipua.auth.digest import MD5, Hash
from sipua.auth.scheme import AkaChallenge
from sipua.explain.recipe import PasswordForm, Recipe
from sipua.explain.subscriber import Subscriber


class Told(NamedTuple):
    """Credentials as they stood in a request.

    ``params`` are the values without quotes by name in small letters, ``response``
    the response without what some schemes put before it, ``auts`` 14 octets or
    b"", ``refused`` whether they say that the card found the MAC wrong. ``problem``
    says why they cannot be read, "" when they can. ``masked``: RES
    was taken out by whoever wrote the capture, and something else stands there.
    """

    header: str
    value: str
    params: dict[str, str]
    response: str = ""
    auts: bytes = b""
    refused: bool = False
    problem: str = ""
    masked: bool = False

    def __repr__(self) -> str:
        return f"Told({self.header}, values hidden)"

    def get(self, name: str) -> str:
        """A parameter, "" when it is not there."""
        return self.params.get(name, "")


class Case(NamedTuple):
    """What a hypothesis may look at.

    ``request_known`` is False where only the credentials were given, so that
    method and uri are guesses. ``names``, ``uris`` and ``hosts`` stood elsewhere
    in the request or its neighbours; ``earlier`` are other challenges of the
    dialog, ``cnonces`` what other credentials in it said, ``counts`` the nonce
    counts that were used with this nonce before, ``next_nonces`` what the server
    gave as such.
    """

    challenge: AkaChallenge
    told: Told
    method: str
    uri: str
    body: bytes = b""
    request_known: bool = True
    subscriber: Subscriber | None = None
    names: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    earlier: tuple[AkaChallenge, ...] = ()
    cnonces: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    next_nonces: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Case({self.method} {self.uri!r}, {self.challenge.scheme})"

    @property
    def algorithm(self) -> Algorithm | None:
        """That of Digest AKA; None for the schemes that hash nothing."""
        return algorithm_of(self.challenge.algorithm) if self.challenge.scheme == "aka" else None

    def recipe(self, aka: AkaResponse) -> Recipe:
        """What a right response is made of: what the credentials say, and the key's answer."""
        told = self.told
        algorithm = self.algorithm
        if algorithm is None:
            return Recipe(MD5, aka, res_itself, clear=True)
        return Recipe(
            algorithm.hash,
            aka,
            no_password if told.auts else form_of(algorithm),
            told.get("username"),
            told.get("realm"),
            told.get("nonce"),
            self.method,
            told.get("uri"),
            told.get("qop").lower(),
            told.get("nc"),
            told.get("cnonce"),
            self.body,
            algorithm.session,
        )


def form_of(algorithm: Algorithm) -> PasswordForm:
    """The password that an algorithm of Digest AKA asks for."""
    return res_itself if algorithm.version == 1 else masked_res


def res_itself(hash_: Hash, aka: AkaResponse) -> bytes:
    """The octets of RES (RFC 3310 §3.3)."""
    return aka.res


def masked_res(hash_: Hash, aka: AkaResponse) -> bytes:
    """Base64 text of a keyed hash (RFC 4169 §2.1)."""
    return password(Algorithm("", 2, hash_), aka)


def no_password(hash_: Hash, aka: AkaResponse) -> bytes:
    """The empty password that goes with AUTS (RFC 3310 §3.4)."""
    return b""
