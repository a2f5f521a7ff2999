"""The method of another request hashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe

METHODS = (
    *("REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY"),
    *("PRACK", "UPDATE", "INFO", "REFER", "PUBLISH", "GET", "POST"),
)


def _other_method(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    for method in (*METHODS, recipe.method.lower(), ""):
        if method != recipe.method:
            yield recipe._replace(method=method), method or "(empty)"


MISTAKES = (
    Mistake(
        "wrong-method",
        "method",
        _other_method,
        "The terminal hashed the method {}.",
        "The method of the very request that carries the credentials is hashed (RFC 7616 §3.4.3).",
        "Compute the response anew for each request, with its own method.",
    ),
)
