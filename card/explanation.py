"""What an AUTN or AUTS holds, for whoever has the subscriber's key (TS 33.102 §6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from card.aka.algorithm import functions_of
from card.aka.result import MacFailure
from card.aka.sequence import DELTA, IND_BITS
from card.aka.vector import open_autn, open_auts

if TYPE_CHECKING:
    from card.profile import Profile

Facts = dict[str, Any]


class Key:
    """The functions of one profile's subscriber. Shows nothing of them."""

    def __init__(self, profile: Profile) -> None:
        self.iccid = profile.iccid
        self._functions = functions_of(profile.authentication)

    def __repr__(self) -> str:
        return f"Key({self.iccid})"

    def autn(self, rand: bytes, autn: bytes, *, gba: bool = False) -> Facts:
        """SQN, SEQ, IND, AMF, and whether the MAC is right.

        With a wrong MAC the SQN means nothing and is None. With ``gba`` a MAC that
        is masked as TS 33.220 §5.3.2 has it is right, too.
        """
        facts: Facts = {
            "mac": "wrong",
            "amf": autn[6:8].hex(),
            "sqn": None,
            "seq": None,
            "ind": None,
        }
        for candidate in (autn, self._unmasked(rand, autn)) if gba else (autn,):
            try:
                sqn = open_autn(self._functions, rand, candidate)
            except MacFailure:
                continue
            return facts | {"mac": "right"} | _split(sqn)
        return facts

    def auts(self, rand: bytes, auts: bytes, sqn: int | None) -> Facts:
        """The card's SQN, and how far ahead of it ``sqn``, that of the AUTN, is in SEQ."""
        try:
            sqn_ms = open_auts(self._functions, rand, auts)
        except MacFailure:
            return {"mac": "wrong", "sqn": None, "seq": None, "ind": None, "distance": None}
        distance = None if sqn is None else (sqn >> IND_BITS) - (sqn_ms >> IND_BITS)
        return {"mac": "right"} | _split(sqn_ms) | {"distance": distance}

    def expected(self, rand: bytes) -> tuple[bytes, bytes, bytes]:
        """RES, CK and IK that this key gives for RAND."""
        return self._functions.f2345(rand)[:3]

    def _unmasked(self, rand: bytes, autn: bytes) -> bytes:
        from card.emulator.gba import masked_mac

        ik = self._functions.f2345(rand)[2]
        return autn[:8] + masked_mac(autn[8:], ik)


def _split(sqn: int) -> Facts:
    return {"sqn": f"{sqn:012x}", "seq": sqn >> IND_BITS, "ind": sqn & ((1 << IND_BITS) - 1)}


def distance_sentence(distance: int) -> str:
    """Why the card did not take the SQN of an AUTN that is ``distance`` ahead of its own."""
    if distance > DELTA:
        return f"the network is {distance} ahead of the card, further than it follows ({DELTA})"
    if distance > 0:
        return f"the network is {distance} ahead of the card; this IND was used already"
    if distance == 0:
        return "the network used the card's last SEQ again"
    return f"the network is {-distance} behind the card"
