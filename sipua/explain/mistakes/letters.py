"""Capital letters where digests are written in small ones (RFC 7616 §3.1: LHEX)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _hashes_in_capitals(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if not recipe.clear:
        yield recipe._replace(upper=True), ""


MISTAKES = (
    Mistake(
        "inner-upper-case",
        "letters",
        _hashes_in_capitals,
        "The terminal wrote H(A1) and H(A2) in capital letters before hashing them again.",
        "Each hash enters the next one as text in small letters (RFC 7616 §3.1).",
        "Write every hash in small hexadecimal letters.",
    ),
)
