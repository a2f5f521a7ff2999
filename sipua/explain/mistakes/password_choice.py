"""The empty password where RES is due, and RES where the empty password is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from card.aka.result import AkaResponse
from sipua.explain.case import form_of, no_password, res_itself
from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe


def _empty(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if not case.told.auts and not recipe.clear:
        yield recipe._replace(form=no_password), ""


def _res_with_auts(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if case.told.auts and case.algorithm:
        yield recipe._replace(form=form_of(case.algorithm)), ""
        yield recipe._replace(form=res_itself), ""


def _of_another_challenge(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if case.subscriber is None:
        return
    for other in case.earlier:
        if other.rand != case.challenge.rand:
            res, ck, ik, _ = case.subscriber.functions.f2345(other.rand)
            yield recipe._replace(aka=AkaResponse(res, ck, ik)), ""


MISTAKES = (
    Mistake(
        "empty-password",
        "password",
        _empty,
        "The terminal hashed an empty password instead of RES.",
        "The empty password goes with AUTS only (RFC 3310 §3.4); here RES was due.",
        "See whether the card was asked at all, and whether its answer reached the digest.",
    ),
    Mistake(
        "auts-with-res",
        "password",
        _res_with_auts,
        "The terminal hashed RES beside AUTS.",
        "With AUTS the password is empty (RFC 3310 §3.4); a card that gives AUTS gives no RES.",
        "Compute the response that goes with AUTS over the empty password.",
    ),
    Mistake(
        "res-of-another-challenge",
        "key",
        _of_another_challenge,
        "The terminal used the RES of another challenge of this dialog.",
        "RES belongs to one RAND; each challenge wants its own.",
        "Ask the card again for each new nonce, and keep its answers by nonce.",
    ),
)
