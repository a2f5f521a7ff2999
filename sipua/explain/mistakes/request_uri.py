"""Another uri hashed than the one the credentials show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _candidates(case: Case) -> Iterator[str]:
    yield case.uri
    yield from case.uris
    domain = case.subscriber.domain if case.subscriber else ""
    for host in (*case.hosts, case.challenge.realm, domain):
        if host:
            yield f"sip:{host}"
            yield f"sip:{host}:5060"
            yield f"sips:{host}"
    for name in (*case.names, case.told.get("username")):
        yield name if ":" in name else f"sip:{name}"


def _spellings(uri: str) -> Iterator[str]:
    yield uri
    bare = uri.partition(";")[0]
    yield bare
    yield bare.partition(":")[2]
    yield f"<{bare}>"
    yield f"{bare}:5060"
    yield bare.removesuffix(":5060")
    yield bare.lower()
    yield f"sip:{bare.rpartition('@')[2]}"
    for parameter in ("transport=udp", "transport=tcp", "transport=UDP", "transport=TCP", "lr"):
        yield f"{bare};{parameter}"


def _other_uri(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    seen = {recipe.uri}
    for uri in dict.fromkeys((recipe.uri, *_candidates(case))):
        for spelled in _spellings(uri):
            if spelled not in seen:
                seen.add(spelled)
                yield recipe._replace(uri=spelled), spelled or "(empty)"
    if "" not in seen:
        yield recipe._replace(uri=""), "(empty)"


MISTAKES = (
    Mistake(
        "wrong-uri",
        "uri",
        _other_uri,
        "The terminal hashed the uri {}, which is not the one in its credentials.",
        "The uri that is hashed, the uri parameter and the Request-URI are one text "
        "(RFC 3261 §22.4, RFC 7616 §3.4.3).",
        "Build the Request-URI once and use that text in all three places.",
    ),
)
