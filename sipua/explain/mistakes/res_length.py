"""RES of another length than it has: cut, or filled up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from card.aka.result import AkaResponse
    from sipua.auth.digest import Hash
    from sipua.explain.case import Case
    from sipua.explain.recipe import PasswordForm, Recipe


def _until_nul(hash_: Hash, aka: AkaResponse) -> bytes:
    return aka.res.partition(b"\0")[0]


def _first(octets: int) -> PasswordForm:
    return lambda hash_, aka: aka.res[:octets]


def _filled_to(octets: int) -> PasswordForm:
    return lambda hash_, aka: aka.res.ljust(octets, b"\0")


def _cut_at_nul(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    place = recipe.aka.res.find(b"\0")
    if place >= 0:
        yield recipe._replace(form=_until_nul), f"after {place} octets"


def _cut_short(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    for octets in range(4, len(recipe.aka.res)):
        yield recipe._replace(form=_first(octets)), str(octets)


def _filled_up(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    for octets in range(len(recipe.aka.res) + 1, 17):
        yield recipe._replace(form=_filled_to(octets)), str(octets)


MISTAKES = (
    Mistake(
        "res-cut-at-nul",
        "password",
        _cut_at_nul,
        "The terminal ended RES at its first zero octet ({}).",
        "RES is binary: one in 32 of 8 octets holds a zero, so this fails now and then only.",
        "Keep RES with its length; string functions that stop at zero must not touch it.",
    ),
    Mistake(
        "res-too-short",
        "password",
        _cut_short,
        "The terminal used the first {} octets of RES only.",
        "RES has 4 to 16 octets (TS 33.102 §6.3.7), and all of them are hashed.",
        "Take the length of RES from what the card answers.",
    ),
    Mistake(
        "res-filled-up",
        "password",
        _filled_up,
        "The terminal filled RES up with zeros to {} octets.",
        "RES has 4 to 16 octets (TS 33.102 §6.3.7), and no more than those are hashed.",
        "Take the length of RES from what the card answers.",
    ),
)
