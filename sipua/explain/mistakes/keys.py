"""K, OP and OPc mixed up or turned round: which key gives this AUTN, or this response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from card.aka.milenage import KEY_OCTETS, Milenage, derive_opc
from card.aka.result import AkaResponse
from card.aka.xor import Xor
from sipua.explain.mistakes.mistake import Mistake

if TYPE_CHECKING:
    from card.aka.functions import AkaFunctions
    from sipua.explain.case import Case
    from sipua.explain.recipe import Recipe
    from sipua.explain.subscriber import Subscriber

Functions = Callable[["Subscriber"], "Iterator[tuple[AkaFunctions, str]]"]


class WrongKey(NamedTuple):
    """One way to hold a wrong key; ``functions`` gives f1…f5* of it, if there can be any.

    ``what`` says what was done, as a sentence without its subject; it may hold {}.
    """

    code: str
    functions: Functions
    what: str
    todo: str


def _opc_typed_as_op(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    keys = subscriber.authentication
    if keys.algorithm == "milenage":
        yield Milenage(keys.k, derive_opc(keys.k, keys.opc)), ""


def _op_typed_as_opc(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    if subscriber.op:
        yield Milenage(subscriber.authentication.k, subscriber.op), ""


def _k_turned(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    keys = subscriber.authentication
    if keys.algorithm == "milenage":
        for k, how in turned(keys.k):
            yield Milenage(k, keys.opc), how
            if subscriber.op:
                yield Milenage.from_op(k, subscriber.op), how
    elif keys.algorithm == "xor":
        for k, how in turned(keys.k):
            yield Xor(k, keys.res_length), how


def _opc_turned(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    keys = subscriber.authentication
    if keys.algorithm == "milenage":
        for opc, how in turned(keys.opc):
            yield Milenage(keys.k, opc), how
        for op, how in turned(subscriber.op):
            yield Milenage.from_op(keys.k, op), how


def _k_and_opc_exchanged(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    keys = subscriber.authentication
    if keys.algorithm == "milenage":
        yield Milenage(keys.opc, keys.k), ""


def _other_algorithm(subscriber: Subscriber) -> Iterator[tuple[AkaFunctions, str]]:
    keys = subscriber.authentication
    if keys.algorithm != "xor" and len(keys.k) == KEY_OCTETS:
        for length in (8, 16, 4):
            yield Xor(keys.k, length), "XOR (TS 34.108)"


def turned(octets: bytes) -> Iterator[tuple[bytes, str]]:
    """The orders in which 16 octets may arrive that were not meant so."""
    if octets:
        yield octets[::-1], "all octets reversed"
        yield bytes(octet << 4 & 0xF0 | octet >> 4 for octet in octets), "nibbles exchanged"
        for size in (2, 4, 8):
            pieces = [octets[at : at + size][::-1] for at in range(0, len(octets), size)]
            yield b"".join(pieces), f"octets reversed in words of {size * 8} bits"


_COMPARE = "Compare K and OPc digit by digit where they are stored, in the HSS and for the card."
WRONG_KEYS = (
    WrongKey(
        "opc-as-op",
        _opc_typed_as_op,
        "took OPc for OP and derived it a second time",
        "Enter the value as OPc, or enter the operator's OP where OP is asked for.",
    ),
    WrongKey(
        "op-as-opc",
        _op_typed_as_opc,
        "took OP for OPc, without deriving it with K",
        "Enter the derived OPc, or enter the value where OP is asked for.",
    ),
    WrongKey("k-byte-swapped", _k_turned, "has K in another order: {}", _COMPARE),
    WrongKey("opc-byte-swapped", _opc_turned, "has OPc in another order: {}", _COMPARE),
    WrongKey("k-opc-exchanged", _k_and_opc_exchanged, "has K and OPc exchanged", _COMPARE),
    WrongKey(
        "other-algorithm",
        _other_algorithm,
        "computes with another algorithm: {}",
        "Choose the algorithm of the card in the HSS, and that of the HSS in the profile.",
    ),
)


def _mistake(wrong: WrongKey) -> Mistake:
    def variants(case: Case, recipe: Recipe) -> Iterator[tuple[Recipe, str]]:
        if case.subscriber is None:
            return
        for functions, how in wrong.functions(case.subscriber):
            res, ck, ik, _ = functions.f2345(case.challenge.rand)
            yield recipe._replace(aka=AkaResponse(res, ck, ik)), how

    return Mistake(
        wrong.code,
        "key",
        variants,
        f"The terminal {wrong.what}.",
        "Its RES follows from another key than the network's XRES. It has not checked the MAC in "
        "AUTN either, or it would have seen that.",
        wrong.todo,
    )


MISTAKES = tuple(_mistake(wrong) for wrong in WRONG_KEYS)
