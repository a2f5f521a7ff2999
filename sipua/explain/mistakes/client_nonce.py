"""Another cnonce hashed than the one the credentials show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _candidates(case: Case, cnonce: str) -> Iterator[tuple[str, str]]:
    for other in case.cnonces:
        yield other, "that of another request"
    yield "", "an empty one"
    yield case.told.get("nonce"), "the nonce"
    yield cnonce.lower(), "in small letters"
    yield cnonce.upper(), "in capital letters"
    yield cnonce.rstrip("="), "without padding"
    with suppress(ValueError):
        yield bytes.fromhex(cnonce).decode("latin-1"), "its octets"
    yield cnonce.encode("utf-8", "surrogateescape").hex(), "as hexadecimal text"


def _other_cnonce(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.qop or recipe.session:
        for cnonce, how in _candidates(case, recipe.cnonce):
            if cnonce != recipe.cnonce:
                yield recipe._replace(cnonce=cnonce), how


MISTAKES = (
    Mistake(
        "cnonce-mismatch",
        "cnonce",
        _other_cnonce,
        "The terminal hashed another cnonce than it sent: {}.",
        "The cnonce is hashed as the text that is sent (RFC 7616 §3.4.1).",
        "Make the cnonce once for each nonce and use that text in both places.",
    ),
)
