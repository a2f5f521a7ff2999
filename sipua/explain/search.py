"""Which mistake, or which two together, give the very response that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.explain.mistakes.catalogue import MISTAKES
from sipua.explain.mistakes.method import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from card.aka.result import AkaResponse
    from sipua.explain.case import Case
    from sipua.explain.mistakes.mistake import Mistake
    from sipua.explain.recipe import Recipe

MAX_TRIES = 1_000_000
"""Responses computed in search of mistakes in one run; some seconds of work."""

MAX_PAIR_OCTETS = 4096
"""Body octets with which pairs of mistakes are still tried."""

Made = tuple["Mistake", str]
"""A mistake, and the word on its variant."""


class Budget:
    """How much may still be tried, so that a large capture of wrong answers ends in time."""

    __slots__ = ("left",)

    def __init__(self, tries: int = MAX_TRIES) -> None:
        self.left = tries

    def spend(self, tries: int) -> bool:
        """Whether there was enough left; it is taken."""
        if tries > self.left:
            return False
        self.left -= tries
        return True


def is_right(case: Case, aka: AkaResponse) -> bool:
    """Whether the response follows from the credentials and what the card answers.

    Where the request is not known, it is right for any method.
    """
    recipe = case.recipe(aka)
    said = case.told.response.lower()
    if recipe.response() == said:
        return True
    if case.request_known or recipe.clear:
        return False
    return any(recipe._replace(method=method).response() == said for method in METHODS)


def mistakes_in(case: Case, aka: AkaResponse, budget: Budget) -> tuple[Made, ...]:
    """The mistakes that reproduce the response of the credentials, octet by octet.

    None when nothing does: what cannot be reproduced is not guessed at.
    """
    right = case.recipe(aka)
    said = case.told.response.lower()
    if not said or not budget.spend(1000):
        return ()
    singles = list(_singles(case, right))
    for mistake, recipe, how in singles:
        if recipe.response() == said:
            return ((mistake, how),)
    if len(case.body) > MAX_PAIR_OCTETS or not budget.spend(len(singles) * 60):
        return ()
    for first, recipe, how in singles:
        for second, both, also in _singles(case, recipe, before=first):
            if both.response() == said:
                return ((second, also), (first, how))
    return ()


def _singles(
    case: Case, recipe: Recipe, before: Mistake | None = None
) -> Iterator[tuple[Mistake, Recipe, str]]:
    """What each mistake makes of a recipe; with ``before`` those that stand before it."""
    for mistake in MISTAKES:
        if mistake is before:
            return
        if before is not None and mistake.touches == before.touches:
            continue
        for changed, how in mistake.variants(case, recipe):
            yield mistake, changed, how
