"""RES sent as it is where its digest is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.case import res_itself
from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _not_hashed(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if not recipe.clear:
        yield recipe._replace(clear=True, form=res_itself), ""


MISTAKES = (
    Mistake(
        "res-in-clear",
        "password",
        _not_hashed,
        "The terminal sent RES itself where a digest is due.",
        "In Digest AKA, RES is the password of a digest and is never sent (RFC 3310 §3.3); whoever "
        "listens knows it now.",
        "Compute the digest with RES as its password.",
    ),
)
