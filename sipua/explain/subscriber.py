"""Whose key is at hand: out of a card profile, or of a file with the key alone."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from card.aka.algorithm import functions_of
from card.aka.milenage import derive_opc
from card.errors import ProfileError
from card.profile import parse
from card.profile_authentication import read_authentication
from card.profile_table import Fault, Table
from sipua.ims.identity import identity_from_imsi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from card.profile import Authentication

OP_OCTETS = 16

PUBLISHED_OPS = tuple(
    bytes.fromhex(digits)
    for digits in (
        "11" * 16,  # the usual one of laboratory cores
        "00" * 16,
        "ff" * 16,
        "cdc202d5123e20f62b6d676ac72cb318",  # TS 35.208 §4.3, test set 1
    )
)
"""An OPc tells nothing of its OP; but one can try whether these give it."""


class Subscriber:
    """One key, and the names its owner goes by: IMPI, IMPUs, IMSI, home domain.

    ``op`` is the operator's value where the file gave that one or OPc follows from
    a published one, else b"". Names that are not known are empty.
    """

    __slots__ = ("authentication", "domain", "functions", "impi", "impu", "imsi", "op")

    def __init__(
        self,
        authentication: Authentication,
        impi: str = "",
        impu: tuple[str, ...] = (),
        imsi: str = "",
        domain: str = "",
        op: bytes = b"",
    ) -> None:
        self.authentication = authentication
        self.functions = functions_of(authentication)
        self.impi = impi
        self.impu = impu
        self.imsi = imsi
        self.domain = domain
        self.op = op or _published_op(authentication)

    def __repr__(self) -> str:
        return f"Subscriber({self.impi or self.imsi or 'a key'!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling in which this subscriber may be named, none of them empty."""
        temporary = identity_of(self.imsi)
        spelled = (self.impi, *self.impu, self.imsi, *temporary)
        return tuple(dict.fromkeys(filter(None, spelled)))

    def is_named(self, texts: Iterable[str]) -> bool:
        """Whether one of these user names or URIs is this subscriber's."""
        known = {_bare(name) for name in self.names}
        return any(_bare(text) in known for text in texts if text)


def identity_of(imsi: str) -> tuple[str, ...]:
    """The private identities an IMSI gives, with a network code of two digits and of three."""
    if len(imsi) < 6:
        return ()
    return tuple(identity_from_imsi(imsi, digits).impi for digits in (2, 3))


def load(path: str) -> Subscriber:
    """Read a card profile, or a file that holds the keys of its ``[authentication]`` alone.

    The latter may name an ``impi`` and an ``imsi`` beside them. Raises
    ProfileError, which never shows a key.
    """
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            text = stream.read()
        document = tomllib.loads(text)
    except OSError as error:
        raise ProfileError(f"the key file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):  # the parser's own words may quote the line
        raise ProfileError(f"the key file {path} is not TOML") from None
    if "iccid" in document:
        return _from_profile(document, path, text)
    return _from_keys(document, path)


def _from_profile(document: dict[str, Any], path: str, text: str) -> Subscriber:
    profile = parse(document, path, path, text)
    authentication = profile.authentication
    op = _op(document["authentication"])
    if profile.isim is not None:
        isim = profile.isim
        return Subscriber(authentication, isim.impi, isim.impu, profile.imsi, isim.domain, op)
    identity = identity_from_imsi(profile.imsi, profile.mnc_length)
    impu = (identity.impu,)
    return Subscriber(authentication, identity.impi, impu, profile.imsi, identity.domain, op)


def _from_keys(document: dict[str, Any], path: str) -> Subscriber:
    keys = document.get("authentication", document)
    if not isinstance(keys, dict):
        raise ProfileError(f"{path}: authentication: it must be a table")
    keys = {"algorithm": "milenage", **keys}
    impi, imsi = (_name(keys.pop(name, document.get(name, "")), path) for name in ("impi", "imsi"))
    faults: list[Fault] = []
    authentication = read_authentication(Table(keys, faults))
    if faults:
        raise ProfileError("\n".join(f"{path}: {key}: {expected}" for key, expected in faults))
    return Subscriber(authentication, impi, (), imsi, impi.partition("@")[2], _op(keys))


def _published_op(authentication: Authentication) -> bytes:
    """The OP out of which this OPc was derived, where it is one that everybody knows."""
    if authentication.algorithm == "milenage":
        for op in PUBLISHED_OPS:
            if derive_opc(authentication.k, op) == authentication.opc:
                return op
    return b""


def _name(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise ProfileError(f"{path}: impi and imsi must be texts")
    return value


def _op(keys: dict[str, Any]) -> bytes:
    op = bytes.fromhex(keys.get("op", ""))
    return op if len(op) == OP_OCTETS else b""


def _bare(name: str) -> str:
    """A name without what differs between a user name and a URI of the same user."""
    name = name.lower()
    for scheme in ("sip:", "sips:", "tel:"):
        name = name.removeprefix(scheme)
    return name.partition(";")[0]
