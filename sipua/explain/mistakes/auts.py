"""What a card, or software in its place, may have done wrong in AUTS (TS 33.102 §6.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from card.aka.vector import AMF_RESYNC

if TYPE_CHECKING:
    from card.aka.functions import AkaFunctions

Attempt = Callable[["AkaFunctions", bytes, bytes, bytes], Iterator[tuple[bytes, bytes]]]
"""From functions, RAND, AUTN and AUTS: SQN_MS, and the MAC-S that would follow."""


class AutsMistake(NamedTuple):
    """One way in which MAC-S comes out wrong."""

    code: str
    attempt: Attempt
    what: str
    why: str
    todo: str


def _revealed(octets: bytes, ak: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(octets, ak, strict=True))


def _amf_of_autn(
    functions: AkaFunctions, rand: bytes, autn: bytes, auts: bytes
) -> Iterator[tuple[bytes, bytes]]:
    sqn = _revealed(auts[:6], functions.f5star(rand))
    yield sqn, functions.f1star(rand, sqn, autn[6:8])


def _hidden_by_f5(
    functions: AkaFunctions, rand: bytes, autn: bytes, auts: bytes
) -> Iterator[tuple[bytes, bytes]]:
    sqn = _revealed(auts[:6], functions.f2345(rand)[3])
    yield sqn, functions.f1star(rand, sqn, AMF_RESYNC)


def _not_concealed(
    functions: AkaFunctions, rand: bytes, autn: bytes, auts: bytes
) -> Iterator[tuple[bytes, bytes]]:
    yield auts[:6], functions.f1star(rand, auts[:6], AMF_RESYNC)


def _mac_a(
    functions: AkaFunctions, rand: bytes, autn: bytes, auts: bytes
) -> Iterator[tuple[bytes, bytes]]:
    sqn = _revealed(auts[:6], functions.f5star(rand))
    for amf in (AMF_RESYNC, autn[6:8]):
        yield sqn, functions.f1(rand, sqn, amf)


_DUE = "AUTS is (SQN_MS xor AK*) || MAC-S, AK* from f5*, MAC-S from f1* over AMF 0000"
_WHY = f"{_DUE} (TS 33.102 §6.3.3); the HSS refuses another one and stays out of step."
AUTS_MISTAKES = (
    AutsMistake(
        "auts-amf",
        _amf_of_autn,
        "The card computed MAC-S over the AMF of AUTN instead of 0000.",
        _WHY,
        "Compute MAC-S over AMF 0000.",
    ),
    AutsMistake(
        "auts-by-f5",
        _hidden_by_f5,
        "The card hid SQN in AUTS by f5 instead of f5*.",
        _WHY,
        "Take AK for AUTS from f5*.",
    ),
    AutsMistake(
        "auts-not-concealed",
        _not_concealed,
        "The card computed MAC-S over the first 6 octets of AUTS as they stand there.",
        _WHY,
        "Compute f1* over SQN_MS itself, then hide it by f5*(RAND).",
    ),
    AutsMistake(
        "mac-a-in-auts",
        _mac_a,
        "The card put MAC-A (f1) where MAC-S (f1*) is due.",
        _WHY,
        "Take the last 8 octets of OUT1 for AUTS.",
    ),
)
