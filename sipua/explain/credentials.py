"""Credentials as somebody wrote them, right or wrong, read as far as they can be."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from sipua.auth.challenge_list import read_challenges
from sipua.auth.nonce import AUTS_SIZE, decode_auts
from sipua.auth.redaction import MASK
from sipua.auth.schemes import digest_umts, pgp_umts
from sipua.errors import ParseError, PeerError
from sipua.explain.case import Told
from sipua.sip.grammar import HEX_DIGITS, made_of
from sipua.sip.headers import split_challenges

if TYPE_CHECKING:
    from sipua.sip.headers import Challenge

RES, AUTS, REJECT, INITIAL = "RES", "AUTS", "reject", "initial"

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
        return _with(told, told.get("res"), told.get("auts"))
    if scheme == "digest-umts":
        text = told.get("response")
        kind = _LETTERS.get(text[:1].upper(), "")
        return _with(told, *_by_kind(kind, text[1:]))
    if scheme == "pgp-umts":
        text = told.get("signature")
        return _with(told, *_by_kind(_NUMBERS.get(text[:2], ""), text[2:]))
    return _with(told, told.get("response"), told.get("auts"))


def scheme_of(told: Told) -> str:
    """Which of the schemes credentials belong to: by their first word and algorithm."""
    word = told.get("")
    if word == "digest":
        is_umts = told.get("algorithm").upper() == digest_umts.ALGORITHM
        return "digest-umts" if is_umts else "aka"
    return {"umts": "umts", "pgp": "pgp-umts"}.get(word, word)


def kind_of(told: Told) -> str:
    """What is told of the card's answer: RES, AUTS, that it refused, or nothing yet."""
    if told.auts or told.get("auts"):
        return AUTS
    if told.response:
        return RES
    if scheme_of(told) in ("aka", "digest-umts") and not told.get("nonce"):
        return INITIAL
    return REJECT


def _read(value: str) -> Challenge:
    try:
        return split_challenges(value)[0]
    except ParseError:
        return read_challenges(value)[0]


def _by_kind(kind: str, text: str) -> tuple[str, str]:
    return (text if kind == "RES" else "", text if kind == "AUTS" else "")


def _with(told: Told, response: str, auts: str) -> Told:
    if not auts:
        return told._replace(response=response)
    try:
        return told._replace(response=response, auts=_auts(auts))
    except PeerError as error:
        return told._replace(response=response, problem=f"the auts: {error}")


def _auts(text: str) -> bytes:
    """14 octets of base64 or of hexadecimal; raises PeerError."""
    if len(text) == 2 * AUTS_SIZE and made_of(text, HEX_DIGITS):
        return binascii.a2b_hex(text)
    return decode_auts(text)
