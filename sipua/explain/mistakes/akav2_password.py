"""AKAv1 and AKAv2 confused, or the keyed hash of AKAv2 made in another way (RFC 4169 §2)."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

from card.aka.result import AkaResponse
from sipua.auth.algorithm import PASSWORD_LABEL, prf
from sipua.auth.digest import MD5, SHA_256
from sipua.explain.case import masked_res, res_itself
from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from sipua.auth.digest import Hash
    from sipua.explain.case import Case
    from sipua.explain.recipe import PasswordForm, Recipe


def _keyed_hash(hash_: Hash, aka: AkaResponse) -> bytes:
    return prf(hash_, aka.res + aka.ik + aka.ck, PASSWORD_LABEL)


def _hexadecimal(hash_: Hash, aka: AkaResponse) -> bytes:
    return _keyed_hash(hash_, aka).hex().encode()


def _keys_exchanged(hash_: Hash, aka: AkaResponse) -> bytes:
    return masked_res(hash_, AkaResponse(aka.res, aka.ik, aka.ck))


def _roles_exchanged(hash_: Hash, aka: AkaResponse) -> bytes:
    digest = prf(hash_, PASSWORD_LABEL, aka.res + aka.ik + aka.ck)
    return binascii.b2a_base64(digest, newline=False)


def _always(hash_: Hash) -> PasswordForm:
    return lambda _, aka: masked_res(hash_, aka)


def _version(case: Case) -> int:
    return case.algorithm.version if case.algorithm and not case.told.auts else 0


def _raw_res(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if _version(case) == 2:
        yield recipe._replace(form=res_itself), ""


def _masked_res(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if _version(case) == 1:
        yield recipe._replace(form=masked_res), ""


def _made_otherwise(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
    if _version(case) != 2:
        return
    yield recipe._replace(form=_keyed_hash), "the keyed hash was not turned into base64 text"
    yield recipe._replace(form=_hexadecimal), "the keyed hash was written as hexadecimal text"
    yield recipe._replace(form=_keys_exchanged), "CK stood before IK"
    yield recipe._replace(form=_roles_exchanged), "key and message of HMAC were exchanged"
    for hash_ in (MD5, SHA_256):
        if hash_ is not recipe.hash:
            yield recipe._replace(form=_always(hash_)), f"HMAC was computed with {hash_.token}"


MISTAKES = (
    Mistake(
        "akav2-raw-res",
        "password",
        _raw_res,
        "The terminal hashed RES itself although the algorithm is AKAv2.",
        "The password of AKAv2 is base64 text of a keyed hash over RES, IK and CK (RFC 4169 §2.1). "
        "Some servers mean RES itself by this name; this one may not.",
        "Derive the password as RFC 4169 has it; if the server wants RES itself, offer AKAv1.",
    ),
    Mistake(
        "akav1-masked-res",
        "password",
        _masked_res,
        "The terminal hashed the password of AKAv2 although the algorithm is AKAv1.",
        "The password of AKAv1 is RES as it is (RFC 3310 §3.3).",
        "Derive a password only when the challenge says AKAv2.",
    ),
    Mistake(
        "akav2-password",
        "password",
        _made_otherwise,
        "The terminal made the password of AKAv2 in another way: {}.",
        "It is base64 of HMAC with the key RES || IK || CK over the label "
        "http-digest-akav2-password, with the digest's own hash (RFC 4169 §2.1).",
        "Follow RFC 4169 §2.1 to the octet.",
    ),
)
