"""Double quotes hashed as if they were part of the values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe

QUOTED = ("username", "realm", "nonce", "uri", "cnonce", "qop", "nc")


def _with_quotes(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.clear:
        return
    values = {name: getattr(recipe, name) for name in QUOTED}
    present = [name for name in QUOTED if values[name]]
    for count in range(1, len(present) + 1):
        for chosen in combinations(present, count):
            changed: dict[str, Any] = {name: f'"{values[name]}"' for name in chosen}
            yield recipe._replace(**changed), ", ".join(chosen)


MISTAKES = (
    Mistake(
        "quotes-hashed",
        "quotes",
        _with_quotes,
        "The terminal hashed the double quotes around {}.",
        "The quotes delimit a value and are no part of it (RFC 7616 §3.4.2: unq(…)).",
        "Take the quotes off before hashing.",
    ),
)
