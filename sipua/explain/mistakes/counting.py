"""Another nonce count hashed than the one the credentials show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe

NEAR = 3
"""How far the count that was hashed is looked for beside the one that was sent."""


def _candidates(nc: str) -> Iterator[str]:
    yield from ("00000001", "1", "00000000", "0", "")
    digits = nc[-8:]
    if digits.strip("0123456789abcdefABCDEF") or not digits:
        return
    yield nc.lstrip("0")
    yield nc.rjust(8, "0")
    yield nc.upper()
    count = int(digits, 16)
    for near in range(max(count - NEAR, 0), count + NEAR + 1):
        yield f"{near:08x}"
        yield f"{near:x}"
    yield f"{count:08d}"
    yield str(count)


def _other_count(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.qop:
        for nc in dict.fromkeys(_candidates(recipe.nc)):
            if nc != recipe.nc:
                yield recipe._replace(nc=nc), nc or "(empty)"


MISTAKES = (
    Mistake(
        "nc-mismatch",
        "nc",
        _other_count,
        "The terminal hashed the nonce count {}, which is not the one it sent.",
        "nc is hashed as the eight hexadecimal digits that are sent (RFC 7616 §3.4).",
        "Write the count once and use that text in both places.",
    ),
)
