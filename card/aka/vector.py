"""AUTN and AUTS: making, opening and checking them (TS 33.102 §6.3).

SQN is a number of 48 bits here; its octets appear only inside the messages.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from card.aka.result import MacFailure

if TYPE_CHECKING:
    from card.aka.functions import AkaFunctions

AMF_RESYNC = b"\x00\x00"  # TS 33.102 §6.3.3: MAC-S is computed over AMF 0000
AUTN_OCTETS = 16
AUTS_OCTETS = 14


class Vector(NamedTuple):
    """One quintet, good for one run of AKA."""

    rand: bytes
    autn: bytes
    xres: bytes
    ck: bytes
    ik: bytes

    def __repr__(self) -> str:
        return f"Vector(rand={self.rand.hex()}, autn={self.autn.hex()}, xres, ck, ik=<secret>)"


def make_vector(functions: AkaFunctions, rand: bytes, sqn: int, amf: bytes) -> Vector:
    """What the AuC hands out: AUTN = (SQN ^ AK) || AMF || MAC-A (§6.3.2)."""
    xres, ck, ik, ak = functions.f2345(rand)
    mac = functions.f1(rand, sqn.to_bytes(6, "big"), amf)
    return Vector(rand, _hide(sqn, ak) + amf + mac, xres, ck, ik)


def open_autn(functions: AkaFunctions, rand: bytes, autn: bytes) -> int:
    """The SQN in AUTN, once its MAC is found right; AMF is taken from AUTN (§6.3.3).

    Raises MacFailure. Whether the SQN is fresh is for ``sequence`` to say.
    """
    if len(autn) != AUTN_OCTETS:
        raise MacFailure(f"AUTN has {len(autn)} octets, not {AUTN_OCTETS}")
    sqn = _reveal(autn, functions.f2345(rand)[3])
    if not compare_digest(functions.f1(rand, sqn.to_bytes(6, "big"), autn[6:8]), autn[8:]):
        raise MacFailure("the MAC in AUTN is wrong: card and network hold other keys")
    return sqn


def make_auts(functions: AkaFunctions, rand: bytes, sqn_ms: int) -> bytes:
    """AUTS = (SQN_MS ^ AK*) || MAC-S, 14 octets (§6.3.3)."""
    mac = functions.f1star(rand, sqn_ms.to_bytes(6, "big"), AMF_RESYNC)
    return _hide(sqn_ms, functions.f5star(rand)) + mac


def open_auts(functions: AkaFunctions, rand: bytes, auts: bytes) -> int:
    """The card's SQN_MS, once MAC-S is found right (§6.3.5). Raises MacFailure."""
    if len(auts) != AUTS_OCTETS:
        raise MacFailure(f"AUTS has {len(auts)} octets, not {AUTS_OCTETS}")
    sqn_ms = _reveal(auts, functions.f5star(rand))
    expected = functions.f1star(rand, sqn_ms.to_bytes(6, "big"), AMF_RESYNC)
    if not compare_digest(expected, auts[6:]):
        raise MacFailure("MAC-S in AUTS is wrong: not made with this key for this RAND")
    return sqn_ms


def _hide(sqn: int, ak: bytes) -> bytes:
    return (sqn ^ int.from_bytes(ak, "big")).to_bytes(6, "big")


def _reveal(token: bytes, ak: bytes) -> int:
    return int.from_bytes(token[:6], "big") ^ int.from_bytes(ak, "big")
