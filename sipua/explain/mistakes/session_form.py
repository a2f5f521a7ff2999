"""The -sess form of A1 where it is not due, or not where it is (RFC 7616 §3.4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _sess_added(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if not recipe.session and not recipe.clear:
        yield recipe._replace(session=True), ""


def _sess_missing(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.session:
        yield recipe._replace(session=False), ""


_WHY = "Only an algorithm that ends in -sess hashes nonce and cnonce into A1 (RFC 7616 §3.4.2)."
MISTAKES = (
    Mistake(
        "sess-added",
        "session",
        _sess_added,
        "The terminal hashed the -sess form although the algorithm has no -sess.",
        _WHY,
        "Choose the form of A1 by the algorithm of the challenge.",
    ),
    Mistake(
        "sess-missing",
        "session",
        _sess_missing,
        "The terminal did not hash the -sess form although the algorithm ends in -sess.",
        _WHY,
        "Choose the form of A1 by the algorithm of the challenge.",
    ),
)
