"""What a network may have done wrong in AUTN, its key being right (TS 33.102 §6.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from card.aka.functions import AkaFunctions

Attempt = Callable[["AkaFunctions", bytes, bytes], Iterator[tuple[bytes, bytes, bytes, str]]]
"""From functions, RAND and AUTN: SQN, the MAC due, the MAC that came, and a word."""


class AutnMistake(NamedTuple):
    """One way in which the MAC comes out wrong; ``tries`` is what trying it costs."""

    code: str
    attempt: Attempt
    what: str
    why: str
    todo: str
    tries: int = 1


def _revealed(octets: bytes, ak: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(octets, ak, strict=True))


def _other_amf(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    sqn = _revealed(autn[:6], functions.f2345(rand)[3])
    for number in range(0x10000):
        amf = number.to_bytes(2, "big")
        if amf != autn[6:8]:
            yield sqn, functions.f1(rand, sqn, amf), autn[8:], amf.hex()


def _not_concealed(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    yield autn[:6], functions.f1(rand, autn[:6], autn[6:8]), autn[8:], ""


def _resynchronisation_key(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    sqn = _revealed(autn[:6], functions.f5star(rand))
    yield sqn, functions.f1(rand, sqn, autn[6:8]), autn[8:], ""


def _mac_s(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    sqn = _revealed(autn[:6], functions.f2345(rand)[3])
    yield sqn, functions.f1star(rand, sqn, autn[6:8]), autn[8:], ""


def _sqn_reversed(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    sqn = _revealed(autn[:6], functions.f2345(rand)[3])
    yield sqn, functions.f1(rand, sqn[::-1], autn[6:8]), autn[8:], ""


def _parts_moved(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    ak = functions.f2345(rand)[3]
    for sqn, amf, mac, order in (
        (autn[:6], autn[14:], autn[6:14], "SQN, MAC, AMF"),
        (autn[2:8], autn[:2], autn[8:], "AMF, SQN, MAC"),
        (autn[8:14], autn[14:], autn[:8], "MAC, SQN, AMF"),
    ):
        revealed = _revealed(sqn, ak)
        yield revealed, functions.f1(rand, revealed, amf), mac, order


def _rand_behind_autn(
    functions: AkaFunctions, rand: bytes, autn: bytes
) -> Iterator[tuple[bytes, bytes, bytes, str]]:
    rand, autn = autn, rand
    sqn = _revealed(autn[:6], functions.f2345(rand)[3])
    yield sqn, functions.f1(rand, sqn, autn[6:8]), autn[8:], ""


_DUE = "AUTN is (SQN xor AK) || AMF || MAC-A, with MAC-A = f1 over SQN, RAND and that AMF"
AUTN_MISTAKES = (
    AutnMistake(
        "sqn-not-concealed",
        _not_concealed,
        "The network computed the MAC over the first 6 octets of AUTN as they stand there.",
        "Either it did not hide SQN by AK, or it took SQN xor AK for SQN in f1 (TS 33.102 §6.3.2).",
        "Compute f1 over SQN itself, then hide SQN by AK = f5(RAND).",
    ),
    AutnMistake(
        "autn-by-f5star",
        _resynchronisation_key,
        "The network hid SQN by f5* instead of f5.",
        "f5* serves AUTS only (TS 33.102 §6.3.3).",
        "Take AK from f5 for AUTN.",
    ),
    AutnMistake(
        "mac-s-in-autn",
        _mac_s,
        "The network put MAC-S (f1*) where MAC-A (f1) is due.",
        "f1 and f1* are two halves of one block and easily exchanged (TS 35.206 §4.1).",
        "Take the first 8 octets of OUT1 for AUTN.",
    ),
    AutnMistake(
        "sqn-byte-swapped",
        _sqn_reversed,
        "The network computed the MAC over SQN with its octets in reverse order.",
        "SQN is a number of 48 bits, the most significant octet first (TS 33.102 §6.3.2).",
        "Write SQN most significant octet first.",
    ),
    AutnMistake(
        "autn-order",
        _parts_moved,
        "The network put the parts of AUTN in the order {}.",
        f"{_DUE} (TS 33.102 §6.3.2).",
        "Put SQN xor AK first, then AMF, then the MAC.",
    ),
    AutnMistake(
        "rand-behind-autn",
        _rand_behind_autn,
        "The network put AUTN before RAND in the nonce.",
        "The nonce is RAND, then AUTN, then data of the server's own (RFC 3310 §3.2).",
        "Put RAND first.",
    ),
    AutnMistake(
        "amf-mismatch",
        _other_amf,
        "The network computed the MAC over AMF {}, not over the AMF that AUTN shows.",
        "The card computes it over the AMF in AUTN, and so finds the MAC wrong (TS 33.102 §6.3.3).",
        "Set one AMF for the subscriber in the HSS; nothing on the way may change it.",
        tries=0x10000,
    ),
)
