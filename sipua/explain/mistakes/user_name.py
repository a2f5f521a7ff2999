"""Another user name hashed than the one the credentials show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _spellings(case: Case) -> Iterator[str]:
    known = case.subscriber.names if case.subscriber else ()
    for name in (*known, *case.names, case.told.get("username")):
        for spelled in (name, name.partition(":")[2] if ":" in name else f"sip:{name}"):
            yield spelled
            bare = spelled.rpartition(":")[2]
            yield spelled.partition("@")[0]
            yield bare.partition("@")[0]
            yield f"{bare.partition('@')[0]}@{case.challenge.realm}"
    yield ""


def _other_name(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    for name in dict.fromkeys(_spellings(case)):
        if name != recipe.username:
            yield recipe._replace(username=name), f'"{name}"'


MISTAKES = (
    Mistake(
        "wrong-username",
        "username",
        _other_name,
        "The terminal hashed the user name {}, which is not the one in its credentials.",
        "The user name of IMS is the private identity, IMPI, and it is hashed as it is sent "
        "(TS 24.229 §5.1.1.2.2, RFC 7616 §3.4.2).",
        "Use the IMPI for both; the IMPU belongs into To and From.",
    ),
)
