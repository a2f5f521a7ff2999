"""Another realm hashed than the one the credentials show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _candidates(case: Case) -> Iterator[str]:
    yield case.challenge.realm
    yield from (each.realm for each in case.earlier)
    if case.subscriber:
        yield case.subscriber.domain
    for name in (case.told.get("username"), *case.names, *case.uris, case.uri):
        bare = name.rpartition("@")[2] if "@" in name else name.partition(":")[2]
        yield bare
        yield bare.partition(";")[0].partition(":")[0]
    yield from case.hosts
    yield ""


def _other_realm(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    for realm in dict.fromkeys(_candidates(case)):
        for spelled in (realm, realm.lower()):
            if spelled != recipe.realm:
                yield recipe._replace(realm=spelled), f'"{spelled}"'


MISTAKES = (
    Mistake(
        "wrong-realm",
        "realm",
        _other_realm,
        "The terminal hashed the realm {}, which is not the one in its credentials.",
        "The realm of the challenge is hashed, letter by letter, whatever the home domain is "
        "called (RFC 7616 §3.4.2).",
        "Take the realm from the challenge for the header and for the digest.",
    ),
)
