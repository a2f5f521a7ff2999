"""Another text of the nonce hashed than the one the credentials show."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _candidates(case: Case, nonce: str) -> Iterator[tuple[str, str]]:
    vector = case.challenge.rand + case.challenge.autn
    yield case.challenge.nonce, "that of the challenge"
    for other in case.earlier:
        yield other.nonce, "that of another challenge"
    yield nonce.rstrip("="), "without padding"
    yield nonce.rstrip("=") + "=" * (-len(nonce.rstrip("=")) % 4), "with padding"
    yield nonce.replace("-", "+").replace("_", "/"), "in the other base64 alphabet"
    yield nonce.replace("+", "-").replace("/", "_"), "in the other base64 alphabet"
    yield binascii.b2a_base64(vector, newline=False).decode(), "RAND and AUTN encoded anew"
    yield vector.hex(), "RAND and AUTN in hexadecimal"
    yield vector.decode("utf-8", "surrogateescape"), "RAND and AUTN as octets"
    yield case.challenge.rand.hex(), "RAND in hexadecimal"
    yield "", "an empty one"


def _other_nonce(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if not recipe.clear:
        for nonce, how in _candidates(case, recipe.nonce):
            if nonce != recipe.nonce:
                yield recipe._replace(nonce=nonce), how


MISTAKES = (
    Mistake(
        "wrong-nonce",
        "nonce",
        _other_nonce,
        "The terminal hashed another nonce than it sent: {}.",
        "The nonce is hashed, and sent back, as the text that came (RFC 7616 §3.4.2).",
        "Keep the nonce as text; decode a copy of it for the card.",
    ),
)
