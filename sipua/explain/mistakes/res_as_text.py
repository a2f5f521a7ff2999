"""RES hashed as text instead of octets."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from sipua.auth.digest import Hash
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _lower(hash_: Hash, aka: AkaResponse) -> bytes:
    return aka.res.hex().encode()


def _upper(hash_: Hash, aka: AkaResponse) -> bytes:
    return aka.res.hex().upper().encode()


def _base64(hash_: Hash, aka: AkaResponse) -> bytes:
    return binascii.b2a_base64(aka.res, newline=False)


def _utf8(hash_: Hash, aka: AkaResponse) -> bytes:
    return aka.res.decode("latin-1").encode()


def _as_hex(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    yield recipe._replace(form=_lower), "small letters"
    yield recipe._replace(form=_upper), "capital letters"


def _as_base64(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    yield recipe._replace(form=_base64), ""


def _as_utf8(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    yield recipe._replace(form=_utf8), ""


_WHY = "The password of AKAv1 is RES as binary octets (RFC 3310 §3.3)."
_TODO = "Hand the octets of RES to the digest, with their length."
MISTAKES = (
    Mistake(
        "hex-res",
        "password",
        _as_hex,
        "The terminal hashed RES as hexadecimal text ({}) instead of its octets.",
        _WHY,
        _TODO,
    ),
    Mistake(
        "base64-res",
        "password",
        _as_base64,
        "The terminal hashed RES as base64 text instead of its octets.",
        _WHY,
        _TODO,
    ),
    Mistake(
        "utf8-res",
        "password",
        _as_utf8,
        "The terminal turned the octets of RES into characters and hashed those as UTF-8.",
        _WHY,
        _TODO,
    ),
)
