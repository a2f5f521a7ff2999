"""The f1…f5* that a profile asks for: the one place where card and AuC choose them.

Only Milenage is imported with this module; the others are loaded by the first
profile that names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.milenage import Milenage

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.aka.functions import AkaFunctions
    from card.profile import Authentication

MILENAGE_RES = 8  # TS 35.206 §4.1: f2 gives 64 bits


def functions_of(authentication: Authentication) -> AkaFunctions:
    """The functions of one subscriber, the same for the card and for the AuC.

    Raises ValueError for keys which a checked profile cannot hold.
    """
    return ALGORITHMS[authentication.algorithm](authentication)


def _milenage(authentication: Authentication) -> AkaFunctions:
    functions: AkaFunctions
    if authentication.c or authentication.r:
        from card.aka.milenage_constants import MilenageConstants

        functions = MilenageConstants(
            authentication.k, authentication.opc, authentication.c, authentication.r
        )
    else:
        functions = Milenage(authentication.k, authentication.opc)
    if authentication.res_length == MILENAGE_RES:
        return functions
    return OtherRes(functions, authentication.res_length)


def _tuak(authentication: Authentication) -> AkaFunctions:
    from card.aka.tuak import Tuak

    return Tuak(
        authentication.k,
        authentication.topc,
        iterations=authentication.iterations,
        res_length=authentication.res_length,
        ck_length=authentication.ck_length,
        ik_length=authentication.ik_length,
    )


def _xor(authentication: Authentication) -> AkaFunctions:
    from card.aka.xor import Xor

    return Xor(authentication.k, authentication.res_length)


ALGORITHMS: dict[str, Callable[[Authentication], AkaFunctions]] = {
    "milenage": _milenage,
    "tuak": _tuak,
    "xor": _xor,
}
"""By the name that a profile gives them."""


class OtherRes:
    """Functions with a RES of 4 to 16 octets where their own has 8, for tests.

    TS 33.102 §6.3.7 allows 4 to 16 octets. A shorter RES is f2 cut on the
    right. A longer one is ours alone and no operator's: f2 followed by its
    complement. It holds no more secrecy than f2.
    """

    __slots__ = ("_f2345", "_length", "f1", "f1star", "f5star")

    def __init__(self, functions: AkaFunctions, res_length: int) -> None:
        if not 4 <= res_length <= 16:
            raise ValueError("RES has 4 to 16 octets")
        self._length = res_length
        self._f2345 = functions.f2345
        self.f1 = functions.f1
        self.f1star = functions.f1star
        self.f5star = functions.f5star

    def __repr__(self) -> str:
        return f"OtherRes(res_length={self._length})"

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES of the length asked for, CK, IK and AK."""
        res, ck, ik, ak = self._f2345(rand)
        return (res + bytes(octet ^ 0xFF for octet in res))[: self._length], ck, ik, ak
