"""Credentials as somebody wrote them, right or wrong, read as far as they can be."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from sipua.auth.challenge_list import read_challenges
from sipua.auth.hexadecimal import AUTH_REJECT
from sipua.auth.nonce import AUTS_SIZE, decode_auts
from sipua.auth.redaction import MASK
from sipua.auth.schemes import digest_umts, pgp_umts
from sipua.errors import ParseError, PeerError
from sipua.explain.case import Told
from sipua.sip.grammar import HEX_DIGITS, made_of
from sipua.sip.headers import split_challenges

if TYPE_CHECKING:
    from sipua.sip.headers import Challenge

RES, AUTS, REJECT, INITIAL, NOTHING = "RES", "AUTS", "reject", "initial", "nothing"
"""What credentials tell of the card's answer: INITIAL are those of a first request, which
answer no challenge, NOTHING those that ought to tell something and do not."""

_LETTERS = {letter: kind for kind, letter in digest_umts.LETTERS.items()}
_NUMBERS = {number: kind for kind, number in pgp_umts.TYPES.items()}


def read_told(header: str, value: str) -> Told:
    """The credentials of an Authorization or Proxy-Authorization value. Raises nothing."""
    try:
        read = _read(value)
    except ParseError as error:
        return Told(header, value, {}, problem=f"the credentials cannot be read: {error}")
    told = Told(header, value, {"": read.scheme.lower(), **read.params})
    if MASK in read.params.values():
        return told._replace(response=MASK, masked=True)
    scheme = scheme_of(told)
    if scheme == "umts":
        refused = "auth-reject" in told.params
        return _with(told, told.get("res"), told.get("auts"), refused=refused)
    if scheme == "digest-umts":
        return _by_kind(told, "response", 1, _LETTERS)
    if scheme == "pgp-umts":
        return _by_kind(told, "signature", 2, _NUMBERS)
    refused = told.params.get("response") == "" and bool(told.get("nonce"))
    return _with(told, told.get("response"), told.get("auts"), refused=refused)


def scheme_of(told: Told) -> str:
    """Which of the schemes credentials belong to: by their first word and algorithm."""
    word = told.get("")
    if word == "digest":
        is_umts = told.get("algorithm").upper() == digest_umts.ALGORITHM
        return "digest-umts" if is_umts else "aka"
    return {"umts": "umts", "pgp": "pgp-umts"}.get(word, word)


def kind_of(told: Told) -> str:
    """What is told of the card's answer."""
    if told.auts or told.get("auts"):
        return AUTS
    if told.response:
        return RES
    if told.refused:
        return REJECT
    if scheme_of(told) in ("aka", "digest-umts") and told.params.get("nonce") == "":
        return INITIAL
    return NOTHING


def _read(value: str) -> Challenge:
    try:
        return split_challenges(value)[0]
    except ParseError:
        return read_challenges(value)[0]


def _by_kind(told: Told, name: str, size: int, kinds: dict[str, str]) -> Told:
    """Where the first ``size`` characters tell what follows them."""
    text = told.get(name)
    kind = kinds.get(text[:size].upper())
    if kind is None:
        known = ", ".join(kinds)
        problem = f"the {name} begins with none of {known}" if text else ""
        return told._replace(response=text, problem=problem)
    rest = text[size:]
    return _with(
        told, rest if kind == "RES" else "", rest if kind == "AUTS" else "",
        refused=kind == AUTH_REJECT,
    )  # fmt: skip


def _with(told: Told, response: str, auts: str, *, refused: bool) -> Told:
    told = told._replace(response=response, refused=refused)
    if not auts:
        return told
    try:
        return told._replace(auts=_auts(auts))
    except PeerError as error:
        return told._replace(problem=f"the auts: {error}")


def _auts(text: str) -> bytes:
    """14 octets of base64 or of hexadecimal; raises PeerError."""
    if len(text) == 2 * AUTS_SIZE and made_of(text, HEX_DIGITS):
        return binascii.a2b_hex(text)
    return decode_auts(text)
