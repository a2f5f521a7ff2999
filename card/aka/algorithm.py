"""The f1…f5* that a profile asks for: the one place where card and AuC choose them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.milenage import Milenage

if TYPE_CHECKING:
    from typing import Protocol

    from card.aka.functions import AkaFunctions

    class Authentication(Protocol):
        """What a profile says about its keys; ``card.profile.Authentication`` is one."""

        @property
        def k(self) -> bytes: ...
        @property
        def opc(self) -> bytes: ...
        @property
        def res_length(self) -> int: ...


MILENAGE_RES = 8  # TS 35.206 §4.1: f2 gives 64 bits


def functions_of(authentication: Authentication) -> AkaFunctions:
    """The functions of one subscriber, the same for the card and for the AuC."""
    if authentication.res_length == MILENAGE_RES:
        return Milenage(authentication.k, authentication.opc)
    return MilenageOtherRes(authentication.k, authentication.opc, authentication.res_length)


class MilenageOtherRes(Milenage):
    """Milenage with a RES of 4 to 16 octets, for tests of what carries a RES.

    TS 33.102 §6.3.7 allows 4 to 16 octets. A shorter RES is f2 cut on the
    right. A longer one is ours alone and no operator's: f2 followed by its
    complement. It holds no more secrecy than 8 octets.
    """

    __slots__ = ("_length",)

    def __init__(self, k: bytes, opc: bytes, res_length: int) -> None:
        if not 4 <= res_length <= 16:
            raise ValueError("RES has 4 to 16 octets")
        super().__init__(k, opc)
        self._length = res_length

    def f2(self, rand: bytes) -> bytes:
        """RES of the length asked for."""
        return self._resize(super().f2(rand))

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES of the length asked for, CK, IK and AK."""
        res, ck, ik, ak = super().f2345(rand)
        return self._resize(res), ck, ik, ak

    def _resize(self, res: bytes) -> bytes:
        return (res + bytes(octet ^ 0xFF for octet in res))[: self._length]
