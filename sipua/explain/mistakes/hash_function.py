"""Another hash than the algorithm names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.auth.digest import MD5, SHA_256, SHA_512_256
from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _other_hash(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.clear:
        return
    for hash_ in (MD5, SHA_256, SHA_512_256):
        if hash_ is not recipe.hash:
            yield recipe._replace(hash=hash_), f"{hash_.token} instead of {recipe.hash.token}"


MISTAKES = (
    Mistake(
        "wrong-hash",
        "hash",
        _other_hash,
        "The terminal used {}.",
        "The algorithm of the challenge names the hash of the whole digest.",
        "Follow the algorithm of the challenge, or leave that challenge unanswered.",
    ),
)
