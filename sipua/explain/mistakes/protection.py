"""The quality of protection confused: auth, auth-int, or the old form without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _hashed(qop: str, said: str) -> Mistake:
    def variants(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
        if recipe.qop == said:
            yield recipe._replace(qop=qop), ""
            if qop == "auth-int":
                yield recipe._replace(qop=qop, body=b""), " (over an empty body)"

    return Mistake(
        f"{qop}-for-{said}",
        "qop",
        variants,
        f"The terminal says qop={said} and hashed as for qop={qop}{{}}.",
        "With auth-int the hash of the body is part of the digest, with auth it is not "
        "(RFC 7616 §3.4.3).",
        "Hash what the qop parameter says; where both are offered, auth is the safer choice.",
    )


def _without_qop(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.qop:
        yield recipe._replace(qop=""), ""


def _with_qop(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.qop:
        return
    for qop in ("auth", "auth-int"):
        for nc in dict.fromkeys((recipe.nc, "00000001", "1", "")):
            yield recipe._replace(qop=qop, nc=nc), qop


def _other_body(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if recipe.qop == "auth-int" and recipe.body:
        yield recipe._replace(body=b""), "an empty one"
        yield recipe._replace(body=recipe.body.rstrip(b"\r\n")), "without its last line end"
        yield recipe._replace(body=recipe.body.replace(b"\r\n", b"\n")), "with bare LF"


MISTAKES = (
    _hashed("auth-int", "auth"),
    _hashed("auth", "auth-int"),
    Mistake(
        "without-qop",
        "qop",
        _without_qop,
        "The terminal says qop and hashed as if there were none.",
        "Without qop the old form of RFC 2069 is hashed, which has neither nc nor cnonce.",
        "Hash nonce, nc, cnonce and qop whenever qop is sent.",
    ),
    Mistake(
        "qop-not-sent",
        "qop",
        _with_qop,
        "The terminal hashed qop={} but did not send it.",
        "Without a qop parameter the server computes the old form of RFC 2069.",
        "Send qop, nc and cnonce when the digest holds them.",
    ),
    Mistake(
        "wrong-body",
        "body",
        _other_body,
        "The terminal hashed another body than it sent: {}.",
        "With auth-int the body is hashed octet by octet (RFC 7616 §3.4.3).",
        "Compute the response over the body as it leaves.",
    ),
)
