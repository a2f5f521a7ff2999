"""Which mistake, or which two together, give the very response that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.explain.mistakes.catalogue import MISTAKES
from sipua.explain.mistakes.method import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from card.aka.result import AkaResponse
    from sipua.explain.case import Case
    from sipua.explain.mistakes.mistake import Mistake
    from sipua.explain.recipe import Recipe

MAX_TRIES = 1_000_000
"""Keys and responses tried in search of mistakes in one run; some seconds of work."""

RESERVE = 400_000
"""Of these, kept back from the dear searches for the cheap ones."""

MAX_PAIR_OCTETS = 4096
"""Body octets with which pairs of mistakes are still tried."""

Made = tuple["Mistake", str]
"""A mistake, and the word on its variant."""


class Budget:
    """How much may still be tried, so that a large capture of wrong answers ends in time.

    ``found`` holds the mistakes found so far, which are looked for first: whoever
    makes a mistake once makes it each time.
    """

    __slots__ = ("found", "left")

    def __init__(self, tries: int = MAX_TRIES) -> None:
        self.left = tries
        self.found: list[Mistake] = []

    def spend(self, tries: int, reserve: int = 0) -> bool:
        """Whether so much was left beyond ``reserve``; it is taken."""
        if tries + reserve > self.left:
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

    None when nothing does: what cannot be reproduced is not guessed at. Raises
    NotSearched when the budget is used up.
    """
    right = case.recipe(aka)
    said = case.told.response.lower()
    if not said:
        return ()
    for mistake, recipe, how in _singles(case, right, budget.found):
        if recipe.response() == said:
            return ((mistake, how),)
    singles = list(_singles(case, right, MISTAKES))
    if not budget.spend(len(singles)):
        raise NotSearched
    for mistake, recipe, how in singles:
        if recipe.response() == said:
            budget.found.append(mistake)
            return ((mistake, how),)
    pairs = len(singles) ** 2 // 4  # about: half of them, and few mistakes touch the same
    if len(case.body) > MAX_PAIR_OCTETS or not budget.spend(pairs, RESERVE):
        return ()
    for first, recipe, how in singles:
        before = MISTAKES[: MISTAKES.index(first)]
        for second, both, also in _singles(case, recipe, before):
            if second.touches != first.touches and both.response() == said:
                return ((second, also), (first, how))
    return ()


def _singles(
    case: Case, recipe: Recipe, mistakes: Iterable[Mistake]
) -> Iterator[tuple[Mistake, Recipe, str]]:
    """What each of these mistakes makes of a recipe."""
    for mistake in mistakes:
        for changed, how in mistake.variants(case, recipe):
            yield mistake, changed, how


class NotSearched(Exception):
    """So much was tried already that this response was not."""
