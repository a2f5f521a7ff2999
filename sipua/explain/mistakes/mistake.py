"""What a hypothesis is: one way to get the response wrong, tried out to the octet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe

Variants = Callable[["Case", "Recipe"], Iterator[tuple["Recipe", str]]]
"""The recipes that the mistake makes of a recipe, each with a word on what was taken."""


class Mistake(NamedTuple):
    """One mistake of whoever answered. ``what`` may hold {} for the word of its variant.

    ``touches`` names the ingredient it exchanges; two mistakes are tried
    together only if they touch different ones.
    """

    code: str
    touches: str
    variants: Variants
    what: str
    why: str
    todo: str
